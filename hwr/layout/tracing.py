"""Baselines followed from left to right over the network's maps."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import TooManyLines
from hwr.layout.maps import ACROSS, Map, Maps

#: Baselines are followed once they are blurred along and across the lines by so many columns and
#: rows (standard deviation): the network wavers by a row or two from letter to letter.
BLUR = (1.0, 2.0)
#: A baseline runs where it is at least so likely.
LEAST_LIKELY = 0.15
#: It moves by no more than this many rows from column to column.
LARGEST_STEP = 2.5
#: A line is at least so many columns of the maps wide.
SHORTEST = 2
#: More pieces than this would cost too much memory to join: pairs of them are compared.
MOST_PIECES = 2000
#: Chains of at most so many columns are never cut: the ends of a figure are as likely as itself.
LONGEST_WHOLE = 8
#: Sum and mean of likelihoods along a line.
LEAST_WEIGHT, LEAST_MEAN = 1.0, 0.2
#: Pieces are one line over gaps up to this many heights of a line
WIDEST_GAP = 1.5
#: ... where they miss each other by at most this share of it,
LARGEST_MISS = 0.3
#: ... and no end is more likely than this between them.
MOST_END = 0.3
#: An end counts for a baseline so many rows away.
END_ROWS = 2
#: Lines closer than this share of their height are rivals
CLOSEST = 0.4
#: ... where they run beside each other over this share of the weaker one.
BESIDE = 0.5

Row = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A baseline on the maps; arrays of shape (n,)."""

    #: Columns, ascending, one apart.
    x: Row
    #: Row of the baseline, and how far its line reaches above and below it.
    y: Row
    up: Row
    down: Row
    #: How sure the network is.
    weight: Row

    @cached_property
    def height(self) -> float:
        """Usual height of the line in rows."""
        return float(np.median(self.up + self.down))

    @cached_property
    def usual_up(self) -> float:
        """How far the line usually reaches above its baseline, in rows."""
        return float(np.median(self.up))


def trace_lines(maps: Maps) -> list[Trace]:
    """Baselines of a page, in no order. Raises ``TooManyLines``."""
    pieces = pieces_of(maps)
    refuse_crowd(len(pieces))
    lines = joined(pieces, maps.ends)
    return without_rivals([x for x in lines if is_likely(x)], maps.baselines.shape[1])


def refuse_crowd(pieces: int) -> None:
    """Raise ``TooManyLines`` above ``MOST_PIECES``."""
    if pieces > MOST_PIECES:
        raise TooManyLines(
            f"The page falls into {pieces} pieces of lines, the limit is {MOST_PIECES}."
            " Split it, or scan it again if it is not a page of writing."
        )


def is_likely(line: Trace) -> bool:
    return bool(line.weight.sum() >= LEAST_WEIGHT and line.weight.mean() >= LEAST_MEAN)


