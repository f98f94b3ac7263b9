"""The page on a coarse grid that adapts to the size of the writing: how much ink is where.

A cell is an eighth of a small letter high. Across, what matters changes far more slowly along the
lines: the grid has bins of STEP cells there.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import as_grey
from hwr.layout.pieces import Ink

#: Height of a small letter on the grid, in cells.
CELLS = 8
#: Width of a bin, in cells.
STEP = 4
#: Blur along and across the line in which lines are followed, in cells (standard deviation).
FOLLOWED = (24.0, 4.0)
#: Blur along and across the line in which lines are parted and baselines seen, in cells.
PARTED = (8.0, 2.0)

#: float32 (cells, bins), share of the area that is ink, 0 to 1.
Field = NDArray[np.float32]


def bin_width(letter: float) -> float:
    """Width of a bin in pixels."""
    return STEP * letter / CELLS


def grid_of(ink: Ink, letter: float) -> Field:
    """The ink of a view with small letters ``letter`` pixels high."""
    narrow = cv2.resize(
        as_grey(ink), None, fx=1 / bin_width(letter), fy=1.0, interpolation=cv2.INTER_AREA
    )
    size = narrow.shape[1], max(round(ink.shape[0] * CELLS / letter), STEP)
    share = np.asarray(narrow, np.float32) / 255
    return np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_AREA), np.float32)


def blurred(grid: Field, blur: tuple[float, float]) -> Field:
    """The grid blurred by so many cells along and across the lines, shape as ``grid``."""
    along, across = blur
    return np.asarray(cv2.GaussianBlur(grid, (0, 0), along / STEP, sigmaY=across), np.float32)
