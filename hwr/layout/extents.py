"""Where lines begin and end, to the pixel: at their first and last ink, and at upright rules.

The network's maps are four times narrower than its view: a figure is two columns of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hwr.layout.maps import ACROSS
from hwr.layout.paper import Paper
from hwr.layout.runs import groups
from hwr.layout.tracing import Row, Trace

#: A line's letters stand from so many of its reach above the baseline to so many below.
BAND = (0.75, 0.15)
#: An upright rule goes through this share of that.
BARRED = 0.7
#: Writing goes on across a rule where ink is this close to it on both sides, in heights of a line.
CLOSE = 0.15
#: A line begins this much earlier or ends this much later than its trace at most, in its heights.
BEYOND = 0.6
#: Ink further apart than this is not joined to a line beyond its trace, in its heights.
GAP = 0.25
#: A line has at least this much ink, in its heights squared.
LEAST_AREA = 0.02
#: The outline keeps this distance from the first and last ink, in heights of the line.
MARGIN = 0.25
#: Lines are in one row where they miss each other by less than this share of their height.
SAME_ROW = 0.5


@dataclass(frozen=True, kw_only=True)
class Strip:
    """What lies where a line's letters stand; arrays of shape (n,)."""

    #: Columns of the view, one apart.
    columns: NDArray[np.intp]
    #: Its first row and the one after its last.
    top: NDArray[np.intp]
    bottom: NDArray[np.intp]
    #: How many pixels of ink there are.
    ink: NDArray[np.int32]
    #: Whether an upright rule goes through.
    barred: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Where a line begins and ends, in columns of the view."""

    #: Its first ink and what follows its last.
    first: float
    last: float
    #: The outline around that, which crosses no rule and leaves neighbours their room.
    left: float
    right: float
    #: The upright rules to the left and right of its middle.
    column: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Ends of the nearest lines to the left and right in a line's row, in columns of the view."""

    before: float
    after: float


def cut_at_rules(traces: Iterable[Trace], paper: Paper) -> list[Trace]:
    """The traces, cut at the upright rules that no writing goes across."""
    return [part for trace in traces for part in parts(trace, cuts(trace, paper))]


def cuts(trace: Trace, paper: Paper) -> list[float]:
    """Columns of the maps at which rules part a trace."""
    along = strip(trace, paper, *ends(trace))
    return [
        float(along.columns[run].mean()) / ACROSS
        for run in groups(np.flatnonzero(along.barred), 1)
        if not goes_across(along, run, trace.height)
    ]


def goes_across(along: Strip, rule: NDArray[np.intp], height: float) -> bool:
    """Whether there is writing close to both sides of a rule, given by its places in a strip."""
    close = max(round(CLOSE * height), 1)
    before = along.ink[max(rule[0] - close, 0) : rule[0]]
    after = along.ink[rule[-1] + 1 : rule[-1] + 1 + close]
    return bool(before.any() and after.any())


def parts(trace: Trace, places: Sequence[float]) -> list[Trace]:
    """The parts of a trace between these columns of the maps."""
    limits = pairwise([-np.inf, *places, np.inf])
    own = [(trace.x + 0.5 > low) & (trace.x + 0.5 <= high) for low, high in limits]
    return [
        Trace(
            x=trace.x[o], y=trace.y[o], up=trace.up[o], down=trace.down[o], weight=trace.weight[o]
        )
        for o in own
        if o.any()
    ]


def fitted_to_ink(traces: Sequence[Trace], paper: Paper) -> list[tuple[Trace, Extent]]:
    """The traces from their first ink to their last; those without any are left out."""
    neighbours = neighbours_of(traces)
    sides = [extent_of(trace, paper, near) for trace, near in zip(traces, neighbours, strict=True)]
    return [
        (drawn_out(trace, side.first, side.last), side)
        for trace, side in zip(traces, sides, strict=True)
        if side is not None
    ]


