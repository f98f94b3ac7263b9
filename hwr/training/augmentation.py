"""Distortions of line images while training: geometry, pen, camera, clutter.

The groups follow Retsinas et al. (2022), Wigington et al., "Data Augmentation for Recognition of
Handwritten Words and Lines" (ICDAR 2017), and DeVries and Taylor, "Improved Regularization of
Convolutional Neural Networks with Cutout" (2017). All take and give grey (h, w) uint8, paper near
255.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.random import Generator

from hwr.model.line_image import LINE_HEIGHT
from hwr.training.samples import Grey

_PAPER = 255


class Group(StrEnum):
    """A group of distortions."""

    #: Slant, rotation, scale, shift and elastic drift.
    GEOMETRY = "geometry"
    #: Thicker and thinner strokes.
    PEN = "pen"
    #: Blur, noise, low resolution, fax and JPEG.
    CAMERA = "camera"
    #: Gaps in the writing; on real lines also print of forms and ends of neighbours (`paper`).
    CLUTTER = "clutter"


def augment(
    image: Grey, rng: Generator, groups: Collection[Group] = tuple(Group), copies: int = 1
) -> list[Grey]:
    """Copies of a line image, 64 high, each distorted by those of `groups` that chance takes.

    They are of one width, and a letter stands in about the same columns of each.
    """
    image = _to_height(image)
    placed = [image] * copies
    if Group.GEOMETRY in groups:
        placed = _geometry(image, rng, copies)
    return [_marked(copy, rng, groups) for copy in placed]


def _marked(image: Grey, rng: Generator, groups: Collection[Group]) -> Grey:
    """What does not move a letter: pen, gaps and camera."""
    if rng.random() < 0.3 and Group.PEN in groups:
        image = _pen(image, rng)
    if rng.random() < 0.2 and Group.CLUTTER in groups:
        image = _gaps(image, rng)
    if rng.random() < 0.4 and Group.CAMERA in groups:
        image = _camera(image, rng)
    return image


def _to_height(image: Grey) -> Grey:
    width = max(8, round(image.shape[1] * LINE_HEIGHT / image.shape[0]))
    return np.asarray(
        cv2.resize(image, (width, LINE_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8
    )


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """What the copies of a line share: in which columns its letters stand."""

    #: New pixels to an old one along the line.
    stretch: float
    #: Pixels to the right for a row.
    slant: float
    #: Columns of paper before the line, and all columns.
    left: float
    width: int
    #: (64, width) float32 columns by which ink is moved.
    drift: np.ndarray


def _geometry(image: Grey, rng: Generator, copies: int) -> list[Grey]:
    """Slant, rotation, scale, shift and elastic drift in one resampling for each copy."""
    frame = _frame(image.shape[1], rng)
    return [_placed(image, frame, rng) for _ in range(copies)]


def _frame(width: int, rng: Generator) -> _Frame:
    stretch, slant = rng.uniform(0.8, 1.25), rng.normal(0, 0.2)
    left, right = rng.integers(0, 24, 2)
    new_width = max(8, int(width * stretch + left + right + abs(slant) * 20))
    return _Frame(
        stretch=stretch,
        slant=slant,
        left=left + abs(slant) * 10,
        width=new_width,
        drift=_drift(new_width, rng),
    )


def _placed(image: Grey, frame: _Frame, rng: Generator) -> Grey:
    """A copy in its frame. What it leans more than another moves ink by half a time step."""
    squash, turn = rng.uniform(0.78, 1.1), rng.normal(0, 0.012)
    slant = frame.slant + rng.normal(0, 0.09)
    ys, xs = np.mgrid[0:LINE_HEIGHT, 0 : frame.width].astype(np.float32)
    centre = LINE_HEIGHT / 2
    dy = (ys - centre - rng.normal(0, 3.0)) / squash
    source_x = (xs - frame.left) / frame.stretch + slant * dy + frame.drift
    source_y = centre + dy + turn * (source_x - image.shape[1] / 2) + _drift(frame.width, rng)
    return np.asarray(
        cv2.remap(
            image,
            source_x.astype(np.float32),
            source_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_tone(image),
        ),
        np.uint8,
    )


def _tone(image: Grey) -> int:
    """Of the paper between the letters."""
    return int(np.percentile(image[:, :: max(1, image.shape[1] // 64)], 80))


def _drift(width: int, rng: Generator) -> np.ndarray:
    """(64, width) float32 pixels that change slowly along the line."""
    coarse = rng.normal(0, rng.uniform(0, 3.0), (3, max(3, width // 28))).astype(np.float32)
    return cv2.resize(coarse, (width, LINE_HEIGHT), interpolation=cv2.INTER_CUBIC)


def _pen(image: Grey, rng: Generator) -> Grey:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(rng.integers(2, 4)),) * 2)
    thicker = rng.random() < 0.55
    changed = cv2.erode(image, kernel) if thicker else cv2.dilate(image, kernel)
    share = rng.uniform(0.3, 1.0) if thicker else rng.uniform(0.2, 0.7)
    return _grey(image * (1 - share) + changed * share)


def _gaps(image: Grey, rng: Generator) -> Grey:
    """Patches of paper over the ink, narrower than a letter: what is hidden can be guessed."""
    image, tone = image.copy(), _tone(image)
    for _ in range(rng.integers(1, 2 + max(1, image.shape[1] // 150))):
        row, column = rng.integers(0, image.shape[0]), rng.integers(0, image.shape[1])
        height, width = rng.integers(8, LINE_HEIGHT), rng.integers(3, 10)
        image[max(0, row - height // 2) : row + height // 2, column : column + width] = tone
    return image


def _camera(image: Grey, rng: Generator) -> Grey:
    choice = rng.integers(0, 5)
    if choice == 0:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.3)), np.uint8)
    if choice == 1:
        small = cv2.resize(image, None, fx=(f := rng.uniform(0.35, 0.8)), fy=f)
        return np.asarray(cv2.resize(small, image.shape[::-1]), np.uint8)
    if choice == 2:
        return _grey(image + texture(image.shape, rng) * 2)
    if choice == 3:
        return _fax(image, rng)
    quality = int(rng.integers(12, 60))
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _fax(image: Grey, rng: Generator) -> Grey:
    """Black and white alone, as G4 scans have it."""
    ink, paper = np.percentile(image, (2, 80))
    level = ink + (paper - ink) * rng.uniform(0.4, 0.75)
    return np.where(image > level, np.uint8(_PAPER), np.uint8(0))


def texture(shape: tuple[int, ...], rng: Generator) -> np.ndarray:
    """Noise of some strength, fine and in clouds, as float32 (h, w)."""
    fine = rng.normal(0, rng.uniform(0.5, 6), shape).astype(np.float32)
    coarse = rng.normal(0, rng.uniform(0, 8), (3, max(3, shape[1] // 60))).astype(np.float32)
    return fine + cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def _grey(values: np.ndarray) -> Grey:
    return np.asarray(np.clip(values, 0, _PAPER), np.uint8)
