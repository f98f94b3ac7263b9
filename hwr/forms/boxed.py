"""What stands alone in a printed box: a figure or a cross, too short for the line finder."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.forms.frame import HEIGHT, frame_view
from hwr.forms.print import SHORTEST_SIDE, Rect, find_boxes
from hwr.forms.sheet import FlatSheet
from hwr.layout import Line
from hwr.layout.homography import mapped, translation
from hwr.layout.ink import Grey, Ink
from hwr.layout.line import whole_pixels
from hwr.layout.rules import whole_level_rules

#: Greatest width of the view of a box in pixels.
WIDEST = 1600
#: Share of the box's height, on all sides, in which its frame may be.
FRAME = 0.08
#: Levels of 255 by which ink is darker than paper.
INK_LEVEL = 45
#: Shares of the box's height that the largest mark and the others extend to at least: else it is
#: dirt.
LARGEST, SMALLEST = 0.3, 0.15
#: The inner one of a double frame leaves more than this share of the box's width and height.
INNER = 0.6
#: Level runs so many times longer than the box is high are rules to write on, not strokes.
LONGEST_STROKE = 1.5
#: Room around the ink, as shares of its height: beside and above it, and below the baseline.
AROUND, BELOW = 0.25, 0.35

Floats = NDArray[np.float64]


def lone_line(image: Grey, frame: Floats) -> Line | None:
    """What is written in a box of a grey page (H, W) as one line; None where it is empty.

    `frame` is its inside in page pixels, (4, 2), clockwise from the top left.
    """
    edge = round(FRAME * HEIGHT)
    view = _in_inner_frame(frame_view(image, frame, widest=WIDEST, beside=-edge, above=-edge))
    ink = _ink(view.dark)
    if ink is None:
        return None
    left, top, right, bottom = _with_room(ink, view.dark.shape)
    box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    baseline = np.array([(left, ink[3]), (right, ink[3])])
    polygon, baseline = (mapped(places, view.to_page) for places in (box, baseline))
    return Line(order=0, polygon=whole_pixels(polygon), baseline=whole_pixels(baseline))


def _in_inner_frame(view: FlatSheet) -> FlatSheet:
    """What a double frame goes around; the same where it is single."""
    boxes = find_boxes(view)
    inner = next((box for box in boxes if _is_inner(box, view.dark.shape)), None)
    if inner is None:
        return view
    left, top, right, bottom = map(int, inner)
    to_page = view.to_page @ translation(left, top)
    return FlatSheet(dark=view.dark[top:bottom, left:right], to_page=to_page)


def _is_inner(box: Rect, shape: tuple[int, ...]) -> bool:
    """Whether a box is no loop of a figure."""
    height, width = shape
    if min(height, width) < SHORTEST_SIDE:
        return False
    left, top, right, bottom = box
    around = min(left, top, width - right, height - bottom) > 0
    return around and right - left > INNER * width and bottom - top > INNER * height


def _ink(dark: Grey) -> Rect | None:
    """The box around what is written, in pixels of the view."""
    ink = _without_rules((cv2.blur(dark, (3, 3)) > INK_LEVEL).astype(np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    marks = [mark for mark in stats[1:count, :4].tolist() if _is_mark(mark, dark.shape)]
    if not marks or max(_extent(mark) for mark in marks) < LARGEST * HEIGHT:
        return None
    left, top, wide, high = np.array(marks, np.float64).T
    return left.min(), top.min(), float((left + wide).max()), float((top + high).max())


def _without_rules(ink: Ink) -> Ink:
    length = round(LONGEST_STROKE * HEIGHT)
    if ink.shape[1] < length:
        return ink
    return ink & (1 - whole_level_rules(ink, length))


def _with_room(ink: Rect, shape: tuple[int, ...]) -> Rect:
    left, top, right, bottom = ink
    around, below = AROUND * (bottom - top), BELOW * (bottom - top)
    return (
        max(left - around, 0),
        max(top - around, 0),
        min(right + around, shape[1]),
        min(bottom + below, shape[0]),
    )


def _is_mark(mark: Sequence[int], shape: tuple[int, ...]) -> bool:
    """Whether a piece of ink is neither dirt nor what is left of the frame."""
    left, top, wide, high = mark
    edge = FRAME * HEIGHT
    along_frame = (
        left + wide < edge or top + high < edge or left > shape[1] - edge or top > shape[0] - edge
    )
    return _extent(mark) >= SMALLEST * HEIGHT and not along_frame


def _extent(mark: Sequence[int]) -> int:
    return max(mark[2], mark[3])
