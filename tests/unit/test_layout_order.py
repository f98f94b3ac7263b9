"""Reading order of boxes: columns, headings, tables, notes in the margin."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwr.layout.find import reading_box
from hwr.layout.line import Box, Outline
from hwr.layout.order import reading_order


def column(left: float, right: float, top: float, count: int, step: float = 40) -> list[Box]:
    return [(left, top + step * row, right, top + step * row + 30) for row in range(count)]


def is_read_in_order(*parts: list[Box]) -> bool:
    """Whether the parts are read one after the other, given in any order."""
    boxes = [box for part in parts for box in part]
    return [boxes[index] for index in reading_order(boxes)] == boxes and [
        boxes[::-1][index] for index in reading_order(boxes[::-1])
    ] == boxes


def test_columns_are_read_one_after_the_other() -> None:
    assert is_read_in_order(column(0, 300, 0, 6), column(400, 700, 13, 6), column(800, 990, 5, 4))


def test_columns_whose_lines_reach_into_the_corridor_are_columns() -> None:
    left, right = column(0, 300, 0, 8), column(310, 700, 13, 8)
    left[3] = (0, 120, 314, 150)
    assert is_read_in_order(left, right)


def test_a_grid_is_read_row_by_row_and_cell_by_cell() -> None:
    title: list[Box] = [(0, 0, 500, 30)]
    sign: list[Box] = [(300, 700, 500, 730)]
    cells = [(row, place) for row in range(6) for place in range(3)]
    grid = [
        (300 * place, 50 + 100 * row, 300 * place + 200, 80 + 100 * row) for row, place in cells
    ]
    below = (300, 100, 500, 130)  # a second line of the first row's middle cell
    boxes = [*title, *grid, below, *sign]
    order = reading_order(boxes, cells=[None, *cells, (0, 1), None])
    assert order == [0, 1, 2, 19, *range(3, 19), 20]
    assert reading_order(boxes) != order


def test_a_heading_between_columns_parts_them() -> None:
    heading: list[Box] = [(150, 300, 580, 330)]
    upper = column(0, 300, 0, 6), column(400, 700, 13, 6)
    lower = column(0, 300, 400, 6), column(400, 700, 413, 6)
    assert is_read_in_order(*upper, heading, *lower)


def test_the_head_of_a_table_is_read_before_its_columns() -> None:
    head: list[Box] = [(10, 0, 90, 30), (120, 2, 480, 32), (520, 4, 800, 34)]
    names: list[Box] = [(120, 30, 280, 60), (320, 31, 480, 61)]
    body = [column(x, x + 80, 120, 8) for x in (10, 150, 350, 560)]
    assert is_read_in_order(head, names, *body)


def test_what_is_known_as_a_head_is_read_first_row_by_row() -> None:
    head: list[Box] = [(10, 0, 90, 30), (150, 2, 230, 32), (10, 40, 90, 70), (150, 42, 230, 72)]
    body = [*column(10, 90, 120, 8), *column(150, 230, 120, 8)]
    assert reading_order([*head, *body], [True] * 4 + [False] * 16) == list(range(20))
    assert reading_order([*head, *body]) != list(range(20))


def test_a_line_found_together_with_its_number_does_not_hide_their_columns() -> None:
    entries, numbers = column(0, 400, 0, 12), column(410, 460, 5, 12)
    merged = (0, entries[4][1], 460, entries[4][3])
    assert is_read_in_order([*entries[:4], merged, *entries[5:]], [*numbers[:4], *numbers[5:]])


def test_lines_indented_by_turns_are_no_columns() -> None:
    verse = [
        (200.0 * (row % 2), 40.0 * row, 200.0 * (row % 2) + 300, 40.0 * row + 30)
        for row in range(16)
    ]
    assert is_read_in_order(verse)


def test_pieces_broken_off_the_ends_of_lines_are_no_column() -> None:
    text = column(0, 900, 0, 24)
    for row in range(20, 3, -4):
        text[row : row + 1] = [
            (0, 40 * row, 690, 40 * row + 30),
            (720, 40 * row, 900, 40 * row + 30),
        ]
    assert is_read_in_order(text)


def test_a_note_in_the_margin_is_read_at_its_height() -> None:
    text = column(200, 800, 0, 10)
    note: list[Box] = [(20, 205, 150, 228)]
    assert is_read_in_order(text[:5], note, text[5:])


def test_a_label_and_its_field_are_one_row() -> None:
    labels, fields = column(0, 100, 0, 3), column(200, 500, 2, 3)
    rows = [box for row in zip(labels, fields, strict=True) for box in row]
    assert is_read_in_order(rows)


sides = st.integers(0, 60)


@given(st.lists(st.tuples(sides, sides, sides, sides), max_size=40))
def test_every_line_is_read_once(places: list[tuple[int, int, int, int]]) -> None:
    boxes = [(x, y, x + width, y + height) for x, y, width, height in places]
    assert sorted(reading_order(boxes)) == list(range(len(boxes)))


@given(st.integers(4, 30), st.integers(4, 30), st.integers(1, 50))
def test_columns_of_any_length_beside_each_other(left: int, right: int, gap: int) -> None:
    step = 600 / max(left, right)
    lines = (
        column(0, 300, 0, left, 600 / left),
        column(300 + gap, 700, step / 3, right, 600 / right),
    )
    assert is_read_in_order(*lines)


def test_lines_are_put_in_order_by_the_column_they_stand_in() -> None:
    outline = Outline(
        polygon=np.array([[90.0, 10], [260, 10], [260, 40], [90, 40]]),
        baseline=np.array([[90.0, 35], [260, 35]]),
        column=(100, 240),
        height=40,
    )
    assert reading_box(outline) == (100, 5, 240, 45)
    assert reading_box(replace(outline, column=(-np.inf, np.inf))) == (90, 5, 260, 45)


def test_a_long_descender_does_not_move_a_line() -> None:
    outline = Outline(
        polygon=np.array([[90.0, 10], [260, 10], [260, 140], [90, 40]]),
        baseline=np.array([[90.0, 35], [260, 37]]),
        height=40,
    )
    assert reading_box(outline) == (90, 5, 260, 47)
