"""Light ink on a dark ground is turned round; a dark table under a white sheet is not."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.forms.page import lay_out
from hwr.layout import Line
from hwr.layout.polarity import dark_on_light
from hwr.profiles import FREE_TEXT, load_profile

Grey = NDArray[np.uint8]


def draw(ink: int = 40, paper: int = 235) -> Grey:
    page = np.full((900, 700), paper, np.uint8)
    for y in range(90, 850, 60):
        cv2.putText(page, "a line of writing", (60, y), cv2.FONT_HERSHEY_SIMPLEX, 1.4, ink, 3)
    return page


def on_table(page: Grey, table: Grey) -> Grey:
    height, width = page.shape
    table[300 : 300 + height, 250 : 250 + width] = page
    return table


@pytest.mark.parametrize(("ink", "paper"), [(215, 20), (190, 60), (150, 100)])
def test_light_ink_is_turned_round(ink: int, paper: int) -> None:
    page = draw(ink, paper)
    assert np.array_equal(dark_on_light(page), 255 - page)


@pytest.mark.parametrize(("ink", "paper"), [(40, 235), (130, 180), (0, 90)])
def test_dark_ink_stays(ink: int, paper: int) -> None:
    page = draw(ink, paper)
    assert np.array_equal(dark_on_light(page), page)


@pytest.mark.parametrize("grain", [0, 12])
@pytest.mark.parametrize("grey", [0, 60])
def test_a_sheet_on_a_dark_table_of_twice_its_area_stays(grey: int, grain: int) -> None:
    noise = np.random.default_rng(0).normal(grey, grain, (1500, 1260))
    photo = on_table(draw(), np.clip(noise, 0, 255).astype(np.uint8))
    assert np.array_equal(dark_on_light(photo), photo)


def test_black_margins_and_blank_pages_stay() -> None:
    framed = cv2.copyMakeBorder(draw(), 60, 60, 150, 150, cv2.BORDER_CONSTANT, value=0)
    for page in (framed, np.zeros((300, 200), np.uint8), np.full((300, 200), 255, np.uint8)):
        assert np.array_equal(dark_on_light(np.asarray(page, np.uint8)), page)


def test_lines_of_an_inverted_page_are_found_and_cut_as_those_of_the_page() -> None:
    form = load_profile(FREE_TEXT).page(1)

    def finder(image: Grey) -> tuple[Line, ...]:
        assert np.median(image) > 200
        return (Line(order=0, polygon=((50, 50), (600, 50), (600, 110)), baseline=((50, 100),)),)

    page = draw()
    layout = lay_out(page, form, finder)
    inverted = lay_out(255 - page, form, finder)
    assert inverted.lines == layout.lines
    assert np.array_equal(inverted.view.image, layout.view.image)
