"""Folds of the paper against rules: what writing takes no notice of parts nothing."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.layout.folds import LEAST_ACROSS, without_folds
from hwr.layout.maps import ACROSS
from hwr.layout.paper import Paper, paper_of
from hwr.layout.tracing import Trace

FOLD, STEP = 200, 30


def line(number: int, first: int, last: int) -> Trace:
    """A level trace over these columns of a view, 20 rows high."""
    x = np.arange(first // ACROSS, last // ACROSS + 1, dtype=float)
    level = np.ones(len(x))
    y = STEP * (number + 1) * level
    return Trace(x=x, y=y, up=15 * level, down=5 * level, weight=level)


def paper_with(lines: list[Trace]) -> Paper:
    """A view with an upright rule and letters, all as wide as their lines."""
    ink = np.zeros((STEP * (len(lines) + 1), 400), np.uint8)
    for trace in lines:
        baseline = int(trace.y[0])
        for left in range(int(trace.x[0]) * ACROSS, int(trace.x[-1]) * ACROSS, 10):
            ink[baseline - 10 : baseline + 1, left : left + 8] = 200
    ink[:, FOLD : FOLD + 2] = np.maximum(ink[:, FOLD : FOLD + 2], 90)
    return paper_of(ink, lines)


def rules(paper: Paper) -> NDArray[np.intp]:
    return np.flatnonzero(paper.upright.any(axis=0))


@pytest.mark.parametrize(
    ("across", "stopping", "stays"),
    [
        (LEAST_ACROSS, 0, False),
        (LEAST_ACROSS, 2 * LEAST_ACROSS + 1, False),
        (LEAST_ACROSS, 2 * LEAST_ACROSS + 2, True),
        (LEAST_ACROSS - 1, 0, True),
    ],
)
def test_a_rule_that_many_lines_go_across_is_a_fold(
    across: int, stopping: int, stays: bool
) -> None:
    ends = [(40, 360)] * across + [(40, FOLD - 8)] * stopping
    lines = [line(number, *end) for number, end in enumerate(ends)]
    paper = paper_with(lines)
    assert FOLD in rules(paper)
    found = without_folds(paper, lines)
    assert (FOLD in rules(found)) == stays
    assert bool(found.barred[-1, -1]) == stays


def test_lines_far_from_a_rule_have_no_say() -> None:
    ends = [(40, 360)] * LEAST_ACROSS + [(40, 100)] * 10
    lines = [line(number, *end) for number, end in enumerate(ends)]
    assert FOLD not in rules(without_folds(paper_with(lines), lines))


def test_a_page_of_nothing_but_rules_has_no_fold() -> None:
    lines = [line(0, 40, 100)]
    paper = paper_with(lines)
    assert without_folds(paper, lines) is paper
