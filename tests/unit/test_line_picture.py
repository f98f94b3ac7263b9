"""Pictures of lines as people cut them: polarity, empty rows, dark edges."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.errors import BadLineImage
from hwr.line_picture import levelled, small_ink, trimmed, views_of
from hwr.model.line_image import normalise_line

Grey = NDArray[np.uint8]


def draw() -> Grey:
    line = np.full((64, 700), 230, np.uint8)
    return np.asarray(cv2.putText(line, "dapple high", (20, 46), 0, 1.8, 50, 3), np.uint8)


def padded(line: Grey, top: int, bottom: int, side: int = 0, grey: int = 230) -> Grey:
    kind = cv2.BORDER_CONSTANT
    return np.asarray(cv2.copyMakeBorder(line, top, bottom, side, side, kind, value=grey), np.uint8)


def specked(line: Grey) -> Grey:
    line[5:8, 40:43] = line[-9:-6, 300:303] = 0
    return line


def ruled(line: Grey) -> Grey:
    line[4:6] = line[-8:-6] = 100
    return line


def sloping(line: Grey, slope: float) -> Grey:
    room = round(abs(slope) * line.shape[1])
    fall = np.array([[1, 0, 0], [slope, 1, 0 if slope > 0 else room]])
    size = line.shape[1], line.shape[0] + room
    return np.asarray(cv2.warpAffine(line, fall, size, borderValue=230), np.uint8)


def high_writing(line: Grey) -> float:
    """Rows with ink for each column."""
    return float((line < 128).any(axis=1).sum() / line.shape[1])


def made_level(grey: Grey) -> Grey:
    """The line with its columns moved, shape (h, w)."""
    return levelled(grey, small_ink(grey))


def without_rows(grey: Grey) -> Grey:
    """The line without its empty rows, shape (h, w)."""
    return trimmed(grey, small_ink(grey))


@pytest.mark.parametrize("scale", [0.5, 1, 6])
@pytest.mark.parametrize("slope", [-0.1, -0.04, 0.04, 0.1])
def test_a_sloping_line_comes_levelled_too(slope: float, scale: float) -> None:
    sloped = np.asarray(cv2.resize(sloping(draw(), slope), None, fx=scale, fy=scale), np.uint8)
    views = views_of(sloped)
    assert np.array_equal(views[0], normalise_line(sloped))
    assert np.array_equal(views[-1], normalise_line(without_rows(made_level(sloped))))
    level = made_level(sloped)
    assert high_writing(level) == pytest.approx(high_writing(draw()), rel=0.1)


def test_levelling_leaves_out_no_ink() -> None:
    sloped = sloping(draw(), 0.1)
    assert (made_level(sloped) < 128).sum() == pytest.approx((sloped < 128).sum(), rel=0.05)


@pytest.mark.parametrize("size", [(300, 240), (4, 40_000)])
def test_single_letters_and_threads_have_no_slope(size: tuple[int, int]) -> None:
    stroke = np.full(size, 230, np.uint8)
    cv2.line(stroke, (0, 0), (size[1], size[0]), 50, 3)
    assert made_level(stroke) is stroke


def test_a_line_that_is_cut_tight_stays_as_it_is() -> None:
    [view] = views_of(draw())
    assert np.array_equal(view, normalise_line(draw()))


def test_a_line_with_much_paper_around_comes_as_it_is_too() -> None:
    roomy = padded(draw(), 32, 32)
    whole, cut = views_of(roomy)
    assert np.array_equal(whole, normalise_line(roomy))
    assert np.array_equal(cut, normalise_line(without_rows(roomy)))
    assert (cut < 100).sum() > 2 * (whole < 100).sum()


@pytest.mark.parametrize("height", [32, 64, 200])
def test_light_on_dark_reads_as_dark_on_light(height: int) -> None:
    line = np.asarray(cv2.resize(draw(), None, fx=height / 64, fy=height / 64), np.uint8)
    for light, dark in zip(views_of(255 - line), views_of(line), strict=True):
        assert np.array_equal(light, dark)


@pytest.mark.parametrize(("top", "bottom"), [(48, 0), (0, 48), (32, 32), (160, 160)])
@pytest.mark.parametrize("spoilt", [np.copy, specked, ruled])
def test_empty_rows_are_cut_off(top: int, bottom: int, spoilt: Callable[[Grey], Grey]) -> None:
    line = without_rows(spoilt(padded(draw(), top, bottom)))
    assert 45 < line.shape[0] < 72
    assert (line < 100).sum() == pytest.approx((draw() < 100).sum(), rel=0.05)


def test_dark_edges_are_cut_off() -> None:
    framed = padded(draw(), 12, 12, 12, grey=0)
    [view] = views_of(framed)
    assert np.array_equal(view, normalise_line(draw()))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_blank_pictures_stay(grey: int) -> None:
    blank = np.full((64, 200), grey, np.uint8)
    [view] = views_of(blank)
    assert np.array_equal(view, normalise_line(blank))


@pytest.mark.parametrize("size", [(4, 4), (16, 9), (900, 5), (5, 900)])
def test_any_size_from_four_pixels_on(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    assert all(view.shape[0] == 64 for view in views_of(noise))


def test_what_is_nearly_all_edge_is_read_as_it_is() -> None:
    bands = np.repeat(np.array([0, 128, 255], np.uint8), (26, 3, 26))[:, None].repeat(140, axis=1)
    assert all(view.shape[0] == 64 for view in views_of(bands))


def test_less_is_refused() -> None:
    with pytest.raises(BadLineImage):
        views_of(np.zeros((3, 9), np.uint8))
