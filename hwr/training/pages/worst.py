"""Pictures of the worst pages, what stands there in one colour and what was found in another.

The sheet shows what people wrote; it is made where it is asked for and nowhere else.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout import Line
from hwr.model.files import replacing
from hwr.training.samples import Grey

#: Pages beside each other, and the height of one, in pixels.
_ACROSS, _HEIGHT = 3, 1400
_MARGIN = 10
_TITLE, _TITLE_SIZE = 34, 20
#: Colours as OpenCV has them: blue, green, red.
_TRUE, _FOUND, _BLACK = (60, 150, 30), (40, 40, 220), (0, 0, 0)

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]


def draw_page(image: Grey, true: Sequence[Line], found: Sequence[Line], title: str) -> Picture:
    """A page with true lines (green) and found ones (red, thinner), BGR, a fixed height.

    Along each outline runs its baseline; the number before a found line is its place in reading
    order, from 1.
    """
    scale = _HEIGHT / image.shape[0]
    size = max(1, round(image.shape[1] * scale)), _HEIGHT
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    canvas = np.asarray(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), np.uint8)
    _outline(canvas, true, scale, _TRUE, 3)
    _outline(canvas, found, scale, _FOUND, 1)
    for line in found:
        x, y = (round(part * scale) for part in line.baseline[0])
        _write(canvas, str(line.order + 1), (max(x - 22, 0), y), _FOUND, 14)
    head = np.full((_TITLE, canvas.shape[1], 3), 255, np.uint8)
    _write(head, title, (_MARGIN, _TITLE_SIZE + 4), _BLACK, _TITLE_SIZE)
    return np.vstack([head, canvas])


def write_worst(path: Path, pages: Sequence[Picture]) -> None:
    """Write these pictures of pages to the one picture `path`, three beside each other.

    Raises:
        OSError: the file cannot be written.
    """
    rows = [_row(pages[start : start + _ACROSS]) for start in range(0, len(pages), _ACROSS)]
    width = max((row.shape[1] for row in rows), default=1)
    sheet = np.vstack([_wide(row, width) for row in rows] or [np.full((1, 1, 3), 255, np.uint8)])
    with replacing(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())


def _outline(
    canvas: Picture, lines: Sequence[Line], scale: float, colour: Colour, thickness: int
) -> None:
    for curves, closed in (
        ([line.polygon for line in lines], True),
        ([line.baseline for line in lines], False),
    ):
        scaled = [np.rint(np.array(curve) * scale).astype(np.int32) for curve in curves]
        cv2.polylines(canvas, scaled, closed, colour, thickness, cv2.LINE_AA)


def _write(canvas: Picture, text: str, place: tuple[int, int], colour: Colour, size: int) -> None:
    cv2.putText(canvas, text, place, colour, cv2.FontFace("sans"), size, 500)


def _row(pages: Sequence[Picture]) -> Picture:
    gap = np.full((pages[0].shape[0], _MARGIN, 3), 255, np.uint8)
    return np.hstack([part for page in pages for part in (page, gap)])


def _wide(row: Picture, width: int) -> Picture:
    missing = width - row.shape[1]
    return np.pad(row, ((0, 0), (0, missing), (0, 0)), constant_values=255)
