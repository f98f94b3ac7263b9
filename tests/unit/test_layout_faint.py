"""Faint writing is seen; what is as dark as ever, and empty paper, stay as they are."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.layout import find_lines
from hwr.layout.faint import PLACE, evened, ink_of
from hwr.layout.orientation import quarter_turns

Grey = NDArray[np.uint8]
PAPER = 245


def page_of(*greys: int, grain: float = 2.0) -> Grey:
    """Lines of writing, as many in each grey, on paper with a grain."""
    page = np.full((1800, 1400), PAPER, np.uint8)
    for place, grey in enumerate(grey for grey in greys for _ in range(len(ROWS) // len(greys))):
        text = "every good boy deserves a fair jig"
        cv2.putText(page, text, (120, ROWS[place]), 0, 1.9, grey, 3, cv2.LINE_AA)
    noise = np.random.default_rng(5).normal(0, grain, page.shape)
    return np.clip(page + noise, 0, 255).astype(np.uint8)


ROWS = range(200, 1700, 130)


@pytest.mark.parametrize("contrast", [0.2, 0.1])
def test_faint_writing_is_found(contrast: float) -> None:
    assert len(find_lines(page_of(round(PAPER * (1 - contrast))))) == len(ROWS)


def test_faint_writing_beside_dark_print_is_found() -> None:
    assert len(find_lines(page_of(20, round(PAPER * 0.83)))) == len(ROWS)


def test_faint_writing_says_which_way_up_the_page_lies() -> None:
    page = np.full((1500, 1100), PAPER, np.uint8)
    for row, y in enumerate(range(140, 1380, 90)):
        text = "had thought they would both be able to help find his black hat"[3 * (row % 5) :]
        font = cv2.FONT_HERSHEY_COMPLEX
        cv2.putText(page, text[: 40 if row % 5 else 22], (90, y), font, 1.2, 215, 2, cv2.LINE_AA)
    assert [quarter_turns(np.ascontiguousarray(np.rot90(page, turns))) for turns in range(4)] == [
        0,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize("grain", [0.0, 3.0, 10.0])
def test_nothing_is_found_on_empty_paper(grain: float) -> None:
    page = page_of(PAPER, grain=grain)
    assert not find_lines(page)


def test_dark_ink_stays_as_it_is() -> None:
    view = cv2.resize(page_of(30), None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    ink = ink_of(np.asarray(view, np.uint8))
    assert ink.max() > 150
    assert np.array_equal(ink_of(255 - ink), ink)
    assert evened(ink) is ink


def test_what_shows_through_beside_dark_ink_stays_as_it_is() -> None:
    ink = np.zeros((4 * PLACE, 4 * PLACE), np.uint8)
    ink[:PLACE, ::5] = 200
    ink[2 * PLACE :, ::5] = 20
    assert evened(ink) is ink


def test_places_of_any_shape_are_evened() -> None:
    ink = np.zeros((3 * PLACE + 5, 2 * PLACE + 7), np.uint8)
    ink[-PLACE:, ::5] = 30
    assert evened(ink).shape == ink.shape
    assert evened(ink)[-1, 0] == 90
