"""Strands: the middles of lines of writing, followed from left to right over a blurred page.

Ink is blurred much more along than across the lines. In each column of the blurred page the local
maxima are the middles of lines; maxima of neighbouring columns are linked, so that a strand follows
a sloping or drifting hand, and strands are joined over the gaps between words.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwr.errors import TooManyLines
from hwr.layout.grid import STEP, Field

#: Least blurred ink (share of the area) in the middle of a line.
LEAST_INK = 0.03
#: A strand moves by no more than this many cells from bin to bin.
LARGEST_STEP = 2.5
#: Strands shorter than this many bins are specks.
SHORTEST = 6
#: More pieces than this would cost too much memory to join: pairs of them are compared.
MOST_PIECES = 2000
#: Strands closer than this share of the usual distance between lines are rivals.
CLOSEST = 0.65
#: A rival is dropped beside a strand this many times heavier.
HEAVIER = 1.5
#: Strands are beside each other where this share of the lighter one has the other near.
BESIDE = 0.5
#: Strands are joined over gaps up to this many cells.
WIDEST_GAP = 24.0
#: Strands that are joined may run beside each other for this many cells.
DEEPEST_OVERLAP = 24.0
#: Strands that are joined miss each other by at most this many cells.
LARGEST_MISS = 9.0


@dataclass(frozen=True, kw_only=True)
class Strand:
    """The middle of one line on the grid."""

    #: Columns, ascending, shape (n,), cells.
    x: NDArray[np.float64]
    #: Rows, shape (n,), cells.
    y: NDArray[np.float64]
    #: Blurred ink there, shape (n,).
    weight: NDArray[np.float64]

    def tangent(self, *, at_end: bool) -> tuple[float, float, float]:
        """x, y and slope at one end, from the part of the strand next to it."""
        part = slice(-20, None) if at_end else slice(None, 20)
        x, y = self.x[part], self.y[part]
        slope = float(np.polyfit(x, y, 1)[0]) if len(x) > 5 else 0.0
        anchor = float(x[-1] if at_end else x[0])
        return anchor, float(y.mean() + slope * (anchor - x.mean())), slope


def find_strands(field: Field) -> list[Strand]:
    """Strands of a blurred grid, in no order. Raises ``TooManyLines`` above ``MOST_PIECES``."""
    pieces = [strand for strand in trace(field) if len(strand.x) >= SHORTEST]
    refuse_crowd(len(pieces))
    strands = join(pieces)
    return without_rivals(strands, field.shape[1])


def refuse_crowd(pieces: int) -> None:
    """Raise ``TooManyLines`` above ``MOST_PIECES``."""
    if pieces > MOST_PIECES:
        raise TooManyLines(
            f"The page falls into {pieces} pieces of lines, the limit is {MOST_PIECES}."
            " Split it, or scan it again if it is not a page of writing."
        )


def trace(field: Field) -> list[Strand]:
    """Follow the maxima of every column of bins from one to the next."""
    inner = field[1:-1]
    peaks = (inner > field[:-2]) & (inner >= field[2:]) & (inner > LEAST_INK)
    columns, rows = np.nonzero(peaks.T)
    rows += 1
    follower = link(columns, rows, field.shape[1])
    return [
        Strand(
            x=columns[chain].astype(np.float64) * STEP,
            y=rows[chain].astype(np.float64),
            weight=field[rows[chain], columns[chain]].astype(np.float64),
        )
        for chain in chains(follower)
    ]


def link(columns: NDArray[np.intp], rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """For each maximum the one of the next column that goes on from it, or -1."""
    follower = np.full(len(rows), -1, np.intp)
    starts = np.searchsorted(columns, np.arange(count + 1))
    for here, there, end in zip(starts, starts[1:], starts[2:], strict=False):
        if here == there or there == end:
            continue
        distance = np.abs(rows[here:there, None] - rows[None, there:end])
        best, back = distance.argmin(axis=1), distance.argmin(axis=0)
        mutual = back[best] == np.arange(there - here)
        near = distance[np.arange(there - here), best] <= LARGEST_STEP
        follower[here:there] = np.where(mutual & near, best + there, -1)
    return follower


def chains(follower: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Indices along each chain of followers."""
    heads = np.setdiff1d(np.arange(len(follower)), follower)
    found = []
    for head in heads:
        chain = [int(head)]
        while follower[chain[-1]] >= 0:
            chain.append(int(follower[chain[-1]]))
        found.append(np.array(chain))
    return found


