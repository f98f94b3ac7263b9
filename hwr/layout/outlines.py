"""Outlines of lines: their ink, down to where the next line's begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.maps import ACROSS, Map
from hwr.layout.paper import Paper
from hwr.layout.shapes import spread
from hwr.layout.sides import Sides, fitted
from hwr.layout.tracing import Trace

#: A line owns ink up to so many times its usual reach above and below the baseline.
FARTHEST = 1.35
#: The outline is at least this share of the usual reach away from the baseline, up and down.
LEAST_REACH = (1.0, 0.9)
#: The outline keeps this distance from the ink, in heights of the line, and rows at least.
MARGIN, LEAST_MARGIN = 0.1, 0.7
#: Two lines are parted at the lightest of so many places between them.
PLACES = 12
#: Blur along and across the lines in which they are parted, in columns and rows of the maps.
PARTED = (3.0, 1.0)
#: Heights and baselines are smoothed over so many columns of the maps.
HEIGHT_COLUMNS, BASELINE_COLUMNS = 15, 5

Curve = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One line in pixels of the view, shapes (n, 2)."""

    polygon: Curve
    baseline: Curve
    #: Columns of the upright rules to its left and right.
    column: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Lines in all columns of the maps; NaN where a line is not; shapes (lines, columns)."""

    y: Curve
    up: Curve
    down: Curve


def shapes_of(traces: Sequence[Trace], paper: Paper) -> list[Shape]:
    """Outline and baseline of each trace that has ink."""
    lines = fitted(traces, paper)
    if not lines:
        return []
    table = table_of([trace for trace, _ in lines], paper.ink.shape[1])
    top, bottom = zones(table, paper.ink)
    first, last = reach(top, bottom, paper.written)
    least_up, least_down = LEAST_REACH
    first = np.fmax(np.fmin(first, table.y - least_up * table.up), top)
    last = np.fmin(np.fmax(last, table.y + least_down * table.down), bottom)
    return [
        shape_of(table, index, first[index], last[index], sides)
        for index, (_, sides) in enumerate(lines)
    ]


def table_of(traces: Sequence[Trace], width: int) -> Table:
    """The traces, smoothed."""
    columns = np.arange(width)
    y, up, down = (np.full((len(traces), width), np.nan) for _ in range(3))
    for index, trace in enumerate(traces):
        own = (columns >= trace.x[0]) & (columns <= trace.x[-1])
        for out, values, window in (
            (y, trace.y, BASELINE_COLUMNS),
            (up, trace.up, HEIGHT_COLUMNS),
            (down, trace.down, HEIGHT_COLUMNS),
        ):
            out[index, own] = np.interp(columns[own], trace.x, smooth(values, window))
    return Table(y=y, up=up, down=down)


def smooth(values: Curve, window: int) -> Curve:
    """Moving mean, shape as ``values``."""
    window = min(window, len(values))
    padded = np.pad(values, (window // 2, window - 1 - window // 2), mode="edge")
    return np.convolve(padded, np.ones(window) / window, mode="valid")


def zones(table: Table, ink: Map) -> tuple[Curve, Curve]:
    """First and last row that each line may own in each column."""
    top = table.y - FARTHEST * table.up
    bottom = table.y + FARTHEST * table.down
    order = np.argsort(table.y, axis=0)  # NaN last
    above, below = order[:-1], order[1:]
    columns = np.broadcast_to(np.arange(ink.shape[1]), above.shape)
    soft = np.asarray(cv2.GaussianBlur(ink, (0, 0), PARTED[0], sigmaY=PARTED[1]), np.float32)
    border = borders(table, above, below, soft)
    bottom[above, columns] = np.fmin(bottom[above, columns], border)
    top[below, columns] = np.fmax(top[below, columns], border)
    return top, bottom


def borders(table: Table, above: NDArray[np.intp], below: NDArray[np.intp], ink: Map) -> Curve:
    """Row of the lightest place between each line and the next; NaN where there is none."""
    columns = np.broadcast_to(np.arange(ink.shape[1]), above.shape)
    start = table.y[above, columns]
    stop = table.y[below, columns] - 0.4 * table.up[below, columns]
    stop = np.maximum(stop, start + 1)
    rows = start + (stop - start) * np.linspace(0, 1, PLACES)[:, None, None]  # (places, ...)
    known = np.nan_to_num(rows).astype(np.intp).clip(0, ink.shape[0] - 1)
    lightest = ink[known, columns].argmin(axis=0)
    return np.asarray(np.take_along_axis(rows, lightest[None], axis=0)[0], np.float64)


def reach(top: Curve, bottom: Curve, ink: NDArray[np.bool_]) -> tuple[Curve, Curve]:
    """First and last row of ink in the zone of each line in each column; NaN where none is."""
    height, width = ink.shape
    rows = np.arange(height)[:, None]
    following = np.minimum.accumulate(np.where(ink, rows, height)[::-1], axis=0)[::-1]
    preceding = np.maximum.accumulate(np.where(ink, rows, -1), axis=0)
    columns = np.broadcast_to(np.arange(width), top.shape)
    known = ~np.isnan(top)
    low = np.where(known, np.ceil(top), 0).clip(0, height - 1).astype(np.intp)
    high = np.where(known, np.floor(bottom), 0).clip(0, height - 1).astype(np.intp)
    first, last = following[low, columns], preceding[high, columns]
    empty = ~known | (first > high)
    return np.where(empty, np.nan, first), np.where(empty, np.nan, last + 1)


def shape_of(table: Table, index: int, first: Curve, last: Curve, sides: Sides) -> Shape:
    own = np.flatnonzero(~np.isnan(table.y[index]))
    height = float(np.median(table.up[index, own] + table.down[index, own]))
    margin = max(MARGIN * height, LEAST_MARGIN)
    x = (own + 0.5) * ACROSS
    x[0], x[-1] = sides.left, sides.right
    top, bottom = spread(first[own], np.minimum) - margin, spread(last[own], np.maximum) + margin
    upper, lower = np.stack([x, top], axis=1), np.stack([x, bottom], axis=1)
    baseline = np.stack([x, table.y[index, own] + 0.5], axis=1)
    return Shape(
        polygon=simplified(np.concatenate([upper, lower[::-1]]), closed=True),
        baseline=simplified(baseline, closed=False),
        column=sides.column,
    )


def simplified(curve: Curve, *, closed: bool) -> Curve:
    """The curve without corners that hardly matter, shape (n, 2)."""
    points = cv2.approxPolyDP(curve.astype(np.float32)[:, None], 0.5, closed)
    return np.asarray(points[:, 0], np.float64)
