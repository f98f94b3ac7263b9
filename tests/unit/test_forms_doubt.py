"""Pages on which several sheets lie, or one of another shape or the other way up."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.errors import FormNotFound, TooManyLines, WritingOutside
from hwr.forms import PageLayout, lay_out
from hwr.layout import Line
from hwr.profiles import PageForm, ZoneForm

WIDE, HIGH = 1400, 620
Grey = NDArray[np.uint8]

FORM = PageForm(
    size_mm=(140, 62),
    zones=tuple(
        ZoneForm.model_validate({"name": name, "find": "rule", "box": box})
        for name, box in (
            ("date", (90, 5, 135, 15)),
            ("payee", (10, 20, 100, 30)),
            ("words", (5, 33, 120, 43)),
        )
    ),
)


def cheque() -> Grey:
    """Rules where the form has them."""
    image = np.full((HIGH, WIDE), 245, np.uint8)
    for left, right, y in ((900, 1350, 130), (100, 1000, 280), (50, 1200, 410)):
        cv2.line(image, (left, y), (right, y), 60, 3)
    return image


def laid(parts: dict[tuple[int, int], Grey], size: tuple[int, int], ground: int = 60) -> Grey:
    """Sheets on a ground, by their left and top."""
    page = np.full(size[::-1], ground, np.uint8)
    for (left, top), part in parts.items():
        page[top : top + part.shape[0], left : left + part.shape[1]] = part
    return page


def rows(image: Grey, count: int) -> tuple[Line, ...]:
    """Lines as wide as the picture's middle half."""
    left, right = image.shape[1] // 4, image.shape[1] * 3 // 4
    return tuple(
        Line(
            order=at,
            polygon=(
                (left, at * 40),
                (right, at * 40),
                (right, at * 40 + 30),
                (left, at * 40 + 30),
            ),
            baseline=((left, at * 40 + 25), (right, at * 40 + 25)),
        )
        for at in range(count)
    )


def laid_out(image: Grey, lines: int = 0) -> PageLayout:
    return lay_out(image, FORM, lambda view: rows(view, lines))


@pytest.mark.parametrize("place", [(0, HIGH), (WIDE, 0)], ids=["below", "beside"])
def test_two_sheets_that_touch_are_told_by_their_shape(place: tuple[int, int]) -> None:
    size = WIDE + place[0], HIGH + place[1]
    warning = laid_out(laid({(0, 0): cheque(), place: cheque()}, size)).warning
    assert isinstance(warning, FormNotFound)
    assert "Scan one sheet a page" in str(warning)
    assert "the form 2.26 times" in str(warning)
    assert laid_out(cheque()).warning is None


@pytest.mark.parametrize("place", [(40, HIGH + 100), (100, HIGH + 300)])
def test_writing_on_a_second_sheet_is_told(place: tuple[int, int]) -> None:
    page = laid({(40, 40): cheque(), place: cheque()}, (WIDE + 200, 2 * HIGH + 400))
    warning = laid_out(page, lines=8).warning
    assert isinstance(warning, WritingOutside)
    assert "Scan one sheet a page" in str(warning)


def test_writing_on_a_second_sheet_that_is_read_too_is_not_told() -> None:
    page = laid({(40, 40): cheque(), (40, HIGH + 100): cheque()}, (WIDE + 200, 2 * HIGH + 400))
    form = FORM.model_copy(update={"outside": True})
    layout = lay_out(page, form, lambda view: rows(view, 20))
    assert any(line.zone is None and line.line.baseline[0][1] > HIGH for line in layout.lines)
    assert layout.warning is None


def test_a_note_beside_the_sheet_and_its_border_are_not_told() -> None:
    wide = laid({(300, 400): cheque()}, (WIDE + 600, HIGH + 800))
    assert laid_out(wide, lines=2).warning is None
    narrow = laid({(60, 60): cheque()}, (WIDE + 120, HIGH + 120))
    assert laid_out(narrow, lines=20).warning is None


