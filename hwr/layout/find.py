"""From a page to its lines."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.holes import is_hole
from hwr.layout.ink import Grey
from hwr.layout.line import LEAST_SIDE, Box, Line, Outline, Point, whole_pixels
from hwr.layout.order import reading_order
from hwr.layout.small_print import all_outlines

#: Ink is darker than the mean of a square of this side around it, in pixels and grey levels: a line
#: on black or on a shadow without any is none.
INK_WINDOW, LEAST_DARKER = 31, 8
#: Share of a line's height that is above its baseline.
ABOVE = 0.75


def find_lines(image: Grey) -> tuple[Line, ...]:
    """Lines of a grey page of shape (H, W), in reading order; none on a blank page.

    Raises ``TooManyLines`` above ``MOST_LINES``.
    """
    if min(image.shape) < LEAST_SIDE:
        return ()
    outlines = [outline for outline in all_outlines(image) if is_written(image, outline)]
    order = reading_order(
        [reading_box(outline) for outline in outlines],
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


def on_page(curve: NDArray[np.float64], size: Sequence[int]) -> tuple[Point, ...]:
    """Whole pixels inside a page of ``size`` (H, W)."""
    return whole_pixels(np.clip(curve, 0, (size[1] - 1, size[0] - 1)))


def reading_box(outline: Outline) -> Box:
    """The box of a line in reading order, without what reaches across the rules of its column.

    Its usual height counts, not how far single letters reach.
    """
    left, _, right, _ = outline.box
    rows = outline.baseline[:, 1]
    top = float(rows.min()) - ABOVE * outline.height
    bottom = float(rows.max()) + (1 - ABOVE) * outline.height
    low, high = outline.column
    return max(left, low), top, min(right, high), bottom
