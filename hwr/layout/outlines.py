"""Outlines of lines: along the seams above and below their letters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.extents import Extent, fitted_to_ink
from hwr.layout.maps import ACROSS, Map
from hwr.layout.paper import Paper
from hwr.layout.seams import Band, contrast, seams
from hwr.layout.tracing import Trace

#: A seam runs at most so many times the line's usual reach from the baseline,
FARTHEST = 3.0
#: ... and at most this share of the way to the next baseline there;
NEIGHBOUR = 0.95
#: above the baseline it runs at least this far from it, in heights of the line.
NEAREST = 0.3
#: What a row farther from the baseline costs a seam, as a share of the letters' mean contrast,
AWAY = 0.009
#: ... which is seen in so many rows, from the baseline up to the line's reach.
BODY_ROWS = 6
#: A seam strays from its mean by at most so many times its standard deviation: it leaves a long
#: ascender or descender to the neighbour that it crosses.
STRAY = 1.0
#: The outline keeps this distance from the seams, in heights of the line, and rows at least.
MARGIN, LEAST_MARGIN = 0.12, 0.7
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
    #: Usual height of the line in rows, ascenders to descenders.
    height: float


@dataclass(frozen=True, kw_only=True)
class AlignedTraces:
    """Lines in all columns of the maps; NaN where a line is not; shapes (lines, columns)."""

    y: Curve
    up: Curve
    down: Curve


@dataclass(frozen=True, kw_only=True)
class Course:
    """A line in columns of the view, one apart; arrays of shape (n,)."""

    columns: NDArray[np.intp]
    #: Row of the baseline.
    y: Curve
    #: How far the line usually reaches above it, and how far seams may run above and below it.
    up: Curve
    above: Curve
    below: Curve
    #: Usual height of the line in rows.
    height: float


def shapes_of(traces: Sequence[Trace], paper: Paper) -> list[Shape]:
    """Outline and baseline of each trace that has ink."""
    lines = fitted_to_ink(traces, paper)
    if not lines:
        return []
    courses = courses_of(lines, paper.ink.shape[1])
    energy = contrast(paper.ink)
    away = AWAY * usual_contrast(energy, courses)
    bands = [band for course in courses for band in bands_of(course)]
    rows = [steady(seam) for seam in seams(energy, bands, away)]
    return [
        shape_of(course, up, down, extent)
        for course, up, down, (_, extent) in zip(courses, rows[::2], rows[1::2], lines, strict=True)
    ]


def courses_of(lines: Sequence[tuple[Trace, Extent]], width: int) -> list[Course]:
    """The lines in a view of ``width`` columns, a multiple of ACROSS."""
    aligned = aligned_traces([trace for trace, _ in lines], width // ACROSS)
    above, below = seam_limits(aligned)
    return [
        course_of(aligned, index, above[index], below[index], extent, width)
        for index, (_, extent) in enumerate(lines)
    ]


def aligned_traces(traces: Sequence[Trace], width: int) -> AlignedTraces:
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
    return AlignedTraces(y=y, up=up, down=down)


def smooth(values: Curve, window: int) -> Curve:
    """Moving mean, shape as ``values``."""
    window = min(window, len(values))
    padded = np.pad(values, (window // 2, window - 1 - window // 2), mode="edge")
    return np.convolve(padded, np.ones(window) / window, mode="valid")


def seam_limits(aligned: AlignedTraces) -> tuple[Curve, Curve]:
    """How many rows above and below its baseline a line's seams may run, (lines, columns)."""
    above, below = FARTHEST * aligned.up, FARTHEST * aligned.down
    order = np.argsort(aligned.y, axis=0)  # NaN last
    upper, lower = order[:-1], order[1:]
    columns = np.broadcast_to(np.arange(aligned.y.shape[1]), upper.shape)
    apart = NEIGHBOUR * (aligned.y[lower, columns] - aligned.y[upper, columns])
    below[upper, columns] = np.fmin(below[upper, columns], apart)
    above[lower, columns] = np.fmin(above[lower, columns], apart)
    return above, below


def course_of(
    aligned: AlignedTraces, index: int, above: Curve, below: Curve, extent: Extent, width: int
) -> Course:
    own = np.flatnonzero(~np.isnan(aligned.y[index]))
    left = min(max(round(extent.left), 0), width - 2)
    right = min(max(round(extent.right), left + 1), width - 1)
    columns = np.arange(left, right + 1)
    up, down = aligned.up[index, own], aligned.down[index, own]
    y, usual_up, above, below = (
        np.interp(columns, (own + 0.5) * ACROSS - 0.5, values)
        for values in (aligned.y[index, own], up, above[own], below[own])
    )
    height = float(np.median(up + down))
    return Course(columns=columns, y=y, up=usual_up, above=above, below=below, height=height)


def bands_of(course: Course) -> tuple[Band, Band]:
    """Where the seams above and below a line may run."""
    above = Band(
        first=int(course.columns[0]),
        y=course.y,
        way=-1,
        nearest=NEAREST * course.height,
        farthest=course.above,
    )
    return above, replace(above, way=1, nearest=0.0, farthest=course.below)


def usual_contrast(energy: Map, courses: Sequence[Course]) -> float:
    """Mean contrast where the letters of the lines are."""
    columns, y, up = (
        np.concatenate([getattr(course, name) for course in courses])
        for name in ("columns", "y", "up")
    )
    rows = np.rint(y - np.linspace(0, 1, BODY_ROWS)[:, None] * up).astype(np.intp)
    return float(energy[rows.clip(0, len(energy) - 1), columns].mean())


def steady(seam: Curve) -> Curve:
    """A seam that strays less from its mean, shape (n,)."""
    mean, most = seam.mean(), STRAY * seam.std()
    return seam.clip(mean - most, mean + most)


def shape_of(course: Course, up: Curve, down: Curve, extent: Extent) -> Shape:
    """A line whose seams are so many rows above and below its baseline."""
    margin = max(MARGIN * course.height, LEAST_MARGIN)
    x, middle = course.columns, course.y + 0.5
    upper = np.stack([x, middle - up - margin], axis=1)
    lower = np.stack([x, middle + down + margin], axis=1)
    return Shape(
        polygon=simplified(np.concatenate([upper, lower[::-1]]), closed=True),
        baseline=simplified(np.stack([x, middle], axis=1), closed=False),
        column=extent.column,
        height=course.height,
    )


def simplified(curve: Curve, *, closed: bool) -> Curve:
    """The curve without corners that hardly matter, shape (n, 2)."""
    points = cv2.approxPolyDP(curve.astype(np.float32)[:, None], 0.5, closed)
    return np.asarray(points[:, 0], np.float64)
