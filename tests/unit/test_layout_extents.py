"""Ends of lines: at their ink and at upright rules."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.layout.extents import MARGIN, Extent, cut_at_rules, fitted_to_ink
from hwr.layout.maps import ACROSS
from hwr.layout.paper import Paper, paper_of
from hwr.layout.tracing import Trace

Ink = NDArray[np.uint8]
BASELINE, UP, DOWN = 100, 15, 5


def trace(first: int, last: int) -> Trace:
    """A level trace over these columns of a view, 20 rows high."""
    x = np.arange(first // ACROSS, last // ACROSS + 1, dtype=float)
    level = np.ones(len(x))
    return Trace(x=x, y=BASELINE * level, up=UP * level, down=DOWN * level, weight=level)


def letters(*places: tuple[int, int]) -> Ink:
    """A view of 200 rows and 400 columns, with letters between these columns."""
    ink = np.zeros((200, 400), np.uint8)
    for first, last in places:
        ink[BASELINE - 10 : BASELINE + 1, first : last + 1] = 200
    return ink


def with_rule(ink: Ink, column: int) -> Ink:
    ink[20:180, column : column + 2] = 90
    return ink


def only(trace: Trace, paper: Paper) -> Extent:
    ((_, extent),) = fitted_to_ink([trace], paper)
    return extent


def test_rules_are_found_but_no_letters() -> None:
    ink = with_rule(letters((40, 60)), 90)
    line = trace(40, 60)
    upright = paper_of(ink, [line]).upright
    assert upright[20:180, 90].all()
    assert not upright[:, 40:61].any()
    assert not paper_of(ink, [line]).level.any()
    assert paper_of(np.ascontiguousarray(ink.T), [line]).level[90, 20:180].all()


def test_a_rule_that_leans_is_found() -> None:
    ink = np.zeros((200, 100), np.uint8)
    ink[np.arange(200), 40 + np.arange(200) // 50] = 90
    assert paper_of(ink, [trace(40, 60)]).upright.any(axis=1).all()


def test_lines_end_at_their_ink() -> None:
    line = trace(40, 100)
    extent = only(line, paper_of(letters((47, 90)), [line]))
    assert (extent.first, extent.last) == (47, 91)
    assert (extent.left, extent.right) == (47 - 20 * MARGIN, 91 + 20 * MARGIN)


@pytest.mark.parametrize(("gap", "last"), [(2, 98), (9, 91)])
def test_ink_beyond_the_trace_belongs_to_it_where_it_is_close(gap: int, last: int) -> None:
    line = trace(40, 91)
    extent = only(line, paper_of(letters((47, 90), (90 + gap, 97)), [line]))
    assert extent.last == last


def test_no_outline_crosses_a_rule() -> None:
    line = trace(40, 90)
    extent = only(line, paper_of(with_rule(letters((47, 90)), 93), [line]))
    assert extent.last == 91
    assert extent.right <= 94


def test_columns_of_a_table_are_parted_at_its_rule() -> None:
    line = trace(40, 140)
    paper = paper_of(with_rule(letters((42, 80), (100, 138)), 90), [line])
    left, right = cut_at_rules([line], paper)
    assert left.x[-1] * ACROSS <= 91 <= (right.x[0] + 1) * ACROSS


def test_writing_that_goes_on_across_a_rule_is_one_line() -> None:
    line = trace(40, 140)
    paper = paper_of(with_rule(letters((42, 84), (86, 95), (98, 138)), 90), [line])
    assert len(cut_at_rules([line], paper)) == 1


def test_squared_paper_has_no_columns() -> None:
    line, ink = trace(40, 340), letters((42, 80), (100, 138))
    for column in range(4, 396, 12):
        ink = with_rule(ink, column)
    assert len(cut_at_rules([line], paper_of(ink, [line]))) == 1


def test_the_column_of_a_line_is_between_the_rules_beside_its_middle() -> None:
    line = trace(100, 140)
    ink = with_rule(with_rule(with_rule(letters((102, 138)), 30), 90), 180)
    low, high = only(line, paper_of(ink, [line])).column
    assert 90 <= low <= 93
    assert 178 <= high <= 181
    assert only(line, paper_of(letters((102, 138)), [line])).column == (-np.inf, np.inf)


def test_a_trace_without_ink_is_no_line() -> None:
    line, empty = trace(40, 100), trace(200, 240)
    assert len(fitted_to_ink([line, empty], paper_of(letters((47, 90)), [line, empty]))) == 1


def test_the_gap_between_two_lines_of_a_row_is_shared() -> None:
    lines = [trace(40, 79), trace(84, 120)]
    paper = paper_of(letters((42, 79), (84, 118)), lines)
    (_, left), (_, right) = fitted_to_ink(lines, paper)
    assert left.right <= right.left
