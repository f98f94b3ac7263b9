"""Writing under a marker is read as if on bare paper; what else is dark stays."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.forms.page import lay_out
from hwr.layout.markers import without_markers
from hwr.profiles import FREE_TEXT, load_profile

Grey = NDArray[np.uint8]
ROWS = range(180, 2080, 110)


def draw(ink: int = 160) -> Grey:
    page = np.full((2200, 1700), 225, np.uint8)
    for y in ROWS:
        cv2.putText(
            page, "a line that goes on and on", (150, y), cv2.FONT_HERSHEY_SIMPLEX, 3, ink, 4
        )
    noise = np.random.default_rng(5).normal(0, 2, page.shape)
    return np.clip(page + noise, 0, 255).astype(np.uint8)


def shaded(page: Grey, rows: slice, columns: slice, light: float) -> Grey:
    page = page.copy()
    page[rows, columns] = page[rows, columns] * light
    return page


def marked(page: Grey, light: float = 0.6) -> Grey:
    """The page with bars over the lower half of a line here and there, and on to below it."""
    for y in ROWS[::3]:
        page = shaded(page, slice(y - 30, y + 25), slice(300, 1200), light)
    return page


@pytest.mark.parametrize("light", [0.55, 0.7, 0.8])
def test_marked_writing_is_as_on_bare_paper(light: float) -> None:
    page = draw()
    unmarked = without_markers(marked(page, light)).astype(int)
    edges = np.abs(unmarked - page) > 20
    assert edges.mean() < 0.002
    assert np.abs(unmarked - page).mean() < 1


def test_lines_run_on_across_the_ends_of_bars() -> None:
    form = load_profile(FREE_TEXT).page(1)
    assert len(lay_out(marked(draw()), form).lines) == len(ROWS)


@pytest.mark.parametrize(
    "page",
    [
        draw(),
        marked(draw(), 0.95),
        marked(draw(), 0.2),
        shaded(draw(), slice(300, 800), slice(300, 1200), 0.6),
        shaded(draw(), slice(300, 360), slice(900, 1700), 0.6),
        shaded(draw(), slice(300, 360), slice(700, 760), 0.6),
    ],
    ids=["clean", "hardly darker", "blackened", "box", "shadow from the side", "spot"],
)
def test_what_no_marker_made_stays(page: Grey) -> None:
    assert without_markers(page) is page


@pytest.mark.parametrize("ink", [110, 150, 180])
@pytest.mark.parametrize("width", [12, 14, 18])
def test_a_felt_pens_own_strokes_stay(ink: int, width: int) -> None:
    page = np.full((220, 1100), 230, np.uint8)
    cv2.line(page, (40, 150), (580, 150), ink, width)
    for x in range(60, 580, 30):
        cv2.line(page, (x, 120), (x, 150), ink, width)
    noise = np.random.default_rng(5).normal(0, 3, page.shape)
    page = np.clip(page + noise, 0, 255).astype(np.uint8)
    assert without_markers(page) is page
