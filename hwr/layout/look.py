"""The network's look at a page: maps and baselines at the scale at which it sees best."""

from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np

from hwr.errors import TooManyLines
from hwr.layout.ink import Grey
from hwr.layout.line import MOST_LINES, Outline
from hwr.layout.maps import NOMINAL_HEIGHT, NOMINAL_SIDE, Map, maps_of, network_ink
from hwr.layout.outlines import shapes_of
from hwr.layout.tracing import Trace, trace_lines

#: The network looks again where lines are smaller or larger than it is used to by these factors.
USUAL = (0.8, 1.25)
#: A page is first seen at this scale at most: a small one may be a field cut from a large scan.
FIRST_SCALE = 0.4
#: Where nothing is seen, the page is looked at again so many times larger.
UNSEEN = 1.6
#: A page is enlarged so many times at most.
MOST_ENLARGED = 2.0
#: Views have no more pixels than this, about five pages' worth: a bound on time and memory.
MOST_PIXELS = 2_500_000


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen."""

    #: Pixels of the view to a pixel of the page.
    scale: float
    #: Evenly lit ink of the view, 0 to 255, as wide as the network's maps, (H, W).
    ink: Map
    #: Baselines in columns and rows of that.
    traces: list[Trace]


def network_outlines(page: Grey) -> list[Outline]:
    """Outlines of the lines of a grey page, in no order. Raises ``TooManyLines``."""
    seen = look_at(page)
    if len(seen.traces) > MOST_LINES:
        raise TooManyLines(
            f"The page has {len(seen.traces)} lines, the limit is {MOST_LINES}. Split it."
        )
    return [
        Outline(polygon=shape.polygon / seen.scale, baseline=shape.baseline / seen.scale)
        for shape in shapes_of(seen.traces, seen.ink)
    ]


def look_at(page: Grey) -> Look:
    """A look at a grey page, and a second one where its lines are unusually small or large.

    Raises ``TooManyLines``.
    """
    first = look(page, min(NOMINAL_SIDE / min(page.shape), FIRST_SCALE))
    better = bounded(page, first.scale * correction(first.traces))
    least, most = USUAL
    if least < better / first.scale < most or not first.ink.any():
        return first
    return look(page, better)


def correction(traces: list[Trace]) -> float:
    """How many times larger a page should be seen; much larger where nothing was seen."""
    return NOMINAL_HEIGHT / usual_height(traces) if traces else UNSEEN


def look(page: Grey, scale: float) -> Look:
    """One look at this scale, or a smaller one if the view would be too large."""
    scale = bounded(page, scale)
    height, width = (max(round(side * scale), 1) for side in page.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    view = np.asarray(cv2.resize(page, (width, height), interpolation=method), np.uint8)
    ink = network_ink(view)
    return Look(
        scale=scale,
        ink=np.asarray(ink[0].max(axis=0), np.float32),
        traces=trace_lines(maps_of(ink)),
    )


def bounded(page: Grey, scale: float) -> float:
    """The scale, or the largest one whose view is not too large."""
    return min(scale, MOST_ENLARGED, sqrt(MOST_PIXELS / page.size))


def usual_height(traces: list[Trace]) -> float:
    """Height of a line at the middle of all lines laid end to end, in rows."""
    heights = np.array([trace.height for trace in traces])
    order = heights.argsort()
    reach = np.cumsum([len(traces[index].x) for index in order])
    return float(heights[order][np.searchsorted(reach, reach[-1] / 2)])
