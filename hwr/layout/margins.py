"""Lines up or down a margin: what stands beside the text, turned by a quarter.

Looked at as it lies, such a line is a stack of single letters, or nothing. A margin with strokes in
it is looked at turned each way, and what is seen there is taken where the network finds it much
likelier than what it sees level: columns of figures are stacks, too.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import TooManyLines
from hwr.layout.find import find_lines
from hwr.layout.homography import translation
from hwr.layout.ink import Grey
from hwr.layout.line import MOST_LINES, BoxArray, Line
from hwr.layout.upright import Upright, quarter_turned
from hwr.layout.view import best_view, weighted_median

#: A line no wider than so many heights of a usual line may be a piece of a turned one.
NARROW = 4.0
#: A margin is looked at where it is so many heights wide and strokes cross so many heights of its
#: rows, darker than a square of this side around them, in pixels and grey levels.
LEAST_WIDE, LEAST_HIGH = 1.0, 5.0
STROKE_WINDOW, STROKE_DARKER = 31, 25
#: Turned lines are at least so likely on the whole, and so many times as likely as
#: what is seen level: 1.6 times and more in drawn margins, 1.4 at most in columns of figures.
LEAST_LIKELY, LIKELIER = 0.4, 1.5
#: A turned line is longer than so many of its heights: others are ends of lines of the text.
LEAST_LONG = 2.0
#: Clockwise quarters that bring what runs up and what runs down a page upright.
UP, DOWN = 1, 3


def with_margins(page: Grey, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of a grey page (H, W) in reading order; those that stand turned come last.

    ``lines`` are those found on it as it lies, of which the pieces of turned ones are left out. Of
    a page that would have too many lines only these come back.
    """
    boxes = np.array([line.box for line in lines], np.float64).reshape(-1, 4)
    turned = [
        line for margin in margins_of(boxes, lines, page) for line in turned_lines(page, margin)
    ]
    if not turned:
        return tuple(lines)
    is_piece = np.any([inside(boxes, np.array(line.box)) for line in turned], axis=0)
    kept = [line for line, is_gone in zip(lines, is_piece, strict=True) if not is_gone]
    every = [*kept, *turned] if len(kept) + len(turned) <= MOST_LINES else lines
    return tuple(replace(line, order=order) for order, line in enumerate(every))


def margins_of(boxes: BoxArray, lines: Sequence[Line], page: Grey) -> list[BoxArray]:
    """What lies left and right of all lines that are no pieces, where it may hold a line."""
    height, width = page.shape
    usual = usual_height(lines)
    text = boxes[boxes[:, 2] - boxes[:, 0] > NARROW * usual]
    if not len(text):
        return []
    sides = (0, 0, text[:, 0].min(), height), (text[:, 2].max(), 0, width, height)
    margins = [np.array(side, np.float64) for side in sides]
    return [
        margin
        for margin in margins
        if margin[2] - margin[0] >= LEAST_WIDE * usual
        and written_rows(pixels_of(page, margin)) >= LEAST_HIGH * usual
    ]


def turned_lines(page: Grey, margin: BoxArray) -> list[Line]:
    """Lines that run up or down a margin, in pixels of the page; none where it holds none."""
    strip = pixels_of(page, margin)
    try:
        if not (turns := turns_of(strip)):
            return []
        turned, back = quarter_turned(strip, turns)
        shape = page.shape[0], page.shape[1]
        corner = translation(int(margin[0]), int(margin[1]))
        view = Upright(image=turned, page_shape=shape, to_page=corner @ back)
        found = find_lines(view.image)
    except TooManyLines:
        return []
    return [view.on_page(line) for line in found if is_long(line)]


def pixels_of(page: Grey, margin: BoxArray) -> Grey:
    """The pixels of a margin, shape (h, w)."""
    left, top, right, bottom = margin.astype(int).tolist()
    return np.ascontiguousarray(page[top:bottom, left:right])


def written_rows(margin: Grey) -> int:
    """How many rows of a margin hold strokes."""
    darker = cv2.subtract(cv2.blur(margin, (STROKE_WINDOW, STROKE_WINDOW)), margin)
    return int(np.count_nonzero(darker.max(axis=1) >= STROKE_DARKER))


def turns_of(strip: Grey) -> int:
    """Clockwise quarters that show the lines of a place upright, UP or DOWN; 0 of none."""
    level, _ = likelihood(strip)
    ways = [(*likelihood(np.ascontiguousarray(np.rot90(strip, -way))), way) for way in (UP, DOWN)]
    likely, _, way = max(ways, key=lambda seen: seen[1])
    return way if likely > max(LEAST_LIKELY, LIKELIER * level) else 0


def likelihood(view: Grey) -> tuple[float, float]:
    """Mean and sum of the likelihoods along the baselines of a view; 0 of none."""
    weights = np.concatenate([np.zeros(0), *(trace.weight for trace in best_view(view).traces)])
    return float(weights.sum()) / max(len(weights), 1), float(weights.sum())


def usual_height(lines: Sequence[Line]) -> float:
    """Height of a line at the middle of all lines laid end to end, in pixels; 0 of none."""
    widths = [max(line.box[2] - line.box[0], 1) for line in lines]
    areas = [cv2.contourArea(np.array(line.polygon, np.int32)) for line in lines]
    heights = [area / width for area, width in zip(areas, widths, strict=True)]
    return weighted_median(heights, widths)


def is_long(line: Line) -> bool:
    left, top, right, bottom = line.box
    return right - left > LEAST_LONG * (bottom - top)


def inside(boxes: BoxArray, place: BoxArray) -> NDArray[np.bool_]:
    """Which boxes (n, 4) have their middles in a place, shape (n,)."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    is_in = (place[:2] <= middles) & (middles <= place[2:])
    return np.asarray(is_in.all(axis=1), np.bool_)
