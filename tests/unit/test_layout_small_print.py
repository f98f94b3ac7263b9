"""Print much smaller than the hand on its page is found line by line."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from hwr.errors import TooManyLines
from hwr.layout import small_print
from hwr.layout.find import find_lines
from hwr.layout.ink import Grey
from hwr.layout.line import MOST_LINES, Outline
from hwr.layout.view import network_outlines

_HAND = ("we shall be glad to send you", "a copy of the letter that", "came here last week with")


def _page(rows: Sequence[str]) -> Grey:
    """Three large lines below a head of small ones at the left, 17 pixels apart."""
    page = np.full((1200, 1000), 235, np.uint8)
    for number, text in enumerate(rows):
        place = (60, 60 + 17 * number)
        cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 30, 1, cv2.LINE_AA)
    for number, text in enumerate(_HAND):
        place = (60, 400 + 150 * number)
        cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.9, 30, 3, cv2.LINE_AA)
    return page


def _box(left: float, top: float, width: float, height: float, *, head: bool = False) -> Outline:
    right, bottom = left + width, top + height
    return Outline(
        polygon=np.array([(left, top), (right, top), (right, bottom), (left, bottom)]),
        baseline=np.array([(left, bottom - 2), (right, bottom - 2)]),
        head=head,
        height=height,
    )


def test_small_lines_at_the_head_are_found_as_well_as_large_ones() -> None:
    page = _page(["MISS ANNA STOVALL", "560 UNION STREET", "MRS. E. B. CUTLER", "1737 BROADWAY"])
    lines = find_lines(page)
    rows = sorted(line.baseline[0][1] for line in lines)
    assert len(rows) == 7
    assert np.allclose(rows[:4], [60, 77, 94, 111], atol=5)
    assert len(network_outlines(page)) < 7, "one look is not enough"


def test_the_usual_height_is_that_of_most_of_the_writing() -> None:
    lines = [_box(0, 0, 50, 8), _box(0, 14, 50, 8), _box(0, 30, 500, 20)]
    assert small_print.usual_height(lines) == 20
    assert small_print.usual_height([]) == 0


def test_places_are_boxes_around_small_lines_that_are_close() -> None:
    boxes = small_print.boxes_of([_box(0, 0, 50, 8), _box(0, 14, 50, 8), _box(0, 300, 50, 8)])
    (place,) = small_print.places_of(boxes, apart=10, largest=1e6)
    assert place.tolist() == [-5, -5, 55, 27]
    assert small_print.places_of(boxes, apart=10, largest=100) == []
    # The last line joins two places that were apart before.
    bridged = small_print.boxes_of([_box(0, 0, 50, 8), _box(120, 0, 50, 8), _box(60, 0, 50, 8)])
    assert len(small_print.places_of(bridged, apart=20, largest=1e6)) == 1


def test_many_places_are_not_all_looked_at() -> None:
    boxes = small_print.boxes_of(
        [_box(0, 100 * n + 12 * k, 50, 8) for n in range(20) for k in range(2)]
    )
    assert len(small_print.places_of(boxes, apart=10, largest=1e6)) == small_print.MOST_PLACES


@pytest.mark.parametrize(("found", "count"), [(1, 3), (3, 4)])
def test_a_second_look_is_taken_where_it_shows_more(
    found: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [_box(10, 10, 50, 8, head=True), _box(10, 22, 50, 8), _box(10, 200, 300, 40)]
    seen = [_box(2, 2 + 9 * number, 50, 7) for number in range(found)]
    monkeypatch.setattr(small_print, "network_outlines", lambda _: seen)
    page = np.full((400, 400), 255, np.uint8)
    outlines = small_print.looked_at_again(page, np.array([5.0, 5, 80, 40]), known, 20)
    assert len(outlines) == count
    if found > 2:
        new = [outline for outline in outlines if outline.polygon[:, 1].max() < 100]
        assert [outline.polygon[0].tolist() for outline in new] == [[7, 7], [7, 16], [7, 25]]
        assert all(outline.head for outline in new)


def test_what_a_large_line_covers_is_no_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [_box(10, 10, 50, 8), _box(10, 22, 50, 8), _box(0, 40, 300, 40)]
    seen = [_box(5, 50, 50, 8), _box(5, 5, 50, 6), _box(5, 12, 50, 6), _box(5, 20, 50, 6)]
    monkeypatch.setattr(small_print, "network_outlines", lambda _: seen)
    page = np.full((400, 400), 255, np.uint8)
    outlines = small_print.looked_at_again(page, np.array([0.0, 0, 80, 70]), known, 20)
    assert len(outlines) == 4


def test_a_place_beyond_the_page_and_a_crowd_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    page = np.full((400, 400), 255, np.uint8)
    assert small_print.look_into(page, np.array([380.0, -90, 480, -10])) == []
    assert small_print.look_into(page, np.array([0.0, 398, 100, 470])) == []

    def crowd(_: Grey) -> list[Outline]:
        raise TooManyLines("The page has 1001 lines, the limit is 1000. Split it.")

    monkeypatch.setattr(small_print, "network_outlines", crowd)
    assert small_print.look_into(page, np.array([0.0, 0, 100, 100])) == []


def test_no_second_look_makes_a_page_one_of_too_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    large = [_box(0, 40 * number, 200, 30) for number in range(MOST_LINES - 2)]
    few = [_box(300, 10, 40, 8), _box(300, 22, 40, 8)]
    views = iter([[*large, *few], [_box(5, 5 + 9 * number, 40, 7) for number in range(4)]])
    monkeypatch.setattr(small_print, "network_outlines", lambda _: next(views))
    page = np.full((400, 400), 255, np.uint8)
    assert len(small_print.all_outlines(page)) == MOST_LINES
