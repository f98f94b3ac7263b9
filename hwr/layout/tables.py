"""Tables: where in a grid of rules a line stands, and which lines are the head of columns."""

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
#: Rules stray by so many pixels of the view to either side.
STRAY = 6
#: A grid has so many rows with writing, between rules across its columns.
LEAST_ROWS = 3
#: A table with more rules across its columns than this is ruled for writing.
MOST_RULES = 6

#: Row and column of a grid, from its upper left.
Cell = tuple[int, int]


def in_tables(shapes: Sequence[Shape], level: NDArray[np.bool_]) -> list[tuple[bool, Cell | None]]:
    """Whether each line is in the head of a table, and in which cell of a grid it stands, if any.

    ``level`` (H, W) is where level rules are.
    """
    inside = [place for place, shape in enumerate(shapes) if np.isfinite(shape.column).all()]
    cells = [shapes[place] for place in inside]
    if not is_table(cells):
        return [(False, None)] * len(shapes)
    rules = table_rules(cells, level)
    end, grid = head_end(cells, rules), dict(zip(inside, grid_cells(cells, rules), strict=True))
    return [
        (bool(shape.baseline[:, 1].mean() < end), grid.get(place))
        for place, shape in enumerate(shapes)
    ]


def grid_cells(cells: Sequence[Shape], rules: Sequence[float]) -> list[Cell | None]:
    """Which cell of a grid each line stands in, if any, from the rules across its columns.

    Columns without rules between their rows are none: their lines go on below one another.
    """
    rows = np.searchsorted(rules, [middle_of(shape) for shape in cells])
    if len(np.unique(rows)) < LEAST_ROWS:
        return [None] * len(cells)
    return list(zip(rows.tolist(), columns_in(cells), strict=True))


def columns_in(cells: Sequence[Shape]) -> list[int]:
    """The column of each cell, from the left."""
    left = np.array([shape.column[0] for shape in cells])
    starts = np.array([group[0] for group in groups(np.unique(left), STRAY)])
    return [int(place) for place in np.searchsorted(starts, left, side="right") - 1]


def middle_of(shape: Shape) -> float:
    """Row of the middle of a line: half of what is above a baseline is no ascender."""
    return float(shape.baseline[:, 1].mean() - shape.height / 4)


def head_end(cells: Sequence[Shape], rules: Sequence[float]) -> float:
    """The row at which the head of the table with these cells ends; -1 where there is none."""
    rows = np.array([shape.baseline[:, 1].mean() for shape in cells])
    lowest = rows.min() + HIGHEST_HEAD * (rows.max() - rows.min())
    inner = [rule for rule in rules if rows.min() < rule < rows.max()]
    high = [rule for rule in inner if rule < lowest]
    return max(high, default=-1) if len(inner) <= MOST_RULES else -1


def is_table(cells: Sequence[Shape]) -> bool:
    """Whether lines between upright rules are enough, in enough columns."""
    return len(cells) >= LEAST_CELLS and column_count(cells) >= LEAST_COLUMNS


def table_rules(cells: Sequence[Shape], level: NDArray[np.bool_]) -> list[float]:
    """Rows at which rules go across the columns of the table with these cells."""
    left = min(shape.column[0] for shape in cells)
    right = max(shape.column[1] for shape in cells)
    return rules_across(level[:, int(left) : int(right)])


def column_count(cells: Sequence[Shape]) -> int:
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