def extent_of(trace: Trace, paper: Paper, near: Neighbours) -> Extent | None:
    """Where the line's ink begins and ends; None where there is hardly any."""
    along = strip(trace, paper, 0, np.inf)
    start, end = ends(trace)
    low, high = between_rules(along, start, end)
    beyond, margin = BEYOND * trace.height, MARGIN * trace.height
    inner = max(low, start - beyond, near.before), min(high, end + beyond, near.after)
    found = inked(along, inner, (start, end), GAP * trace.height)
    if found is None or ink_between(along, found) < LEAST_AREA * trace.height**2:
        return None
    first, last = found
    low, high = max(low, (start + near.before) / 2), min(high, (end + near.after) / 2)
    return Extent(
        first=first,
        last=last,
        left=max(first - margin, min(low, first)),
        right=min(last + margin, max(high, last)),
        column=between_rules(along, (first + last) / 2, (first + last) / 2),
    )


def between_rules(along: Strip, start: float, end: float) -> tuple[float, float]:
    """What follows the last rule before one column, and the first rule after another."""
    barred = along.columns[along.barred].astype(float)
    low = barred[barred < start + 1].max(initial=-np.inf) + 1
    return float(low), float(barred[barred >= end - 1].min(initial=np.inf))


def inked(
    along: Strip, limits: tuple[float, float], own: tuple[float, float], gap: float
) -> tuple[float, float] | None:
    """First column of the ink that is joined to a line's own columns, and the one after its last.

    None where there is none within the limits.
    """
    within = (along.columns >= np.floor(limits[0])) & (along.columns < limits[1])
    inked_groups = groups(along.columns[within & (along.ink > 0)], gap + 1)
    joined = [group for group in inked_groups if group[-1] >= own[0] and group[0] < own[1]]
    return (float(joined[0][0]), float(joined[-1][-1] + 1)) if joined else None


def ink_between(along: Strip, part: tuple[float, float]) -> int:
    """How many pixels of ink there are in some columns."""
    first, last = (int(side) - int(along.columns[0]) for side in part)
    return int(along.ink[first:last].sum())


def neighbours_of(traces: Sequence[Trace]) -> list[Neighbours]:
    """How far each line may reach."""
    start, end = np.array([ends(trace) for trace in traces]).reshape(-1, 2).T
    first, last = (np.array([trace.y[place] for trace in traces]) for place in (0, -1))
    neighbours = []
    for index, trace in enumerate(traces):
        near = SAME_ROW * trace.height
        before = end[(end <= start[index] + ACROSS) & (abs(last - first[index]) < near)]
        after = start[(start >= end[index] - ACROSS) & (abs(first - last[index]) < near)]
        neighbours.append(
            Neighbours(before=before.max(initial=-np.inf), after=after.min(initial=np.inf))
        )
    return neighbours


def strip(trace: Trace, paper: Paper, first: float, last: float) -> Strip:
    """What lies along a trace, drawn out level, from one column of the view to another."""
    height, width = (side - 1 for side in paper.dark.shape)
    columns = np.arange(max(int(first), 0), ceil(min(last, width)))
    rows = np.interp(columns, (trace.x + 0.5) * ACROSS, trace.y).astype(np.intp)
    top = (rows - round(BAND[0] * trace.usual_up)).clip(0, height)
    bottom = (rows + round(BAND[1] * trace.usual_up) + 1).clip(0, height)
    band = top, bottom, columns
    return Strip(
        columns=columns,
        top=top,
        bottom=bottom,
        ink=counted(paper.dark, *band),
        barred=counted(paper.barred, *band) > BARRED * (bottom - top),
    )


def counted(
    sums: NDArray[np.int32],
    top: NDArray[np.intp],
    bottom: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> NDArray[np.int32]:
    """How many places are marked from row to row of each column; ``sums`` as in `Paper`."""
    upper = sums[top, columns + 1] - sums[top, columns]
    return np.asarray(sums[bottom, columns + 1] - sums[bottom, columns] - upper, np.int32)


def ends(trace: Trace) -> tuple[float, float]:
    """First column of the view that the trace runs over, and the one after its last."""
    return float(trace.x[0]) * ACROSS, float(trace.x[-1] + 1) * ACROSS


def drawn_out(trace: Trace, first: float, last: float) -> Trace:
    """The trace between two columns of the view, cut off or drawn out level."""
    start = int(first / ACROSS)
    x = np.arange(start, max(int(np.ceil(last / ACROSS)), start + 1), dtype=float)

    def along(values: Row) -> Row:
        return np.asarray(np.interp(x, trace.x, values), np.float64)

    return replace(
        trace,
        x=x,
        y=along(trace.y),
        up=along(trace.up),
        down=along(trace.down),
        weight=along(trace.weight),
    )
