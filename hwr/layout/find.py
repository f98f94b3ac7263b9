"""From a page to its lines."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Grey
from hwr.layout.line import LEAST_SIDE, Line, Outline, Point, whole_pixels
from hwr.layout.order import Box, reading_order
from hwr.layout.small import outlines_of

#: Ink is darker than the mean of a square of this side around it, in pixels and grey levels: a line
#: on black or on a shadow without any is none.
INK_WINDOW, LEAST_DARKER = 31, 8
#: A hole punched in the sheet is no wider than so many of its heights, and this share of what is
#: dark there is thicker than so many heights of the line, which no letter is.
HOLE_WIDE, HOLE_SHARE, HOLE_THICK = 2.0, 0.8, 0.45
#: Where strokes that are darker by so many grey levels cover more than this share of what is thick,
#: it is a tinted field with writing.
STROKE_DARKER, STROKE_SHARE = 25, 0.01
#: Share of a line's height that is above its baseline.
ABOVE = 0.75


def find_lines(image: Grey) -> tuple[Line, ...]:
    """Lines of a grey page of shape (H, W), in reading order; none on a blank page.

    Raises ``TooManyLines`` above ``MOST_LINES``.
    """
    if min(image.shape) < LEAST_SIDE:
        return ()
    outlines = [outline for outline in outlines_of(image) if is_written(image, outline)]
    order = reading_order(
        [place_of(outline) for outline in outlines],
        [outline.head for outline in outlines],
        [outline.cell for outline in outlines],
    )
    return tuple(
        Line(
            order=place,
            polygon=on_page(outlines[index].polygon, image.shape),
            baseline=on_page(outlines[index].baseline, image.shape),
        )
        for place, index in enumerate(order)
    )


def is_written(image: Grey, outline: Outline) -> bool:
    """Whether there is ink in the box around the outline, and not a hole."""
    left, top, right, bottom = (max(round(side), 0) for side in outline.box)
    box = image[top : bottom + 1, left : right + 1]
    return bool(box.size) and has_ink(box) and not is_hole(box, outline.height)


def has_ink(box: Grey) -> bool:
    """Whether anything in a box is darker than what lies around it."""
    darker = cv2.subtract(cv2.blur(box, (INK_WINDOW, INK_WINDOW)), box)
    return bool(darker.max() >= LEAST_DARKER)


def is_hole(box: Grey, height: float) -> bool:
    """Whether the box around a line of that height holds one dark spot and no strokes."""
    if box.shape[1] > HOLE_WIDE * box.shape[0]:
        return False
    _, dark = cv2.threshold(box, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    side = max(round(HOLE_THICK * height), 3)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    thick = cv2.morphologyEx(dark, cv2.MORPH_OPEN, disc)
    return int(thick.sum()) > HOLE_SHARE * int(dark.sum()) and not has_strokes(box, thick, disc)


def has_strokes(box: Grey, thick: NDArray[Any], disc: NDArray[Any]) -> bool:
    """Whether something is written on what is thick (1, else 0) and dark in a box."""
    calm = cv2.blur(box, (3, 3))  # grain is darker than what is around it, too
    strokes = cv2.morphologyEx(calm, cv2.MORPH_BLACKHAT, disc) >= STROKE_DARKER
    inside = cv2.erode(thick, np.ones((5, 5), np.uint8)) > 0
    return bool(np.count_nonzero(strokes & inside) > STROKE_SHARE * np.count_nonzero(inside))


def on_page(curve: NDArray[np.float64], size: Sequence[int]) -> tuple[Point, ...]:
    """Whole pixels inside a page of ``size`` (H, W)."""
    return whole_pixels(np.clip(curve, 0, (size[1] - 1, size[0] - 1)))


def place_of(outline: Outline) -> Box:
    """The box in which a line stands, without what reaches across the rules of its column.

    Its usual height counts, not how far single letters reach.
    """
    left, _, right, _ = outline.box
    rows = outline.baseline[:, 1]
    top = float(rows.min()) - ABOVE * outline.height
    bottom = float(rows.max()) + (1 - ABOVE) * outline.height
    low, high = outline.column
    return max(left, low), top, min(right, high), bottom