def test_too_many_lines_outside_do_not_cost_the_sheet() -> None:
    page = laid({(300, 700): cheque()}, (WIDE + 600, HIGH + 800))

    def finder(image: Grey) -> tuple[Line, ...]:
        if image.shape[0] < page.shape[0]:
            raise TooManyLines
        return rows(image, 1)

    assert isinstance(lay_out(page, FORM, finder).warning, WritingOutside)


def test_a_sheet_on_its_head_is_turned_by_its_print_where_writing_does_not_tell() -> None:
    layout = laid_out(np.ascontiguousarray(cheque()[::-1, ::-1]))
    assert layout.warning is None
    date = np.array(layout.zones[0].polygon)
    # Its first corner is still the top left as it is read: on the page the bottom right.
    assert date[0] == pytest.approx((WIDE - 1 - 900, HIGH - 1 - 50), abs=8)
    assert date[2] == pytest.approx((WIDE - 1 - 1350, HIGH - 1 - 150), abs=8)


def test_print_found_by_chance_does_not_keep_a_sheet_on_its_head() -> None:
    image = cheque()
    # Where two of the zones expect a rule once the sheet lies on its head.
    for left, right, y in ((50, 450, 490), (400, 1300, 340)):
        cv2.line(image, (left, y), (right, y), 60, 3)
    date = laid_out(np.ascontiguousarray(image[::-1, ::-1])).zones[0]
    assert date.polygon[0][0] == pytest.approx(WIDE - 1 - 900, abs=8)


# ---- Writing and its rules


ANSWERS = PageForm(
    zones=(
        ZoneForm.model_validate({"name": "number", "box": (0.7, 0.02, 0.95, 0.1)}),
        ZoneForm.model_validate(
            {"name": "answer", "find": "ruled", "box": (0.05, 0.12, 0.95, 0.95)}
        ),
    )
)


def answers(lift: int, high: int, *, number: bool = False) -> Grey:
    """Five rules, and on three of them letters so much above it and so high."""
    image = np.full((900, 1400), 245, np.uint8)
    rules = range(300, 601, 60)
    for y in rules:
        cv2.line(image, (100, y), (1300, y), 120, 2)
    for y in rules[1:-1]:
        for left in range(150, 1100, 20):
            cv2.rectangle(image, (left, y - lift - high), (left + 7, y - lift), 20, -1)
    if number:
        cv2.rectangle(image, (1050, 40), (1250, 70), 20, -1)
    return image


def first_corner(image: Grey) -> tuple[int, int]:
    """Of the ruled zone, as it is read, in pixels of the page as it came."""
    layout = lay_out(image, ANSWERS, lambda _: ())
    return layout.zones[-1].polygon[0]


@pytest.mark.parametrize(("lift", "high"), [(4, 20), (2, 30), (5, 16)])
def test_a_sheet_is_turned_on_its_head_where_its_writing_hangs_from_its_rules(
    lift: int, high: int
) -> None:
    image = answers(lift, high, number=True)
    assert first_corner(image) == pytest.approx((100, 240), abs=8)
    turned = np.ascontiguousarray(image[::-1, ::-1])
    assert first_corner(turned) == pytest.approx((1300, 660), abs=8)


@pytest.mark.parametrize("lift", [15, 25, 34])
def test_a_sheet_written_on_between_its_rules_stays_as_it_came(lift: int) -> None:
    image = answers(lift, 14)
    assert first_corner(image) == pytest.approx((100, 240), abs=8)


def test_where_a_box_is_written_in_helps_to_tell_which_way_up_a_sheet_is() -> None:
    image = answers(8, 20, number=True)
    turned = np.ascontiguousarray(image[::-1, ::-1])
    assert first_corner(turned) == pytest.approx((1300, 660), abs=8)
    assert first_corner(image) == pytest.approx((100, 240), abs=8)


@pytest.mark.parametrize(("lift", "high"), [(8, 20), (4, 20), (2, 30)])
def test_a_sheet_that_may_be_on_its_head_is_told(lift: int, high: int) -> None:
    image = answers(lift, high)
    assert lay_out(image, ANSWERS, lambda _: ()).warning is None
    warning = lay_out(np.ascontiguousarray(image[::-1, ::-1]), ANSWERS, lambda _: ()).warning
    assert isinstance(warning, FormNotFound)
    assert "turn it and scan it again" in str(warning)
