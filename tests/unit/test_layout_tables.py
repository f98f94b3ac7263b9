"""Grids and heads of tables, seen from their rules and the lines between them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hwr.layout.outlines import Shape
from hwr.layout.tables import Cell, in_tables

EDGES = (20, 80, 140, 300)
ROWS = (30, *range(80, 380, 20))


def cells(*rows: int) -> list[Shape]:
    """A short line in each of three columns of a table, in these rows."""
    return [
        Shape(
            polygon=np.array([[left, row - 10], [right, row + 4]], float),
            baseline=np.array([[left + 10, row], [right - 20, row]], float),
            column=(left, right),
            height=14,
        )
        for row in rows
        for left, right in pairwise(EDGES)
    ]


def rules(*rows: int) -> NDArray[np.bool_]:
    level = np.zeros((400, 320), np.bool_)
    for row in rows:
        level[row, EDGES[0] : 160] = level[row + 3, 160 : EDGES[-1]] = True  # not quite straight
    return level


def heads(shapes: list[Shape], level: NDArray[np.bool_]) -> int:
    found = [head for head, _ in in_tables(shapes, level)]
    assert found == sorted(found, reverse=True), "the head is at the top"
    return sum(found)


def cells_of(shapes: list[Shape], level: NDArray[np.bool_]) -> list[Cell | None]:
    return [cell for _, cell in in_tables(shapes, level)]


def test_what_stands_above_the_rule_across_the_columns_is_the_head() -> None:
    assert heads(cells(*ROWS), rules(12, 55)) == 3


def test_without_a_rule_across_there_is_no_head() -> None:
    level = rules(12, 55)
    level[:, 120:] = False
    assert heads(cells(*ROWS), level) == 0


def test_a_rule_between_entries_ends_no_head() -> None:
    assert heads(cells(*ROWS), rules(12, 210)) == 0


def test_ruled_paper_has_no_head() -> None:
    assert heads(cells(*ROWS), rules(*(row + 6 for row in ROWS))) == 0


def test_two_columns_are_no_table() -> None:
    two = [shape for shape in cells(*ROWS) if shape.column[0] < EDGES[2]]
    assert heads(two, rules(12, 55)) == 0


def test_a_line_between_rules_both_ways_stands_in_a_cell() -> None:
    rows = (30, 80, 130, 150, 200)
    found = cells_of(cells(*rows), rules(12, 50, 100, 170, 220))
    assert found == [(row, column) for row in (1, 2, 3, 3, 4) for column in range(3)]


def test_what_is_beside_a_grid_is_in_none_of_its_cells() -> None:
    note = replace(cells(30)[0], column=(300, np.inf))
    found = cells_of([note, *cells(30, 80, 130)], rules(12, 50, 100, 150))
    assert found == [None, *((row, column) for row in (1, 2, 3) for column in range(3))]


def test_columns_that_go_on_below_a_head_are_no_grid() -> None:
    assert set(cells_of(cells(*ROWS), rules(12, 55))) == {None}
