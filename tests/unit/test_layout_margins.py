"""Lines up or down a margin are found, read after the text and cut upright."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from hwr.layout import Line, crop_line, find_lines
from hwr.layout.ink import Grey
from hwr.layout.margins import with_margins

_TEXT = ("we shall be glad to send you", "a copy of the letter that", "came here last week with")
_SIDE = "please write to me again before winter"


def _put(page: Grey, text: str, x: int, y: int) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(page, text, (x, y), font, 1.5, 40, 2, cv2.LINE_AA)


def _page(aside: Sequence[str] = ()) -> Grey:
    """Fifteen lines of text, 250 pixels from the left, and short ones to their left."""
    page = np.full((1500, 1250), 235, np.uint8)
    for number in range(15):
        _put(page, _TEXT[number % 3], 250, 120 + 85 * number)
    for number, text in enumerate(aside):
        _put(page, text, 90, 120 + 85 * number)
    return page


def _turned(page: Grey, quarters: int) -> Grey:
    """The page with a line along its left side (counter-clockwise quarter turns: -1) or right."""
    side = np.ascontiguousarray(np.rot90(page, quarters))
    _put(side, _SIDE, 200, 90)
    return np.ascontiguousarray(np.rot90(side, -quarters))


def _found(page: Grey) -> tuple[Line, ...]:
    return with_margins(page, find_lines(page))


@pytest.mark.parametrize(("quarters", "runs"), [(-1, -1), (1, 1)], ids=["up", "down"])
def test_a_line_in_the_margin_is_one_line_after_the_text(quarters: int, runs: int) -> None:
    found = _found(_turned(_page(), quarters))

    assert [line.order for line in found] == list(range(16))
    assert all(np.ptp(np.array(line.polygon)[:, 0]) > 300 for line in found[:-1])
    across, down = np.subtract(found[-1].baseline[-1], found[-1].baseline[0])
    assert down * runs > 600
    assert abs(across) < 30


@pytest.mark.parametrize("quarters", [-1, 1], ids=["up", "down"])
def test_it_is_cut_as_if_it_had_been_level(quarters: int) -> None:
    page = _turned(_page(), quarters)
    line = _found(page)[-1]
    level = np.ascontiguousarray(np.rot90(page, quarters))

    crop = crop_line(page, line).astype(float)

    height, width = crop.shape
    assert width > 8 * height
    window = level[: 90 + height].astype(np.float32)
    match = cv2.matchTemplate(window, crop[3:-3, 20:-20].astype(np.float32), cv2.TM_CCOEFF_NORMED)
    assert match.max() > 0.9


def test_a_column_of_figures_stays_as_it_is() -> None:
    page = _page([str(17 * number % 90 + 10) for number in range(15)])
    lines = find_lines(page)

    assert with_margins(page, lines) == lines
    assert len(lines) >= 15


def test_a_page_without_lines_has_none_in_its_margins() -> None:
    assert with_margins(np.full((300, 300), 235, np.uint8), ()) == ()
