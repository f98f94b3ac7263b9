"""The grey picture of one line, as the recogniser wants it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Grey
from hwr.layout.line import Line
from hwr.layout.upright import Upright, quarter_turned

#: The outline is widened sideways by this share of the line's height.
WIDEN_ACROSS = 0.12
#: The outline is widened up and down by this share of the line's height.
WIDEN_UP = 0.01
#: Outside the page the last row or column of pixels goes on.
BORDER = cv2.BORDER_REPLICATE


def crop_line(image: Grey, line: Line) -> Grey:
    """The line cut from a grey page and straightened along its baseline, shape (h, w).

    Heights keep their scale; ascenders and descenders stay; what lies outside the line's outline
    is replaced by the grey of its paper. A line that runs up or down the page is turned.
    """
    if turns := quarters(line):
        image, line = quarter_turned_line(image, line, turns)
    outline = np.array(line.polygon, float)
    left, right = int(outline[:, 0].min()), int(outline[:, 0].max())
    drop = drift(line, np.arange(left, right + 1))
    straight = outline.copy()
    straight[:, 1] -= np.interp(outline[:, 0], np.arange(left, right + 1), drop)
    height = float(np.ptp(straight[:, 1]))
    across, up = round(WIDEN_ACROSS * height) + 1, round(WIDEN_UP * height) + 1
    origin = np.array([left - across, np.floor(straight[:, 1].min()) - up])
    size = (right - left + 1 + 2 * across, int(np.ceil(height)) + 1 + 2 * up)
    pixels = straightened(image, origin, size, np.pad(drop, across, mode="edge"))
    inside = mask(straight - origin, size, across, up)
    paper = np.full_like(pixels, paper_grey(pixels, inside))
    return np.asarray(cv2.copyTo(pixels, inside, paper), np.uint8)


def quarters(line: Line) -> int:
    """Clockwise quarter turns after which a line runs to the right: 1 if it runs up, 3 if down."""
    across, down = np.subtract(line.baseline[-1], line.baseline[0])
    return 0 if abs(down) <= abs(across) else 1 if down < 0 else 3


def quarter_turned_line(image: Grey, line: Line, turns: int) -> tuple[Grey, Line]:
    """The grey page (H, W) turned clockwise by so many quarters, and a line of it there."""
    turned, back = quarter_turned(image, turns)
    view = Upright(image=turned, page_shape=(image.shape[0], image.shape[1]), to_page=back)
    return turned, view.in_view(line)


def drift(line: Line, x: NDArray[np.int_]) -> NDArray[np.float64]:
    """How much lower than its mean the baseline runs at each column, in pixels."""
    points = np.array(line.baseline, float)
    y = np.interp(x, points[:, 0], points[:, 1])
    return np.asarray(y - y.mean(), np.float64)


def straightened(
    image: Grey, origin: NDArray[np.float64], size: tuple[int, int], drop: NDArray[np.float64]
) -> Grey:
    """Pixels of a box whose columns are moved up by ``drop``; ``size`` is (width, height)."""
    width, height = size
    x = np.broadcast_to(np.arange(width, dtype=np.float32) + np.float32(origin[0]), (height, width))
    rows = np.arange(height, dtype=np.float32)[:, None] + np.float32(origin[1])
    y = rows + drop.astype(np.float32)[None, :]
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=BORDER), np.uint8)


def mask(outline: NDArray[np.float64], size: tuple[int, int], across: int, up: int) -> Grey:
    """255 where the widened outline is, else 0, shape (h, w)."""
    filled = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(filled, [np.rint(outline).astype(np.int32)], 255)
    return np.asarray(cv2.dilate(filled, np.ones((2 * up + 1, 2 * across + 1), np.uint8)), np.uint8)


def paper_grey(pixels: Grey, inside: Grey) -> int:
    """The usual grey inside, its median: most of a line is paper."""
    below = np.cumsum(cv2.calcHist([pixels], [0], inside, [256], [0, 256]), dtype=np.int64)
    return int(np.searchsorted(below, below[-1] / 2))
