"""Sheets that lie beside each other on the glass of a scanner."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.homography import Quad, corners, homography
from hwr.samples.sheet import Sheet

#: A4 at 200 dpi, width and height in pixels.
GLASS = (1654, 2339)
#: Grey of lids: as white as paper, grey, dark; and by how much an edge's shadow darkens them.
LIDS, SHADOWS = (250.0, 190.0, 50.0), (0.0, 15.0, 60.0)
#: Degrees that a sheet is turned, and all together where they touch; pixels between two.
TURN, TURN_TOGETHER, GAPS = 5.0, 1.5, (4.0, 70.0)
NOISE, QUALITIES = (0.0, 5.0), (50, 95)

Grey = NDArray[np.uint8]


def on_glass(sheets: Sequence[Sheet], rng: np.random.Generator) -> tuple[Grey, list[Quad]]:
    """A grey scan (H, W) of sheets below each other, and corners of each, top left as read first.

    Each is turned by an angle of its own, but for every third scan, on which they touch; every
    fourth sheet lies on its head. They are made smaller where they would not fit.
    """
    page = np.full(GLASS[::-1], rng.choice(LIDS), np.float32)
    high = sum(sheet.height for sheet in sheets) + 90.0 * len(sheets)
    scale = min(float(rng.uniform(0.85, 1.0)), GLASS[1] / high)
    places = list(
        _touching(sheets, scale, rng) if rng.random() < 1 / 3 else _apart(sheets, scale, rng)
    )
    for at, (sheet, place) in enumerate(zip(sheets, places, strict=True)):
        if rng.random() < 1 / 4:
            places[at] = np.roll(place, 2, axis=0)
        _lay(page, sheet, places[at], float(rng.choice(SHADOWS)))
    return _scanned(page, rng), places


def _apart(sheets: Sequence[Sheet], scale: float, rng: np.random.Generator) -> Iterator[Quad]:
    top = float(rng.uniform(*GAPS))
    for sheet in sheets:
        place = _turned(sheet, scale, rng.uniform(-TURN, TURN))
        wide, high = np.ptp(place, axis=0).tolist()
        yield place - place.min(axis=0) + (rng.uniform(0, max(GLASS[0] - wide, 1)), top)
        top += high + rng.uniform(*GAPS)


def _touching(sheets: Sequence[Sheet], scale: float, rng: np.random.Generator) -> Iterator[Quad]:
    degrees, corner = rng.uniform(-TURN_TOGETHER, TURN_TOGETHER), np.array([60.0, 60.0])
    for sheet in sheets:
        place = _turned(sheet, scale, degrees) + corner
        corner = place[3]
        yield place


def _turned(sheet: Sheet, scale: float, degrees: float) -> Quad:
    turn = np.radians(degrees)
    across = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    return np.asarray(scale * corners(sheet.width, sheet.height) @ across, np.float64)


def _lay(page: NDArray[np.float32], sheet: Sheet, place: Quad, shadow: float) -> None:
    colours = np.clip(sheet.picture, 0, 255).astype(np.float32)
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    move = homography(corners(sheet.width, sheet.height), place)
    paper = cv2.warpPerspective(np.ones_like(grey), move, GLASS, flags=cv2.INTER_LINEAR)
    page -= shadow * cv2.blur(paper, (9, 9)) * (1 - paper)
    page *= 1 - paper
    page += cv2.warpPerspective(grey, move, GLASS, flags=cv2.INTER_LINEAR) * paper


def _scanned(page: NDArray[np.float32], rng: np.random.Generator) -> Grey:
    noise = rng.standard_normal(page.shape, np.float32) * np.float32(rng.uniform(*NOISE))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*QUALITIES))]
    _, saved = cv2.imencode(".jpg", np.clip(page + noise, 0, 255).astype(np.uint8), quality)
    return np.asarray(cv2.imdecode(saved, cv2.IMREAD_GRAYSCALE), np.uint8)
