"""The head of a table: what stands above the first rule across its columns."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.order import HIGHEST_HEAD
from hwr.layout.outlines import Shape
from hwr.layout.runs import groups

#: A table has at least so many lines between upright rules, in so many columns.
LEAST_CELLS, LEAST_COLUMNS = 8, 3
#: A rule across the columns goes through this share of the table's width.
LEAST_WIDE = 0.7
#: It strays by so many rows of the view to either side.
STRAY = 6
#: A table with more rules across its columns than this is ruled for writing.
MOST_RULES = 6


def in_head(shapes: Sequence[Shape], level: NDArray[np.bool_]) -> list[bool]:
    """Which lines are in the head of a table; ``level`` (H, W) is where level rules are."""
    end = head_end([shape for shape in shapes if np.isfinite(shape.column).all()], level)
    return [bool(shape.baseline[:, 1].mean() < end) for shape in shapes]


def head_end(cells: Sequence[Shape], level: NDArray[np.bool_]) -> float:
    """The row at which the head of the table with these cells ends; -1 where there is none."""
    if len(cells) < LEAST_CELLS or columns_of(cells) < LEAST_COLUMNS:
        return -1
    rows = np.array([shape.baseline[:, 1].mean() for shape in cells])
    left = min(shape.column[0] for shape in cells)
    right = max(shape.column[1] for shape in cells)
    rules = rules_across(level[:, int(left) : int(right)])
    lowest = rows.min() + HIGHEST_HEAD * (rows.max() - rows.min())
    inner = [rule for rule in rules if rows.min() < rule < rows.max()]
    high = [rule for rule in inner if rule < lowest]
    return max(high, default=-1) if len(inner) <= MOST_RULES else -1


def columns_of(cells: Sequence[Shape]) -> int:
    """How many columns the cells stand in, at least: the most that none of them shares."""
    count, end = 0, -np.inf
    for shape in sorted(cells, key=lambda shape: shape.column[1]):
        if shape.column[0] >= end - STRAY:
            count, end = count + 1, shape.column[1]
    return count


def rules_across(level: NDArray[np.bool_]) -> list[float]:
    """Rows at which rules go across these columns of a view."""
    near = cv2.dilate(level.view(np.uint8), np.ones((2 * STRAY + 1, 1), np.uint8))
    rows = np.flatnonzero(near.mean(axis=1) >= LEAST_WIDE)
    return [float(run.mean()) for run in groups(rows, 1)]
