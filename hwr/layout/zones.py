"""Which ink belongs to which strand."""

import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Ink
from hwr.layout.strands import CELLS, STEP, Field, Strand

#: A strand owns ink up to this many letter heights above its middle.
REACH_UP = 2.2
#: A strand owns ink up to this many letter heights below its middle.
REACH_DOWN = 1.7
#: A strand owns ink up to this many letter heights beyond its ends.
REACH_SIDE = 1.5

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
    rows, columns = np.nonzero(ink)
    cells = np.minimum((rows * CELLS / letter).astype(np.intp), zone.shape[0] - 1)
    looks = np.minimum((columns * CELLS / letter / STEP + 0.5).astype(np.intp), zone.shape[1] - 1)
    owner = np.zeros(ink.shape, np.int32)
    owner[rows, columns] = zone[cells, looks]
    return owner
