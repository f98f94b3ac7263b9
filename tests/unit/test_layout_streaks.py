"""A scanner's streaks are taken out; rules, edges and small pictures stay as they are."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.forms.page import lay_out
from hwr.layout.streaks import MOST_STREAKS, without_streaks
from hwr.profiles import FREE_TEXT, load_profile

Grey = NDArray[np.uint8]
#: Between words, where a rule would part the lines, and in letters.
PLACES = (250, 120, 420)


def draw() -> Grey:
    page = np.full((1100, 850), 235, np.uint8)
    for y in range(90, 1050, 60):
        for word, x in (("a line", 60), ("of writing", 280)):
            cv2.putText(page, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 2.2, 40, 3)
    noise = np.random.default_rng(5).normal(0, 3, page.shape)
    return np.clip(page + noise, 0, 255).astype(np.uint8)


def streaked(page: Grey, places: tuple[int, ...] = PLACES, width: int = 2) -> Grey:
    page = page.copy()
    for x in places:
        page[:, x : x + width] = page[:, x : x + width] * 0.5
    return page


@pytest.mark.parametrize("width", [1, 2])
def test_streaks_are_taken_out(width: int) -> None:
    page = draw()
    mended = without_streaks(streaked(page, width=width))
    assert np.abs(mended.mean(axis=0) - page.mean(axis=0)).max() < 20
    # Strokes across a streak go on.
    x = PLACES[2]
    crossed = (page[:, x - 3 : x + 4] < 60).all(axis=1)
    assert crossed.any()
    assert mended[crossed, x].max() < 80


def test_lines_run_on_across_streaks() -> None:
    form = load_profile(FREE_TEXT).page(1)
    clean, mended = (lay_out(page, form).lines for page in (draw(), streaked(draw())))
    assert len(mended) == len(clean) == 16


def rule(page: Grey, top: int, bottom: int, drift: int) -> Grey:
    cv2.line(page, (400, top), (400 + drift, bottom), 90, 2)
    return page


def register(is_grid: bool) -> Grey:
    """Columns of a page cut out of a register, parted by rules from the top to the bottom."""
    page = np.full((1100, 850), 235, np.uint8)
    for y in range(90, 1050, 60):
        for word, x in (("Meier", 40), ("Anna", 330), ("1843", 590)):
            cv2.putText(page, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 40, 3)
        page[y + 18 : y + 18 + 2 * is_grid] = 90
    page[:, 300:302] = page[:, 560:562] = 90
    noise = np.random.default_rng(5).normal(0, 3, page.shape)
    return np.clip(page + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "page",
    [
        draw(),
        register(is_grid=False),
        register(is_grid=True),
        rule(draw(), 60, 1040, 0),
        rule(draw(), 0, 1099, 6),
        streaked(draw(), tuple(range(80, 800, 80))),
        streaked(draw())[:500],
        np.hstack([np.full((1100, 300), 30, np.uint8), draw()]),
    ],
    ids=[
        "clean",
        "register",
        "grid",
        "short rule",
        "leaning rule",
        "squared paper",
        "field",
        "edge of the sheet",
    ],
)
def test_what_is_no_streak_stays(page: Grey) -> None:
    assert without_streaks(page) is page


def test_streaks_at_the_very_edge_are_left() -> None:
    page = streaked(draw(), (0, 848))
    assert without_streaks(page) is page


def test_as_many_streaks_as_a_scanner_has() -> None:
    places = tuple(range(80, 80 + 80 * MOST_STREAKS, 80))
    assert without_streaks(streaked(draw(), places)).mean() == pytest.approx(draw().mean(), abs=0.5)
