"""Views of pages as training sees them: turned, bent, enlarged, badly lit, and cut out."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hwr.layout.maps import NOMINAL_HEIGHT
from hwr.training.layout.pages import KnownLine, KnownPage, Points
from hwr.training.samples import Grey

#: Logarithm of how much larger or smaller than usual lines are seen (standard deviation, limit).
_SCALE_SPREAD, _SCALE_LIMIT = 0.25, 0.6
#: Pages are enlarged so many times at most.
_MOST_ENLARGED = 2.0
#: Pages are turned by so many degrees (standard deviation).
_TURN = 2.2
#: Lines are bent by up to so many pixels, over waves of such lengths.
_BEND, _WAVES = 5.0, (250.0, 900.0)
#: Share of views whose light or focus is spoilt in each of the ways below.
_OFTEN, _SELDOM = 0.5, 0.25


@dataclass(frozen=True, kw_only=True)
class Warp:
    """From pixels of a page to pixels of a view: an affine map, then columns pushed up."""

    #: (2, 3), page to view.
    affine: NDArray[np.float64]
    #: How far each column of the view is pushed up, in pixels.
    push: NDArray[np.float64]

    def points(self, points: Points) -> Points:
        moved = points @ self.affine[:, :2].T + self.affine[:, 2]
        moved[:, 1] -= np.interp(moved[:, 0], np.arange(len(self.push)), self.push)
        return moved

    def image(self, image: Grey, shape: tuple[int, int]) -> Grey:
        back = cv2.invertAffineTransform(self.affine)
        x, y = np.meshgrid(np.arange(shape[1], dtype=np.float32), np.arange(shape[0]))
        y = (y + self.push[None, :]).astype(np.float32)
        across, down = ((row[0] * x + row[1] * y + row[2]).astype(np.float32) for row in back)
        border = cv2.BORDER_REPLICATE
        pixels = cv2.remap(image, across, down, cv2.INTER_LINEAR, borderMode=border)
        return np.asarray(pixels, np.uint8)


def view(page: KnownPage, side: int, rng: Generator) -> KnownPage:
    """A square view of a page, ``side`` pixels wide and high."""
    scale = NOMINAL_HEIGHT / page.height
    scale *= np.exp(np.clip(rng.normal(0, _SCALE_SPREAD), -_SCALE_LIMIT, _SCALE_LIMIT))
    scale = min(float(scale), _MOST_ENLARGED)
    # Reduced first, for what lies between the pixels that a map asks for would be lost.
    small = cv2.resize(page.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    warp = _warp(np.asarray(small, np.uint8), scale, side, rng)
    inner = replace(warp, affine=warp.affine @ np.diag([1 / scale, 1 / scale, 1]))
    image = spoilt(inner.image(np.asarray(small, np.uint8), (side, side)), rng)
    lines = [_moved(line, warp) for line in page.lines]
    unknown = warp.points(np.array([[0.0, page.unknown]]))[0, 1] if page.unknown else 0
    return replace(page, image=image, lines=lines, unknown=max(round(unknown), 0))


def _warp(small: Grey, scale: float, side: int, rng: Generator) -> Warp:
    height, width = small.shape
    angle = np.deg2rad(rng.normal(0, _TURN))
    shear = rng.normal(0, 0.03)
    linear = np.array([[1, shear], [0, 1]]) @ np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    centre = [_centre(length, side, rng) for length in (width, height)]
    offset = side / 2 - linear @ centre
    x = np.arange(side)
    push = rng.uniform(0, _BEND) * np.sin(x * 2 * np.pi / rng.uniform(*_WAVES) + rng.uniform(0, 6))
    push *= rng.random() < _OFTEN
    return Warp(affine=np.column_stack([linear * scale, offset]), push=push)


def _centre(length: int, side: int, rng: Generator) -> float:
    """Middle of a view along one axis: it may look a little beyond the edges."""
    half = side / 2 - 0.06 * side
    return float(rng.uniform(half, length - half)) if length > 2 * half else length / 2


def _moved(line: KnownLine, warp: Warp) -> KnownLine:
    polygon = None if line.polygon is None else warp.points(line.polygon)
    return KnownLine(baseline=warp.points(_dense(line.baseline)), polygon=polygon)


def _dense(baseline: Points) -> Points:
    """The baseline with points between its corners, so that it can be bent."""
    ordered = baseline[baseline[:, 0].argsort(kind="stable")]
    x = np.linspace(ordered[0, 0], ordered[-1, 0], max(int(np.ptp(ordered[:, 0]) / 30), 2))
    return np.stack([x, np.interp(x, ordered[:, 0], ordered[:, 1])], axis=1)


def spoilt(image: Grey, rng: Generator) -> Grey:
    """The picture as another scanner or camera might have taken it."""
    picture = image.astype(np.float32)
    if rng.random() < _SELDOM:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.1)), np.float32)
    if rng.random() < _OFTEN:
        gamma = np.float32(np.exp(rng.normal(0, 0.35)))
        picture = np.asarray(255 * (picture / 255) ** gamma, np.float32)
    if rng.random() < _OFTEN:
        low, high = rng.uniform(0, 90), rng.uniform(170, 255)
        picture = np.asarray(low + picture * ((high - low) / 255), np.float32)
    if rng.random() < _SELDOM:
        light = rng.uniform(0.55, 1.0, (3, 3)).astype(np.float32)
        picture *= cv2.resize(light, image.shape[::-1], interpolation=cv2.INTER_CUBIC)
    if rng.random() < _OFTEN:
        grain = rng.standard_normal(image.shape, np.float32)
        picture += grain * np.float32(np.exp(rng.uniform(0, 3.2)))
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
