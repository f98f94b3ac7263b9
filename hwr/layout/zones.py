"""Which places on the grid belong to which strand."""

import numpy as np
from numpy.typing import NDArray

from hwr.layout.grid import CELLS, STEP, Field
from hwr.layout.strands import Strand

#: A strand owns ink up to this many letter heights above its middle.
REACH_UP = 2.2
#: A strand owns ink up to this many letter heights below its middle.
REACH_DOWN = 1.7
#: A strand owns ink up to this many letter heights beyond its ends.
REACH_SIDE = 1.5

Labels = NDArray[np.int32]


def zones(strands: list[Strand], valleys: Field) -> Labels:
    """Number of the strand (from 1) at each place of the grid, 0 for none; valleys part them."""
    out = np.zeros(valleys.shape, np.int32)
    rows = [extended(strand, valleys.shape[1]) for strand in strands]
    for place in range(valleys.shape[1]):
        present = sorted((row[place], index) for index, row in enumerate(rows) if row[place] >= 0)
        fill(out[:, place], present, valleys[:, place])
    return out


def extended(strand: Strand, width: int) -> NDArray[np.float64]:
    """Rows of a strand at all bins, drawn out a little at both ends; -1 elsewhere."""
    x = np.arange(width) * STEP
    reach = REACH_SIDE * CELLS
    inside = (x >= strand.x[0] - reach) & (x <= strand.x[-1] + reach)
    return np.where(inside, np.interp(x, strand.x, strand.y), -1.0)


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
