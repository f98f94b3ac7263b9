"""Which ink belongs to which strand."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Ink
from hwr.layout.strands import CELLS, STEP, Field, Strand

#: A strand owns ink up to this many letter heights above its middle.
REACH_UP = 2.6
#: A strand owns ink up to this many letter heights below its middle.
REACH_DOWN = 2.4
#: A strand owns ink up to this many letter heights beyond its ends.
REACH_SIDE = 1.5
#: A connected piece of ink of which this share lies in one zone belongs there as a whole.
MAJORITY = 0.7
#: Higher pieces (in letter heights) join two lines and are cut between the zones.
HIGHEST_PIECE = 4.5

Labels = NDArray[np.int32]


def zones(strands: list[Strand], valleys: Field) -> Labels:
    """Number of the strand (from 1) of each cell, 0 for none; parted where ink is least."""
    height, width = valleys.shape
    looks = range(0, width, STEP)
    out = np.zeros((height, len(looks)), np.int32)
    rows = [extended(strand, width) for strand in strands]
    for look in range(len(looks)):
        present = sorted((row[look], index) for index, row in enumerate(rows) if row[look] >= 0)
        fill(out[:, look], present, valleys[:, looks[look]])
    return out


def extended(strand: Strand, width: int) -> NDArray[np.float64]:
    """Rows of a strand at all looks, drawn out a little at both ends; -1 elsewhere."""
    looks = np.arange(0, width, STEP)
    reach = REACH_SIDE * CELLS
    inside = (looks >= strand.x[0] - reach) & (looks <= strand.x[-1] + reach)
    return np.where(inside, np.interp(looks, strand.x, strand.y), -1.0)


def fill(column: Labels, present: list[tuple[float, int]], valley: Field) -> None:
    """Number one column of the grid."""
    top = 0
    for place, (row, index) in enumerate(present):
        low = min(int(row + REACH_DOWN * CELLS), len(column))
        if place + 1 < len(present):
            below = int(present[place + 1][0])
            low = min(low, int(row) + int(valley[int(row) : below + 1].argmin()))
        column[max(top, int(row - REACH_UP * CELLS)) : low] = index + 1
        top = max(low, 0)


def assign(ink: Ink, zone: Labels, letter: float) -> Labels:
    """Number of the strand (from 1) that each pixel of ink belongs to, 0 for none."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(ink)
    rows, columns = np.nonzero(ink)
    cells = np.minimum((rows * CELLS / letter).astype(np.intp), zone.shape[0] - 1)
    looks = np.minimum((columns * CELLS / letter / STEP + 0.5).astype(np.intp), zone.shape[1] - 1)
    own = zone[cells, looks]
    piece = np.asarray(pieces[rows, columns], np.int32)
    owner = majority(piece, own, count)
    whole = (owner >= 0) & (stats[:, cv2.CC_STAT_HEIGHT] <= HIGHEST_PIECE * letter)
    out = np.zeros(ink.shape, np.int32)
    out[rows, columns] = np.where(whole[piece], owner[piece], own)
    return out


def majority(piece: NDArray[np.int32], own: Labels, count: int) -> NDArray[np.int64]:
    """Zone that holds most of each piece, -1 where none holds enough, shape (count,)."""
    span = int(own.max(initial=0)) + 1
    pairs, sizes = np.unique(piece.astype(np.int64) * span + own, return_counts=True)
    order = np.argsort(sizes, kind="stable")
    owner = np.full(count, -1, np.int64)
    largest = np.zeros(count, np.int64)
    total = np.bincount(piece, minlength=count)
    owner[pairs[order] // span] = pairs[order] % span
    largest[pairs[order] // span] = sizes[order]
    return np.where(largest >= MAJORITY * total, owner, -1)
