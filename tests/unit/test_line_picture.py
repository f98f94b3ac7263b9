"""Pictures of lines as people cut them: polarity, empty rows, dark edges."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.errors import BadLineImage
from hwr.model.line_image import normalise_line
from hwr.model.line_picture import normalise_picture, trimmed

Grey = NDArray[np.uint8]


def draw() -> Grey:
    line = np.full((64, 700), 230, np.uint8)
    return np.asarray(cv2.putText(line, "dapple high", (20, 44), 0, 1.6, 50, 3), np.uint8)


def padded(line: Grey, top: int, bottom: int, side: int = 0, grey: int = 230) -> Grey:
    kind = cv2.BORDER_CONSTANT
    return np.asarray(cv2.copyMakeBorder(line, top, bottom, side, side, kind, value=grey), np.uint8)


def specked(line: Grey) -> Grey:
    line[5:8, 40:43] = line[-9:-6, 300:303] = 0
    return line


def ruled(line: Grey) -> Grey:
    line[4:6] = line[-8:-6] = 100
    return line


def test_a_line_that_is_cut_tight_stays_as_it_is() -> None:
    assert np.array_equal(normalise_picture(draw()), normalise_line(draw()))


@pytest.mark.parametrize("height", [32, 64, 200])
def test_light_on_dark_reads_as_dark_on_light(height: int) -> None:
    line = np.asarray(cv2.resize(draw(), None, fx=height / 64, fy=height / 64), np.uint8)
    assert np.array_equal(normalise_picture(255 - line), normalise_picture(line))


@pytest.mark.parametrize(("top", "bottom"), [(48, 0), (0, 48), (32, 32), (160, 160)])
@pytest.mark.parametrize("spoilt", [np.copy, specked, ruled])
def test_empty_rows_are_cut_off(top: int, bottom: int, spoilt: Callable[[Grey], Grey]) -> None:
    line = trimmed(spoilt(padded(draw(), top, bottom)))
    assert 45 < line.shape[0] < 72
    assert (line < 100).sum() == pytest.approx((draw() < 100).sum(), rel=0.02)


def test_dark_edges_are_cut_off() -> None:
    framed = padded(draw(), 12, 12, 12, grey=0)
    assert np.array_equal(normalise_picture(framed), normalise_line(draw()))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_blank_pictures_stay(grey: int) -> None:
    blank = np.full((64, 200), grey, np.uint8)
    assert np.array_equal(normalise_picture(blank), normalise_line(blank))


@pytest.mark.parametrize("size", [(4, 4), (16, 9), (900, 5), (5, 900)])
def test_any_size_from_four_pixels_on(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    assert normalise_picture(noise).shape[0] == 64


def test_what_is_nearly_all_edge_is_read_as_it_is() -> None:
    bands = np.repeat(np.array([0, 128, 255], np.uint8), (26, 3, 26))[:, None].repeat(140, axis=1)
    assert normalise_picture(bands).shape[0] == 64


def test_less_is_refused() -> None:
    with pytest.raises(BadLineImage):
        normalise_picture(np.zeros((3, 9), np.uint8))
