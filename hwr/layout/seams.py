"""Seams: the ways of least contrast along a baseline, one on each side of its letters.

kraken and eScriptorium draw the outlines of transcribed lines so, and recognisers are trained on
what lies inside. A seam moves by a row a column at most (Avidan and Shamir, SIGGRAPH 2007).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.maps import Map

#: Contrast is blurred by so many pixels.
BLUR = 0.5
#: Cost of a row outside the band: more than nearly any way around it, but not so much that what
#: is added to it is lost.
OUTSIDE = 1e5
#: Seams are looked for together while they have at most so many rows times columns, and so bytes.
MOST_PLACES = 32_000_000

Curve = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Band:
    """Where a seam may run, in rows counted from a baseline; arrays of shape (n,)."""

    #: First column of the view; the others follow one apart.
    first: int
    #: Row of the baseline in each.
    y: Curve
    #: 1 for a seam below the baseline, -1 for one above.
    way: int
    #: Rows between baseline and seam at least, and in each column at most.
    nearest: float
    farthest: Curve

    @property
    def rows(self) -> int:
        """How many rows the band has from the baseline on."""
        return int(max(float(self.farthest.max()), self.nearest)) + 2


def contrast(ink: NDArray[np.uint8]) -> Map:
    """How much lighter or darker the ink becomes around each pixel, shape as ``ink``."""
    across, along = (cv2.Sobel(ink, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    return np.asarray(cv2.GaussianBlur(cv2.magnitude(across, along), (0, 0), BLUR), np.float32)


def seams(energy: Map, bands: Sequence[Band], away: float) -> list[Curve]:
    """Rows from its baseline to the seam in each column of each band.

    ``energy`` (H, W) is what a seam costs where it runs; ``away`` is added for each row between.
    """
    found: dict[int, Curve] = {}
    for indices in _together(bands, len(energy)):
        some = [bands[index] for index in indices]
        found |= zip(indices, _lightest(energy, some, away), strict=True)
    return [found[index] for index in range(len(bands))]


def _together(bands: Sequence[Band], height: int) -> Iterator[list[int]]:
    """Indices of bands of about one width in a view of so many rows, ascending by width."""
    some: list[int] = []
    rows = 0
    for index in sorted(range(len(bands)), key=lambda index: len(bands[index].y)):
        own = min(bands[index].rows, height + 2)
        rows = max(rows, own)
        if some and (len(some) + 1) * rows * len(bands[index].y) > MOST_PLACES:
            yield some
            some, rows = [], own
        some.append(index)
    if some:
        yield some


def _lightest(energy: Map, bands: Sequence[Band], away: float) -> list[Curve]:
    """The seams of bands that are sorted by width."""
    widths = [len(band.y) for band in bands]
    rows = min(max(band.rows for band in bands), len(energy) + 2)
    total = np.full((rows + 2, len(bands)), np.inf, np.float32)
    total[1:-1] = 0
    steps = np.zeros((widths[-1], rows, len(bands)), np.int8)
    for place, cost in enumerate(_costs(energy, bands, rows, away)):
        own = slice(len(bands) - cost.shape[1], None)
        nearer, same, farther = total[:-2, own], total[1:-1, own], total[2:, own]
        beside = np.minimum(nearer, farther)
        steps[place, :, own] = np.where(beside < same, np.where(nearer <= farther, -1, 1), 0)
        total[1:-1, own] = np.minimum(beside, same) + cost
    seam = _followed(steps, total[1:-1].argmin(axis=0))
    return [seam[:width, index] for index, width in enumerate(widths)]


def _costs(energy: Map, bands: Sequence[Band], rows: int, away: float) -> Iterator[Map]:
    """What each row costs, (rows, n), in the first, second, … column of the n bands that go on."""
    widths = np.array([len(band.y) for band in bands])
    row = np.arange(rows)[:, None]
    nearest = np.array([band.nearest for band in bands])
    toll = np.where(row < nearest, OUTSIDE, away * row).astype(np.float32)
    farthest = _beside([np.maximum(band.farthest, band.nearest + 1) for band in bands])
    # Indices into all pixels, column by column, of which none is off the page: this is where the
    # time goes.
    height = len(energy)
    pixels = np.pad(energy, ((rows, rows), (0, 0)), mode="edge").T.ravel()
    start = _beside([np.rint(band.y).clip(0, height - 1) for band in bands]).astype(np.intp)
    start += rows + (height + 2 * rows) * np.array([band.first for band in bands])
    start += (height + 2 * rows) * np.arange(len(start))[:, None]
    offset = row * np.array([band.way for band in bands])
    for place in range(widths[-1]):
        own = slice(int(np.searchsorted(widths, place, side="right")), None)
        cost = pixels.take(start[place, own] + offset[:, own]) + toll[:, own]
        cost[row > farthest[place, own]] = OUTSIDE
        yield cost


def _beside(curves: Sequence[Curve]) -> Curve:
    """Curves as columns of one array, as long as the longest, the last one; 0 past their ends."""
    table = np.zeros((len(curves[-1]), len(curves)))
    for index, curve in enumerate(curves):
        table[: len(curve), index] = curve
    return table


def _followed(steps: NDArray[np.int8], last: NDArray[np.intp]) -> Curve:
    """Rows of the ways that end in the rows ``last`` (n,), shape (W, n); ``steps`` (W, rows, n)."""
    seam = np.zeros((len(steps), len(last)))
    each = np.arange(len(last))
    for place in range(len(steps) - 1, -1, -1):
        seam[place] = last
        last = last + steps[place, last, each]
    return seam