def pieces_of(maps: Maps) -> list[Trace]:
    """Unbroken runs of maxima in which no line ends."""
    field = np.asarray(
        cv2.GaussianBlur(maps.baselines, (0, 0), BLUR[0], sigmaY=BLUR[1]), np.float32
    )
    ends = np.asarray(cv2.dilate(maps.ends, np.ones((2 * END_ROWS + 1, 1), np.uint8)), np.float32)
    ends *= 1 - field
    inner = field[1:-1]
    peaks = (inner > field[:-2]) & (inner >= field[2:]) & (inner > LEAST_LIKELY)
    columns, rows = np.nonzero(peaks.T)
    rows += 1
    follower = link(columns, rows, field.shape[1])
    return [
        piece(maps, field, columns[part], rows[part])
        for chain in chains(follower)
        for part in cut(chain, ends[rows[chain], columns[chain]])
        if len(part) >= SHORTEST
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


def cut(chain: NDArray[np.intp], ends: Map) -> list[NDArray[np.intp]]:
    """Parts of a chain between its likeliest ends; ``ends`` goes with ``chain``."""
    if len(chain) <= LONGEST_WHOLE:
        return [chain]
    before, after = np.append(-1, ends[:-1]), np.append(ends[1:], -1)
    return np.split(chain, np.flatnonzero((ends > MOST_END) & (ends >= before) & (ends > after)))


def piece(maps: Maps, field: Map, columns: NDArray[np.intp], rows: NDArray[np.intp]) -> Trace:
    above, here, below = (field[rows + step, columns].astype(float) for step in (-1, 0, 1))
    curvature = np.maximum(above + below - 2 * here, -1e9)
    shift = np.where(curvature < -1e-6, (above - below) / np.minimum(2 * curvature, -1e-6), 0)
    half = rows // 2, columns // 2
    return Trace(
        x=columns.astype(float),
        y=rows + np.clip(shift, -0.5, 0.5),
        up=maps.up[half].astype(float),
        down=maps.down[half].astype(float),
        weight=here,
    )


def joined(pieces: list[Trace], ends: Map) -> list[Trace]:
    """Pieces joined end to start over small gaps in which no line ends."""
    follower = np.full(len(pieces), -1, np.intp)
    taken = np.zeros(len(pieces), bool)
    for left, right in candidates(pieces):
        if (
            follower[left] < 0
            and not taken[right]
            and not line_ends_between(pieces[left], pieces[right], ends)
        ):
            follower[left] = right
            taken[right] = True
    return [concatenated([pieces[index] for index in chain]) for chain in chains(follower)]


def candidates(pieces: list[Trace]) -> list[tuple[int, int]]:
    """Pairs of pieces that may be one line, nearest first."""
    if not pieces:
        return []
    end = np.array([[p.x[-1], p.y[-5:].mean()] for p in pieces])
    start = np.array([[p.x[0], p.y[:5].mean()] for p in pieces])
    height = np.array([p.height for p in pieces])
    gap = start[None, :, 0] - end[:, None, 0]
    miss = np.abs(start[None, :, 1] - end[:, None, 1])
    size = np.minimum(height[:, None], height[None, :])
    left, right = np.nonzero(
        (np.abs(gap) * ACROSS <= WIDEST_GAP * size) & (miss <= LARGEST_MISS * size)
    )
    order = np.argsort(np.abs(gap[left, right]) + miss[left, right])
    return list(zip(left[order].tolist(), right[order].tolist(), strict=True))


def line_ends_between(left: Trace, right: Trace, ends: Map) -> bool:
    """Whether a line ends between two pieces."""
    row = round(float(left.y[-1] + right.y[0]) / 2)
    columns = sorted((int(left.x[-1]), int(right.x[0])))
    part = ends[max(row - END_ROWS, 0) : row + END_ROWS + 1, columns[0] : columns[1] + 1]
    return bool(part.max(initial=0) > MOST_END)


def without_rivals(lines: list[Trace], width: int) -> list[Trace]:
    """Of lines that run too close together, the one that the network is surest of."""
    rows = np.full((len(lines), width), np.inf, np.float32)
    taken = 0
    kept: list[Trace] = []
    for line in sorted(lines, key=lambda line: -float(line.weight.sum())):
        columns = line.x.astype(np.intp)
        near = np.abs(rows[:taken, columns] - line.y) < CLOSEST * line.height
        if near.any(axis=0).mean() < BESIDE:
            rows[taken, columns] = line.y
            taken += 1
            kept.append(line)
    return kept


def concatenated(pieces: list[Trace]) -> Trace:
    """One trace from pieces in order, gaps filled by straight lines."""
    known = np.concatenate([piece.x for piece in pieces])
    order = known.argsort(kind="stable")
    x = np.arange(known[order[0]], known[order[-1]] + 1)

    def filled(name: str) -> Row:
        values = np.concatenate([getattr(piece, name) for piece in pieces])
        return np.asarray(np.interp(x, known[order], values[order]), np.float64)

    return Trace(x=x, y=filled("y"), up=filled("up"), down=filled("down"), weight=filled("weight"))