def without_rivals(strands: list[Strand], width: int) -> list[Strand]:
    """Keep the heaviest of strands that run closer together than lines of this page do."""
    if len(strands) < 2:
        return strands
    rows = dense(strands, width)
    mass = np.array([strand.weight.sum() for strand in strands])
    closest = CLOSEST * spacing(strands, rows, mass)
    kept: list[int] = []
    for index in np.argsort(-mass):
        bins = (strands[index].x // STEP).astype(int)
        heavy = [other for other in kept if mass[other] > HEAVIER * mass[index]]
        near = np.abs(rows[np.ix_(heavy, bins)] - strands[index].y) < closest
        if not len(heavy) or near.any(axis=0).mean() < BESIDE:
            kept.append(int(index))
    return [strands[index] for index in kept]


def spacing(strands: list[Strand], rows: Field, mass: NDArray[np.float64]) -> float:
    """Usual distance of the heavier strands from the next one below, in cells."""
    heavy = np.flatnonzero(mass >= 0.4 * np.sort(mass)[-5:].mean())
    distances = []
    for index in heavy:
        bins = (strands[index].x // STEP).astype(int)
        below = rows[np.ix_(heavy, bins)] - strands[index].y
        below[below <= 0] = np.inf
        nearest = below.min(axis=0)
        distances.append(float(np.median(nearest)))
    finite = [distance for distance in distances if np.isfinite(distance) and distance < 1e5]
    return float(np.median(finite)) if finite else 0.0


def dense(strands: list[Strand], width: int) -> Field:
    """Rows of all strands at all ``width`` bins; far away where absent, (strands, bins)."""
    rows = np.full((len(strands), width), -1e6, np.float32)
    for index, strand in enumerate(strands):
        rows[index, (strand.x // STEP).astype(int)] = strand.y
    return rows


def join(strands: list[Strand]) -> list[Strand]:
    """Join strands end to start, nearest first, each end once."""
    if len(strands) < 2:
        return strands
    follower = np.full(len(strands), -1, np.intp)
    taken = np.zeros(len(strands), bool)
    for left, right in candidates(strands):
        if follower[left] < 0 and not taken[right]:
            follower[left] = right
            taken[right] = True
    return [concatenate([strands[index] for index in chain]) for chain in chains(follower)]


def candidates(strands: list[Strand]) -> list[tuple[int, int]]:
    """Pairs of strands that may be one line, most likely first."""
    ends = np.array([strand.tangent(at_end=True) for strand in strands])
    starts = np.array([strand.tangent(at_end=False) for strand in strands])
    gap = starts[None, :, 0] - ends[:, None, 0]
    slope = (starts[None, :, 2] + ends[:, None, 2]) / 2
    miss = np.abs(starts[None, :, 1] - ends[:, None, 1] - slope * gap)
    left, right = np.nonzero(
        (gap > -DEEPEST_OVERLAP) & (gap <= WIDEST_GAP) & (miss <= LARGEST_MISS)
    )
    cost = np.abs(gap[left, right]) + 4 * miss[left, right]
    order = np.argsort(cost)
    return list(zip(left[order].tolist(), right[order].tolist(), strict=True))


def concatenate(pieces: list[Strand]) -> Strand:
    """One strand from pieces in order, gaps filled by straight lines."""
    known = np.concatenate([piece.x for piece in pieces])
    order = np.argsort(known, kind="stable")
    x = np.arange(known[order[0]], known[order[-1]] + 1, STEP)
    y = np.concatenate([piece.y for piece in pieces])[order]
    weight = np.concatenate([piece.weight for piece in pieces])[order]
    return Strand(x=x, y=np.interp(x, known[order], y), weight=np.interp(x, known[order], weight))
