"""How slanted a line is, and that only what slants more than usual is set more upright."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.model.line_image import LINE_HEIGHT, MAX_WIDTH, WIDTH_STEP
from hwr.model.line_slant import USUAL, slant, unusual_slant
from hwr.model.line_views import VIEWS, slanted, view

Grey = NDArray[np.uint8]


def strokes(lean: float = 0.0, width: int = 480) -> Grey:
    """Strokes that lean so many pixels to the right for each pixel upwards, and a level one."""
    image = np.full((LINE_HEIGHT, width), 255, np.uint8)
    for x in range(60, width - 60, 24):
        foot, head = (round(x - 20 * lean), 52), (round(x + 20 * lean), 12)
        cv2.line(image, foot, head, 0, 3, cv2.LINE_AA)
    cv2.line(image, (60, 34), (width - 60, 34), 0, 2, cv2.LINE_AA)
    return image


@pytest.mark.parametrize("lean", [-0.9, -0.4, 0.0, 0.5, 1.0])
def test_slant_tells_the_lean_of_strokes_and_never_more(lean: float) -> None:
    told = slant(strokes(lean))
    assert abs(told) <= abs(lean) + 0.03
    assert told == pytest.approx(lean, abs=0.25)


@pytest.mark.parametrize("image", [strokes(), strokes(0.25), strokes(-0.25)])
def test_a_usual_line_is_seen_as_it_is(image: Grey) -> None:
    assert unusual_slant(image) == 0
    assert view(image, 0) is image


@pytest.mark.parametrize("drop", [-6, -2, 2, 6])
def test_a_sloping_dash_is_no_slanted_stroke(drop: int) -> None:
    image = np.full((LINE_HEIGHT, 160), 255, np.uint8)
    cv2.line(image, (40, 32 - drop), (120, 32 + drop), 0, 3, cv2.LINE_AA)
    assert view(image, 0) is image


@pytest.mark.parametrize("grey", [0, 255])
def test_a_line_without_strokes_is_seen_as_it_is(grey: int) -> None:
    image = np.full((LINE_HEIGHT, 80), grey, np.uint8)
    assert view(image, 0) is image


@pytest.mark.parametrize("lean", [-0.9, 0.7, 1.0])
def test_what_slants_more_is_set_more_upright_and_nothing_is_cut_off(lean: float) -> None:
    image = strokes(lean)
    seen = view(image, 0)
    assert USUAL - 0.1 < abs(slant(seen)) < abs(slant(image)) - 0.1
    assert seen.shape[0] == LINE_HEIGHT
    assert seen.shape[1] % WIDTH_STEP == 0
    ink = [float((255 - one.astype(float)).sum()) for one in (image, seen)]
    assert ink[1] == pytest.approx(ink[0], rel=0.02)
    assert seen[:, 0].min() == seen[:, -1].min() == 255


def test_other_views_slant_both_ways_from_there() -> None:
    image = strokes(0.8)
    leans = [slant(view(image, number)) for number in range(VIEWS)]
    assert leans[2] < leans[0] < leans[1]


def test_the_widest_line_stays_as_wide() -> None:
    assert slanted(strokes(0.9, MAX_WIDTH), -0.5).shape == (LINE_HEIGHT, MAX_WIDTH)


@pytest.mark.parametrize("shear", [-1.0, -0.6, 0.6, 1.0])
def test_nothing_is_cut_off_at_the_edges_however_strong_the_slant(shear: float) -> None:
    image = np.full((LINE_HEIGHT, 160), 255, np.uint8)
    image[:, :3] = image[:, -3:] = 0
    ink = [float((255 - one.astype(float)).sum()) for one in (image, slanted(image, shear))]
    assert ink[1] == pytest.approx(ink[0], rel=0.02)


def test_a_slant_is_unusual_from_the_usual_one_on() -> None:
    leans = np.arange(0.0, 1.0, 0.02)
    told = np.array([[slant(strokes(lean)), unusual_slant(strokes(lean))] for lean in leans])
    usual = told[:, 0] < USUAL
    assert 5 < usual.sum() < len(usual) - 5
    assert (told[usual, 1] == 0).all()
    far = told[:, 0] > USUAL + 0.02
    assert told[far, 1] == pytest.approx(told[far, 0] - USUAL)
