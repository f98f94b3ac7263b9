"""The steps of the line finder, each on the smallest picture that shows it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.layout import Line, crop_line, draw_lines, skew
from hwr.layout.ink import evenly_lit
from hwr.layout.line import Box
from hwr.layout.order import reading_order
from hwr.layout.rules import bridges, whole_level_rules
from hwr.layout.skew import sheared, skew_of

Grey = NDArray[np.uint8]


def paper(height: int = 400, width: int = 600, grey: int = 255) -> Grey:
    return np.full((height, width), grey, np.uint8)


def text_ink(size: float, gap: int, rows: int = 8) -> Grey:
    page = np.zeros((gap * (rows + 2), 900), np.uint8)
    for row in range(rows):
        cv2.putText(page, "nova mex sum arc", (40, gap * (row + 1)), 0, size, 1, 3)
    return page


def test_flat_paper_is_white_under_any_light() -> None:
    slope = np.linspace(90, 240, 600)
    page = np.broadcast_to(slope, (400, 600)).astype(np.uint8)
    assert evenly_lit(page)[40:-40, 40:-40].min() > 240


@pytest.mark.parametrize("slope", [-0.08, 0.0, 0.03, 0.1])
def test_the_slope_of_lines_is_measured(slope: float) -> None:
    sloping = sheared(text_ink(1.5, 90), -slope)
    assert skew_of(sloping) == pytest.approx(slope, abs=0.006)


def test_a_stroke_across_a_rule_is_whole_again_without_the_rule() -> None:
    ink = np.zeros((200, 600), np.uint8)
    ink[100:103, 20:580] = 1
    ink[60:160, 300:304] = 1
    left = ink & (1 - whole_level_rules(ink, 110))
    assert not left[100:103].any()
    whole = left | (ink & bridges(left))
    assert whole[60:160, 300:304].all()
    assert not whole[:, 20:290].any()


def row(y: float, *spans: tuple[float, float]) -> list[Box]:
    return [(left, y, right, y + 30) for left, right in spans]


def test_order_is_top_to_bottom_then_left_to_right() -> None:
    boxes = row(200, (0, 900)) + row(0, (500, 900)) + row(4, (0, 400)) + row(100, (0, 300))
    assert reading_order(boxes) == [2, 1, 3, 0]


def test_a_heading_comes_before_and_a_foot_after_the_columns() -> None:
    heading, foot = row(0, (0, 1000)), row(600, (0, 1000))
    left = [box for y in range(100, 500, 60) for box in row(y, (0, 450))]
    right = [box for y in range(130, 500, 60) for box in row(y, (550, 1000))]
    boxes = [*right, *foot, *left, *heading]
    assert len(right) == len(left) == 7
    assert reading_order(boxes) == [15, *range(8, 15), *range(7), 7]


def test_no_boxes_have_no_order() -> None:
    assert reading_order([]) == []


def make_line(polygon: list[tuple[int, int]], baseline: list[tuple[int, int]]) -> Line:
    return Line(order=0, polygon=tuple(polygon), baseline=tuple(baseline))


def sloping_line() -> tuple[Grey, Line]:
    """A page with a thick sloping stroke at the baseline, and ink outside of the outline."""
    page = paper(grey=220)
    cv2.line(page, (100, 200), (500, 280), 0, 6)
    page[20:60, 100:500] = 0
    outline = [(100, 160), (500, 240), (500, 300), (100, 220)]
    return page, make_line(outline, [(100, 200), (500, 280)])


def test_a_crop_is_straight_along_the_baseline() -> None:
    page, line = sloping_line()
    crop = crop_line(page, line)
    dark = [np.flatnonzero(column < 100).mean() for column in crop[:, 20:-20].T]
    assert np.ptp(dark) <= 2


def test_a_crop_is_hardly_larger_than_the_outline() -> None:
    page, line = sloping_line()
    height, width = crop_line(page, line).shape
    assert 60 <= height <= 70
    assert 400 <= width <= 425


def test_paper_grey_covers_the_neighbours() -> None:
    page, line = sloping_line()
    low = make_line(
        [(100, 90), (500, 90), (500, 110), (300, 40), (100, 110)], [(100, 100), (500, 100)]
    )
    crop = crop_line(page, low)
    assert crop[1, 3] == 220
    assert crop[-3, -3] == 220
    assert crop.min() == 0
    assert set(np.unique(crop_line(paper(grey=200), line))) == {200}


def test_ascenders_and_descenders_are_kept() -> None:
    page = paper()
    page[100:200, 150:153] = 0
    line = make_line(
        [(100, 140), (145, 140), (149, 98), (154, 98), (159, 140), (300, 140), (300, 165),
         (156, 165), (154, 202), (149, 202), (145, 165), (100, 165)],
        [(100, 160), (300, 160)],
    )  # fmt: skip
    crop = crop_line(page, line)
    assert (crop < 50).any(axis=1).sum() == 100


@pytest.mark.parametrize("corner", [(0, 0), (560, 0), (0, 380), (560, 380)])
def test_a_line_at_the_edge_of_the_page_can_be_cut(corner: tuple[int, int]) -> None:
    x, y = corner
    line = make_line(
        [(x, y), (x + 39, y), (x + 39, y + 19), (x, y + 19)], [(x, y + 15), (x + 39, y + 15)]
    )
    assert crop_line(paper(), line).shape >= (20, 40)


def test_a_drawing_shows_outline_baseline_and_text() -> None:
    page, line = sloping_line()
    drawing = draw_lines(page, [line], ["a few words"])
    assert drawing.shape == (*page.shape, 3)
    assert drawing.dtype == np.uint8
    plain = draw_lines(page, [line], [""])
    changed = (drawing != plain).any(axis=2)
    assert changed.any()
    assert np.flatnonzero(changed.any(axis=1)).max() < 200
    assert (plain[:, :, 0] != plain[:, :, 2])[230:250].any()


def test_texts_must_go_with_lines() -> None:
    page, line = sloping_line()
    with pytest.raises(ValueError, match="shorter"):
        draw_lines(page, [line], [])


@pytest.mark.parametrize("shape", [(10_000, 16), (16, 10_000), (1, 10_000), (10_000, 1)])
def test_the_search_for_the_slope_never_enlarges_a_page(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    measured = skew.sharpness

    def sharpness(small: NDArray[np.float32], slope: float) -> float:
        seen.append(small.size)
        return measured(small, slope)

    monkeypatch.setattr(skew, "sharpness", sharpness)
    skew.skew_of(np.ones(shape, np.uint8))
    assert max(seen) <= shape[0] * shape[1]
