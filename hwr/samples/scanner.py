"""A scanner: lays the sheet down a little askew and adds its own marks."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.samples.noise import Field, as_field, smooth_noise
from hwr.samples.sheet import Box, Entry, Sheet
from hwr.samples.truth import Polygon, TruthLine, TruthPage, TruthZone

#: Largest skew in degrees
MAX_SKEW = 1.3
#: Grey of the scanner's lid where the sheet does not cover it
LID = 214.0


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A scanned page and its truth."""

    #: uint8 (H, W, 3), red, green, blue
    picture: NDArray[np.uint8]
    truth: TruthPage


def scan(sheet: Sheet, number: int, *, speckles: int = 90) -> Scan:
    """Scan the sheet as page `number`."""
    rng = sheet.rng
    turn = _skew(sheet, rng)
    size = (sheet.width, sheet.height)
    picture = as_field(cv2.warpAffine(sheet.picture, turn, size, borderValue=(LID, LID, LID)))
    _cast_edge(picture, turn)
    _speckle(picture, speckles, rng)
    _streak(picture, rng)
    return Scan(picture=_expose(picture, rng), truth=_truth(sheet, number, turn))


def _skew(sheet: Sheet, rng: np.random.Generator) -> Field:
    centre = (sheet.width / 2, sheet.height / 2)
    turn = as_field(cv2.getRotationMatrix2D(centre, rng.uniform(-MAX_SKEW, MAX_SKEW), 1.0))
    turn[:, 2] += as_field(rng.uniform(-3, 3, 2))
    return turn


def _truth(sheet: Sheet, number: int, turn: Field) -> TruthPage:
    lines = tuple(_line(order, entry, turn) for order, entry in enumerate(sheet.entries))
    zones = tuple(TruthZone(name=at.name, polygon=_turned(at.box, turn)) for at in sheet.marks)
    size = sheet.width, sheet.height
    return TruthPage(number=number, width=size[0], height=size[1], lines=lines, zones=zones)


def _line(order: int, entry: Entry, turn: Field) -> TruthLine:
    return TruthLine(
        order=order,
        text=entry.text,
        polygon=_turned(entry.box, turn),
        kind=entry.kind,
        zone=entry.zone,
    )


def _turned(box: Box, turn: Field) -> Polygon:
    left, top, right, bottom = box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    turned = [turn @ np.array([x, y, 1.0]) for x, y in corners]
    return tuple((round(float(x)), round(float(y))) for x, y in turned)


def _cast_edge(picture: Field, turn: Field) -> None:
    """The shadow that the edge of the paper casts on the lid."""
    height, width = picture.shape[:2]
    paper = cv2.warpAffine(np.ones((height, width), np.float32), turn, (width, height))
    shadow = as_field(cv2.GaussianBlur(paper, (0, 0), 5)) * (1 - as_field(paper))
    picture -= (70 * shadow)[:, :, None]


def _speckle(picture: Field, count: int, rng: np.random.Generator) -> None:
    """Dust: small dark and light specks."""
    height, width = picture.shape[:2]
    for _ in range(count):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        grey = float(rng.choice([70, 110, 150, 255], p=[0.2, 0.3, 0.3, 0.2]))
        axes = (int(rng.integers(0, 2)), int(rng.integers(0, 3)))
        turn = float(rng.uniform(0, 180))
        cv2.ellipse(picture, centre, axes, turn, 0, 360, (grey, grey, grey), -1)


def _streak(picture: Field, rng: np.random.Generator) -> None:
    """A faint upright line where dirt sits on the sensor."""
    x = int(rng.integers(picture.shape[1] - 2))
    picture[:, x : x + 2] -= rng.uniform(4, 14)


def _expose(picture: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Uneven lamp, soft lens, noisy sensor."""
    height, width = picture.shape[:2]
    lamp = 1 + 0.008 * smooth_noise((height, width), 900, rng)
    soft = as_field(cv2.GaussianBlur(picture, (0, 0), 0.65)) * lamp[:, :, None]
    soft += 2.2 * rng.standard_normal((height, width, 1)).astype(np.float32)
    return np.clip(soft, 0, 255).astype(np.uint8)
