"""The view of a page in which the network sees its lines best, and the lines seen in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import TooManyLines
from hwr.layout.extents import cut_at_rules
from hwr.layout.folds import without_folds
from hwr.layout.ink import Grey
from hwr.layout.line import MOST_LINES, Outline
from hwr.layout.maps import ACROSS, NOMINAL_HEIGHT, NOMINAL_SIDE, maps_of, network_ink
from hwr.layout.outlines import shapes_of
from hwr.layout.paper import paper_of
from hwr.layout.tables import in_tables
from hwr.layout.tracing import Trace, trace_lines

#: The network looks again where lines are smaller or larger than it is used to by these factors.
USUAL = (0.8, 1.25)
#: The network looks again, at a deskewed page, where lines slope more than this.
STEEPEST = 0.03
#: Lines of fewer columns of the maps have no slope to speak of.
SLOPING = 12
#: A page is first seen at this scale at most: a small one may be a field cut from a large scan.
FIRST_SCALE = 0.4
#: Where nothing is seen, the page is looked at again so many times larger.
UNSEEN = 1.6
#: A page is enlarged so many times at most.
MOST_ENLARGED = 2.0
#: Views have no more pixels than this, about five pages' worth: a bound on time and memory.
MOST_PIXELS = 2_500_000


@dataclass(frozen=True, kw_only=True)
class View:
    """A page as the network saw it."""

    #: Pixels of the view to a pixel of the page.
    scale: float
    #: How much lower a row of the view runs on the page for each column to the right.
    slope: float
    #: Rows of the view above the page's upper left corner.
    above: int
    #: Evenly lit ink of the view, 0 to 255, (H, W).
    ink: NDArray[np.uint8]
    #: Baselines in columns and rows of the network's maps, ACROSS times narrower.
    traces: list[Trace]

    def on_page(self, curve: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 2) of the view in pixels of the page."""
        x, y = curve.T
        return np.stack([x, y - self.above + self.slope * x], axis=1) / self.scale


def network_outlines(page: Grey) -> list[Outline]:
    """Outlines of the lines of a grey page, in no order. Raises ``TooManyLines``."""
    seen = best_view(page)
    refuse_many(len(seen.traces))
    if not seen.traces:
        return []
    paper = without_folds(paper_of(seen.ink, seen.traces), seen.traces)
    traces = cut_at_rules(seen.traces, paper)
    refuse_many(len(traces))
    shapes = shapes_of(traces, paper)
    return [
        Outline(
            polygon=seen.on_page(shape.polygon),
            baseline=seen.on_page(shape.baseline),
            column=(shape.column[0] / seen.scale, shape.column[1] / seen.scale),
            head=head,
            cell=cell,
            height=shape.height / seen.scale,
        )
        for shape, (head, cell) in zip(shapes, in_tables(shapes, paper.level), strict=True)
    ]


def refuse_many(lines: int) -> None:
    """Raise ``TooManyLines`` above ``MOST_LINES``."""
    if lines > MOST_LINES:
        raise TooManyLines(f"The page has {lines} lines, the limit is {MOST_LINES}. Split it.")


def best_view(page: Grey) -> View:
    """The view of a grey page; a second one where its lines are small, large or sloping.

    Raises ``TooManyLines``.
    """
    first = view_at(page, min(NOMINAL_SIDE / min(page.shape), FIRST_SCALE))
    better = bounded(page, first.scale * correction(first.traces))
    slope = usual_slope(first.traces)
    least, most = USUAL
    fits = least < better / first.scale < most and abs(slope) < STEEPEST
    return first if fits or not first.ink.any() else view_at(page, better, slope)


def correction(traces: list[Trace]) -> float:
    """How many times larger a page should be seen; much larger where nothing was seen."""
    usual = weighted_median([trace.height for trace in traces], [len(trace.x) for trace in traces])
    return NOMINAL_HEIGHT / usual if traces else UNSEEN


def view_at(page: Grey, scale: float, slope: float = 0.0) -> View:
    """A view with lines of this slope made level, smaller if it would be too large."""
    scale = bounded(page, scale)
    height, width = (max(round(side * scale), 1) for side in page.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    view = np.asarray(cv2.resize(page, (width, height), interpolation=method), np.uint8)
    view, above = deskewed(view, slope)
    ink = network_ink(view)
    return View(
        scale=scale,
        slope=slope,
        above=above,
        ink=ink[0].transpose(1, 2, 0).reshape(ink.shape[2], -1),
        traces=trace_lines(maps_of(ink)),
    )


def deskewed(view: Grey, slope: float) -> tuple[Grey, int]:
    """The view with each column moved up by ``slope`` times its x, and rows added at its top."""
    if slope == 0:
        return view, 0
    height, width = view.shape
    drop = ceil(abs(slope) * width)
    above = drop if slope > 0 else 0
    matrix = np.array([[1, 0, 0], [-slope, 1, above]], np.float64)
    border = cv2.BORDER_REPLICATE
    moved = cv2.warpAffine(view, matrix, (width, height + drop), borderMode=border)
    return np.asarray(moved, np.uint8), above


def bounded(page: Grey, scale: float) -> float:
    """The scale, or the largest one whose view is not too large."""
    return min(scale, MOST_ENLARGED, sqrt(MOST_PIXELS / page.size))


def usual_slope(traces: list[Trace]) -> float:
    """Slope of a line at the middle of all longer lines laid end to end, rows a pixel."""
    long = [trace for trace in traces if len(trace.x) >= SLOPING]
    slopes = [float(np.polyfit(trace.x * ACROSS, trace.y, 1)[0]) for trace in long]
    return weighted_median(slopes, [len(trace.x) for trace in long])


def weighted_median(values: Sequence[float], weights: Sequence[int]) -> float:
    """The value that half of the weight lies below; 0 of none."""
    if not values:
        return 0.0
    order = np.argsort(values)
    reach = np.cumsum(np.array(weights)[order])
    return values[int(order[np.searchsorted(reach, reach[-1] / 2)])]
