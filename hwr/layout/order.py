"""Reading order: top to bottom, left to right, column after column; of a grid row after row."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hwr.layout.line import Box, BoxArray

#: Fewer lines than this beside each other are no column.
LEAST_COLUMN = 4
#: Columns stand beside each other over this share of the shorter one's height.
LEAST_BESIDE = 0.5
#: Lines reach into a corridor by this share of their usual height at most.
REACH = 0.25
#: Of the shorter column's lines at most this share as many cross the corridor.
MOST_CROSSING = 0.25
#: A line across a corridor has at least this share of its width on either side.
ACROSS = 0.3
#: The head of a table takes at most this share of its height.
HIGHEST_HEAD = 0.25
#: Lines wider than this share of all lines together cross the columns.
CROSSING = 0.55
#: Lines belong to one row where they overlap by this share of the lower one's height.
SAME_ROW = 0.6


def reading_order(
    boxes: Sequence[Box],
    heads: Sequence[bool] = (),
    cells: Sequence[tuple[int, int] | None] = (),
) -> list[int]:
    """Indices of the boxes in the order in which a person reads them.

    ``heads`` tells which are the head of a table, ``cells`` in which row and column of a grid they
    stand; either may be empty.
    """
    array = np.array(boxes, float).reshape(-1, 4)
    grid = {place: cell for place, cell in enumerate(cells) if cell is not None}
    if not grid:
        return outside_grids(array, heads, np.arange(len(array)))
    inside = np.array(list(grid))
    others = np.setdiff1d(np.arange(len(array)), inside)
    middles = array[:, [1, 3]].mean(axis=1)
    above = middles[others] < np.median(middles[inside])
    return [
        *outside_grids(array, heads, others[above]),
        *cell_by_cell(array, grid),
        *outside_grids(array, heads, others[~above]),
    ]


def cell_by_cell(boxes: BoxArray, grid: Mapping[int, tuple[int, int]]) -> Iterator[int]:
    """What stands in a grid, its rows from left to right."""
    for cell in sorted(set(grid.values())):
        members = [place for place, own in grid.items() if own == cell]
        yield from by_rows(boxes, np.array(members))


def outside_grids(boxes: BoxArray, heads: Sequence[bool], members: NDArray[np.int_]) -> list[int]:
    """Members that stand in no grid: the head of a table, then column after column."""
    head = np.array(heads or [False] * len(boxes), np.bool_)[members]
    return by_rows(boxes, members[head]) + columns(boxes, members[~head])


def columns(boxes: BoxArray, members: NDArray[np.int_]) -> list[int]:
    """Members column by column, or row by row where there are no columns.

    Lines that cross the corridor between two columns are headings. The head of a table is read
    first, row by row; what stands above any other heading is read before it, what stands below
    after it.
    """
    places = corridors(boxes, members)
    if not places:
        return between_wide_lines(boxes, members)
    crossing = [sides_of_corridor(boxes, members, place) == 0 for place in places]
    head = table_head(boxes, members, members[np.any(crossing, axis=0)])
    if head.any():
        return by_rows(boxes, members[head]) + columns(boxes, members[~head])
    side = sides_of_corridor(boxes, members, places[0])
    middles = boxes[members][:, [1, 3]].mean(axis=1)
    order: list[int] = []
    section: list[int] = []
    for index in np.argsort(middles, kind="stable").tolist():
        section.append(index)
        if side[index] == 0:
            order += [*halves(boxes, members, side, section[:-1]), int(members[index])]
            section = []
    return order + halves(boxes, members, side, section)


def between_wide_lines(boxes: BoxArray, members: NDArray[np.int_]) -> list[int]:
    """Members row by row; what stands between two wide lines may have columns of its own."""
    rows = by_rows(boxes, members)
    reach = np.ptp(boxes[members][:, [0, 2]]) if len(members) else 0.0
    wide = [boxes[index, 2] - boxes[index, 0] > CROSSING * reach for index in rows]
    if not any(wide):
        return rows
    order: list[int] = []
    section: list[int] = []
    for index, is_wide in zip(rows, wide, strict=True):
        if is_wide:
            order += [*columns(boxes, np.array(section, int)), index]
            section = []
        else:
            section.append(index)
    return order + columns(boxes, np.array(section, int))


def halves(
    boxes: BoxArray,
    members: NDArray[np.int_],
    side: NDArray[np.int_],
    section: list[int],
) -> list[int]:
    """A part of the members, of which none crosses: what is left of the corridor, then the rest."""
    part = np.array(section, int)
    left, right = members[part[side[part] < 0]], members[part[side[part] > 0]]
    return columns(boxes, left) + columns(boxes, right)


def table_head(
    boxes: BoxArray, members: NDArray[np.int_], headings: NDArray[np.int_]
) -> NDArray[np.bool_]:
    """Which members are the head of a table: rows at its top that hang together with a heading."""
    tops, bottoms = boxes[members, 1], boxes[members, 3]
    none = np.zeros(len(members), np.bool_)
    end = tops.min() + HIGHEST_HEAD * (bottoms.max() - tops.min())
    first = [float(boxes[index, 3]) for index in headings if boxes[index, 3] < end]
    if not first:
        return none
    reach = max(first)
    for place in np.argsort(tops):
        if tops[place] >= reach:
            break
        reach = max(reach, float(bottoms[place]))
    head = bottoms <= reach
    return none if reach > end or head.all() else head


def corridors(boxes: BoxArray, members: NDArray[np.int_]) -> list[float]:
    """Where (x) there are corridors between columns of the members, the clearest first.

    The clearest is the one that the smallest share of lines crosses, then the widest.
    """
    if len(members) < 2 * LEAST_COLUMN:
        return []
    found: list[tuple[float, float, float]] = []
    left, right = narrowed(boxes, members)
    for place in np.unique(right)[:-1].tolist():
        before, after = right <= place, left > place
        lines = min(np.count_nonzero(before), np.count_nonzero(after))
        crossing = np.count_nonzero(~before & ~after)
        if lines < LEAST_COLUMN or crossing > MOST_CROSSING * lines:
            continue
        if beside(boxes[members[before]], boxes[members[after]]):
            width = float(left[after].min()) - place
            found.append((crossing / lines, -width, place + width / 2))
    return [place for _, _, place in sorted(found)]


def sides_of_corridor(boxes: BoxArray, members: NDArray[np.int_], place: float) -> NDArray[np.int_]:
    """-1 for members left of the corridor there, 1 for those right of it, 0 for those across it."""
    left, right = boxes[members, 0], boxes[members, 2]
    share = (place - left) / np.maximum(right - left, 1.0)
    return np.where(share > 1 - ACROSS, -1, np.where(share < ACROSS, 1, 0))


def narrowed(
    boxes: BoxArray, members: NDArray[np.int_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Left and right ends of the members, which may reach a little into a corridor."""
    left, right = boxes[members, 0], boxes[members, 2]
    high = np.median(boxes[members, 3] - boxes[members, 1])
    reach = np.minimum(REACH * high, (right - left) / 2)
    return left + reach, right - reach


def beside(left: BoxArray, right: BoxArray) -> bool:
    """Whether two groups of boxes stand beside each other."""
    tops = left[:, 1].min(), right[:, 1].min()
    bottoms = left[:, 3].max(), right[:, 3].max()
    heights = bottoms[0] - tops[0], bottoms[1] - tops[1]
    return bool(min(bottoms) - max(tops) > LEAST_BESIDE * min(heights))


def by_rows(boxes: BoxArray, members: NDArray[np.int_]) -> list[int]:
    """Members row by row, each row from left to right."""
    rows: list[list[int]] = []
    middles = (boxes[members, 1] + boxes[members, 3]) / 2
    for index in members[np.argsort(middles)].tolist():
        if rows and all(same_row(boxes[index], boxes[other]) for other in rows[-1]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: float(boxes[i, 0]))]


def same_row(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two boxes stand beside each other at one height."""
    common = min(one[3], other[3]) - max(one[1], other[1])
    lower = min(one[3] - one[1], other[3] - other[1])
    apart = one[0] >= other[2] or other[0] >= one[2]
    return bool(apart and common > SAME_ROW * lower)
