"""Reading order: top to bottom, left to right, column after column."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Left, top, right, bottom of a line's outline.
Box = tuple[float, float, float, float]
#: Fewer lines than this beside each other are no column.
LEAST_COLUMN = 4
#: Columns stand beside each other over this share of the shorter one's height.
LEAST_BESIDE = 0.5
#: Lines wider than this share of all lines together cross the columns.
CROSSING = 0.55
#: Lines belong to one row where they overlap by this share of the lower one's height.
SAME_ROW = 0.6


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """Indices of the boxes in the order in which a person reads them."""
    if not boxes:
        return []
    table = np.array(boxes, float)
    width = np.ptp(table[:, [0, 2]])
    rows = by_rows(table, np.arange(len(table)))
    order: list[int] = []
    section: list[int] = []
    for index in rows:
        if table[index, 2] - table[index, 0] > CROSSING * width:
            order += [*columns(table, np.array(section, int)), index]
            section = []
        else:
            section.append(index)
    return order + columns(table, np.array(section, int))


def columns(table: NDArray[np.float64], members: NDArray[np.int_]) -> list[int]:
    """Members column by column, or row by row where there are no columns."""
    split = corridor(table, members)
    if split is None:
        return by_rows(table, members)
    left = table[members, 2] <= split
    return columns(table, members[left]) + columns(table, members[~left])


def corridor(table: NDArray[np.float64], members: NDArray[np.int_]) -> float | None:
    """x of an empty corridor between two columns of the members, None where there is none."""
    by_left = members[np.argsort(table[members, 0])]
    reach = np.maximum.accumulate(table[by_left, 2])
    for place in range(LEAST_COLUMN, len(by_left) - LEAST_COLUMN + 1):
        is_gap = reach[place - 1] < table[by_left[place], 0]
        if is_gap and beside(table[by_left[:place]], table[by_left[place:]]):
            return float(reach[place - 1])
    return None


def beside(left: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    """Whether two groups of boxes stand beside each other."""
    tops = left[:, 1].min(), right[:, 1].min()
    bottoms = left[:, 3].max(), right[:, 3].max()
    heights = bottoms[0] - tops[0], bottoms[1] - tops[1]
    return bool(min(bottoms) - max(tops) > LEAST_BESIDE * min(heights))


def by_rows(table: NDArray[np.float64], members: NDArray[np.int_]) -> list[int]:
    """Members row by row, each row from left to right."""
    rows: list[list[int]] = []
    middles = (table[members, 1] + table[members, 3]) / 2
    for index in members[np.argsort(middles)].tolist():
        if rows and all(same_row(table[index], table[other]) for other in rows[-1]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: float(table[i, 0]))]


def same_row(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two boxes stand beside each other at one height."""
    common = min(one[3], other[3]) - max(one[1], other[1])
    lower = min(one[3] - one[1], other[3] - other[1])
    apart = one[0] >= other[2] or other[0] >= one[2]
    return bool(apart and common > SAME_ROW * lower)
