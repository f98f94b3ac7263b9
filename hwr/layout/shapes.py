"""Outlines and baselines of lines, from the ink that belongs to them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.grid import CELLS, STEP, Field, bin_width
from hwr.layout.pieces import Ink, pixels_of
from hwr.layout.runs import groups
from hwr.layout.strands import Strand
from hwr.layout.zones import Labels

#: The outline keeps this distance from the ink above and below, in letter heights.
MARGIN = 0.12
#: The outline keeps this distance from the first and last ink, in letter heights.
SIDE_MARGIN = 0.3
#: The outline is at least so far from the middle of the line, in letter heights.
LEAST_HALF = 0.85
#: A line has at least this much ink, in letter heights squared.
LEAST_AREA = 0.7
#: Ink beyond a gap of more than this many bins must itself be more than a speck.
SPECK_GAP = 4
#: A line is at least this wide, in letter heights.
LEAST_WIDTH = 1.0
#: Bins to each side over which an outline spreads.
SPREAD = 2
#: Bins over which the baseline is smoothed (odd).
BASELINE_WINDOW = 41
#: Corners nearer to the outline than this are left out, in letter heights.
TOLERANCE = 0.08

Curve = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How far the ink of all lines reaches, in pixels; shapes (lines, bins)."""

    top: Curve
    bottom: Curve
    count: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One line in pixels of the black and white view, shapes (n, 2)."""

    polygon: Curve
    baseline: Curve


def extent(ink: Ink, zone: Labels, lines: int, letter: float) -> Extent:
    """Highest and lowest ink of each line in each bin; infinite where there is none."""
    rows, columns = np.divmod(pixels_of(ink), ink.shape[1])
    cells = np.minimum((rows * (CELLS / letter)).astype(np.intp), zone.shape[0] - 1)
    bins = np.minimum((columns / bin_width(letter)).astype(np.intp), zone.shape[1] - 1)
    owner = zone[cells, bins]
    owned = owner > 0
    place = (owner[owned] - 1) * zone.shape[1] + bins[owned]
    shape = (lines, zone.shape[1])
    count = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)
    top, bottom = np.full(shape, ink.shape[0]), np.full(shape, -1)
    np.minimum.at(top.ravel(), place, rows[owned])
    np.maximum.at(bottom.ravel(), place, rows[owned])
    return Extent(
        top=np.where(count > 0, top, np.inf),
        bottom=np.where(count > 0, bottom, -np.inf),
        count=count,
    )


def shape_of(
    strand: Strand, index: int, reach: Extent, field: Field, letter: float
) -> Shape | None:
    """Outline and baseline of one strand; None where its ink is no more than a speck."""
    inked = inked_bins(reach.count[index], letter)
    if len(inked) == 0:
        return None
    width = bin_width(letter)
    if (inked[-1] - inked[0] + 1) * width < LEAST_WIDTH * letter:
        return None
    bins = np.arange(inked[0], inked[-1] + 1)
    middle = np.interp(bins * STEP, strand.x, strand.y) * letter / CELLS
    top = np.minimum(reach.top[index, bins], middle - LEAST_HALF * letter)
    bottom = np.maximum(reach.bottom[index, bins], middle + LEAST_HALF * letter)
    x = (bins + 0.5) * width
    x[0], x[-1] = (
        bins[0] * width - SIDE_MARGIN * letter,
        (bins[-1] + 1) * width + SIDE_MARGIN * letter,
    )
    return Shape(
        polygon=outline(x, spread(top, np.minimum), spread(bottom, np.maximum), letter),
        baseline=baseline(x, bins, strand, field, letter),
    )


def inked_bins(count: NDArray[np.int64], letter: float) -> NDArray[np.intp]:
    """Bins from the first to the last ink that is more than a speck, shape (n,)."""
    bins = np.flatnonzero(count)
    near = groups(bins, SPECK_GAP)
    large = [group for group in near if count[group].sum() >= LEAST_AREA * letter**2]
    return np.concatenate(large) if large else np.zeros(0, np.intp)


def spread(edge: Curve, extreme: np.ufunc) -> Curve:
    """The edge, drawn out to the bins beside each."""
    padded = np.pad(edge, SPREAD, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * SPREAD + 1)
    return np.asarray(extreme.reduce(windows, axis=1), np.float64)


def outline(x: Curve, top: Curve, bottom: Curve, letter: float) -> Curve:
    """Closed outline from both edges, with its margin."""
    upper = np.stack([x, top - MARGIN * letter], axis=1)
    lower = np.stack([x, bottom + MARGIN * letter], axis=1)
    return simplified(np.concatenate([upper, lower[::-1]]), letter, closed=True)


def baseline(
    x: Curve, bins: NDArray[np.intp], strand: Strand, field: Field, letter: float
) -> Curve:
    """Where the blurred ink falls off fastest below the middle of the line."""
    middle = np.interp(bins * STEP, strand.x, strand.y)
    rows = middle[:, None] + np.arange(int(1.3 * CELLS))
    rows = np.clip(rows, 0, field.shape[0] - 2).astype(np.intp)
    fall = field[rows, bins[:, None]] - field[rows + 1, bins[:, None]]
    below = rows[np.arange(len(bins)), fall.argmax(axis=1)] + 0.5 - middle
    y = (middle + smooth(below, BASELINE_WINDOW)) * letter / CELLS
    return simplified(np.stack([x, y], axis=1), letter, closed=False)


def smooth(values: Curve, window: int) -> Curve:
    """Moving median, shape as ``values``."""
    padded = np.pad(values, window // 2, mode="edge")
    return np.asarray(
        np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1), np.float64
    )


def simplified(curve: Curve, letter: float, *, closed: bool) -> Curve:
    """The curve without corners that hardly matter, shape (n, 2)."""
    points = cv2.approxPolyDP(curve.astype(np.float32)[:, None], TOLERANCE * letter, closed)
    return np.asarray(points[:, 0], np.float64)
