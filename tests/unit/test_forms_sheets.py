"""Several sheets of a form on one page: each is found once and read as one."""

import time

import cv2
import numpy as np
import pytest
from glass import on_glass
from numpy.typing import NDArray

from hwr.errors import FormNotFound, TooManyLines, WritingOutside
from hwr.forms import lay_out
from hwr.forms.sheets import MOST_SHEETS, find_sheets
from hwr.layout import Line
from hwr.profiles import PageForm, ZoneForm, load_profile
from hwr.samples.cheque import choose_cheque, front_sheet
from hwr.samples.fonts import Face

WIDE, HIGH = 1200, 540
PAGE = 1654, 2339
Grey = NDArray[np.uint8]
Quad = NDArray[np.float64]

FORM = PageForm(
    size_mm=(120, 54),
    several_sheets=True,
    zones=tuple(
        ZoneForm.model_validate({"name": name, "find": "rule", "box": box})
        for name, box in (
            ("date", (70, 4, 115, 14)),
            ("payee", (8, 14, 85, 24)),
            ("words", (5, 26, 105, 36)),
            ("memo", (5, 40, 45, 50)),
            ("signature", (60, 40, 112, 50)),
        )
    ),
)


def cheque(width: int = WIDE) -> Grey:
    """Rules where the form has them; white, without an edge."""
    image = np.full((HIGH, WIDE), 255, np.uint8)
    for left, right, y in (
        (700, 1150, 120),
        (80, 850, 220),
        (50, 1050, 340),
        (50, 450, 480),
        (600, 1120, 480),
    ):
        cv2.line(image, (left, y), (right, y), 60, 3)
    small = cv2.resize(image, (width, HIGH * width // WIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def laid(*sheets: tuple[Grey, tuple[float, float], float], ground: int = 255) -> tuple[Grey, Quad]:
    """A page with sheets, by their middles and degrees; and their corners, (n, 4, 2)."""
    page = np.full(PAGE[::-1], ground, np.uint8)
    corners = []
    for part, middle, degrees in sheets:
        high, wide = part.shape
        move = cv2.getRotationMatrix2D((wide / 2, high / 2), -degrees, 1.0)
        move[:, 2] += np.array(middle) - (wide / 2, high / 2)
        paper = cv2.warpAffine(np.full_like(part, 255), move, PAGE)
        page = np.where(paper > 127, cv2.warpAffine(part, move, PAGE), page)
        ends = np.array([[(0, 0), (wide, 0), (wide, high), (0, high)]], np.float64)
        corners.append(cv2.transform(ends, move)[0])
    return np.asarray(page, np.uint8), np.array(corners)


THREE = (
    (cheque(), (700.0, 330.0), 4.0),
    (cheque(1000), (900.0, 980.0), -176.0),
    (cheque(1100), (800.0, 1700.0), -3.0),
)


def no_lines(_: Grey) -> tuple[Line, ...]:
    return ()


def below(image: Grey) -> tuple[Line, ...]:
    """Four long lines at the bottom of a whole page, none on less."""
    if image.shape != PAGE[::-1]:
        return ()
    rows = range(2100, 2300, 50)
    return tuple(
        Line(
            order=at,
            polygon=((100, y - 20), (1500, y - 20), (1500, y + 5), (100, y + 5)),
            baseline=((100, y), (1500, y)),
        )
        for at, y in enumerate(rows)
    )


@pytest.mark.parametrize("ground", [255, 60])
def test_each_sheet_is_found_however_it_lies(ground: int) -> None:
    image, corners = laid(*THREE, ground=ground)
    found = np.array(find_sheets(image, FORM))
    assert found.shape == corners.shape
    assert np.abs(found - corners).max() < 25


def test_sheets_that_touch_are_found_apart() -> None:
    places = [(700.0, 300.0 + HIGH * at) for at in range(4)]
    image, corners = laid(*((cheque(), place, 0.0) for place in places))
    found = np.array(find_sheets(image, FORM))
    assert found.shape == corners.shape
    assert np.abs(found - corners).max() < 20


def test_sheets_that_lie_on_their_sides_are_found() -> None:
    image, corners = laid(
        (cheque(), (400.0, 700.0), 90.0),
        (cheque(), (1000.0, 700.0), -88.0),
        (cheque(), (800.0, 1700.0), 1.0),
    )
    found = find_sheets(image, FORM)
    assert len(found) == 3
    for sheet in corners:
        assert min(np.abs(one - sheet).max() for one in found) < 25


@pytest.mark.parametrize("shade", [215, 60], ids=["pale", "dark"])
def test_pale_rules_are_seen_as_well(shade: int) -> None:
    image, corners = laid(*THREE)
    faint = np.asarray(255 - (255 - image.astype(int)) * (255 - shade) // 195, np.uint8)
    assert len(find_sheets(faint, FORM)) == len(corners)


def test_each_sheet_has_its_zones_and_its_number() -> None:
    image, corners = laid(*THREE)
    layout = lay_out(image, FORM, no_lines)
    assert layout.warning is None
    assert [zone.sheet for zone in layout.zones] == [1] * 5 + [2] * 5 + [3] * 5
    for sheet, one in zip(corners, layout.sheets, strict=True):
        (date, *_) = one.zones
        assert date.found == "rule"
        down = (sheet[3] - sheet[0]) / 54
        right = sheet[0] + 115 / 120 * (sheet[1] - sheet[0])
        assert np.abs(np.array(date.polygon)[2] - (right + 14 * down)).max() < 15


def test_lines_are_cut_from_their_own_sheet_and_numbered_through() -> None:
    def finder(image: Grey) -> tuple[Line, ...]:
        wide, high = image.shape[1], image.shape[0]
        top, bottom = round(high * 0.3), round(high * 0.45)
        outline = ((wide // 4, top), (wide // 2, top), (wide // 2, bottom), (wide // 4, bottom))
        return (Line(order=0, polygon=outline, baseline=((wide // 4, bottom), outline[2])),)

    image, _ = laid(*THREE)
    layout = lay_out(image, FORM, finder)
    told = [(one.line.order, one.sheet, one.zone and one.zone.name) for one in layout.lines]
    assert told == [(0, 1, "payee"), (1, 2, "payee"), (2, 3, "payee")]
    for line in layout.lines:
        crop = layout.crop(line)
        # The rule runs level through it, also from the sheet that lies on its head.
        assert (crop < 200).mean(axis=1).max() > 0.8


def test_the_limit_of_lines_is_that_of_all_sheets_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def finder(image: Grey) -> tuple[Line, ...]:
        wide, high = image.shape[1], image.shape[0]
        left, right, top, bottom = wide // 4, wide // 2, round(high * 0.3), round(high * 0.45)
        outline = ((left, top), (right, top), (right, bottom), (left, bottom))
        return (Line(order=0, polygon=outline, baseline=((left, bottom), (right, bottom))),)

    image, _ = laid(*THREE)
    monkeypatch.setattr("hwr.layout.view.MOST_LINES", 3)
    assert len(lay_out(image, FORM, finder).lines) == 3
    monkeypatch.setattr("hwr.layout.view.MOST_LINES", 2)
    with pytest.raises(TooManyLines, match="3 lines, the limit is 2"):
        lay_out(image, FORM, finder)


def test_a_profile_that_knows_of_one_sheet_names_the_switch() -> None:
    image, _ = laid(*THREE)
    layout = lay_out(image, FORM.model_copy(update={"several_sheets": False}), no_lines)
    assert isinstance(layout.warning, FormNotFound)
    assert "set several_sheets in the profile" in str(layout.warning)
    assert {zone.sheet for zone in layout.zones} == {None}
    # With fewer rules it cannot be set.
    fewer = FORM.model_copy(update={"several_sheets": False, "zones": FORM.zones[:3]})
    assert "several_sheets" not in str(lay_out(image, fewer, no_lines).warning)


def test_a_page_without_a_warning_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*_: object) -> list[Quad]:
        raise AssertionError

    monkeypatch.setattr("hwr.forms.page.find_sheets", unwanted)
    layout = lay_out(cheque(), FORM, no_lines)
    assert (layout.warning, layout.sheets) == (None, ())


def test_what_is_written_beside_the_sheets_is_told() -> None:
    image, _ = laid(*THREE)
    warning = lay_out(image, FORM, below).warning
    assert isinstance(warning, WritingOutside)
    assert "(3)" in str(warning)


def test_a_sheet_amid_a_larger_white_page_is_read_as_one() -> None:
    image, corners = laid((cheque(), (700.0, 1000.0), 3.0))
    layout = lay_out(image, FORM, no_lines)
    assert (layout.warning, layout.sheets) == (None, ())
    assert {zone.found for zone in layout.zones} == {"rule"}
    top = corners[0].min(axis=0)[1]
    assert min(y for zone in layout.zones for _, y in zone.polygon) > top


def test_what_lies_off_the_forms_print_is_no_sheet_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    image, corners = laid(*THREE)
    aside = corners[0] + (0.3 * WIDE, 0.1 * HIGH)
    monkeypatch.setattr("hwr.forms.page.find_sheets", lambda *_: [*corners, aside])
    assert len(lay_out(image, FORM, no_lines).sheets) == 3
    monkeypatch.setattr("hwr.forms.page.find_sheets", lambda *_: [aside])
    layout = lay_out(image, FORM, no_lines)
    assert isinstance(layout.warning, FormNotFound)
    assert layout.sheets == ()


def test_ruled_paper_is_no_sheet_of_a_form() -> None:
    image = np.full(PAGE[::-1], 255, np.uint8)
    for at, y in enumerate(range(200, 2200, 60)):
        cv2.line(image, (150, y), (1500 - 300 * (at % 7 == 0), y + 6), 60, 3)
    assert find_sheets(image, FORM) == []


def test_a_table_that_has_the_forms_rules_among_others_is_no_sheet_of_it() -> None:
    image, _ = laid((cheque(), (800, 1100), 0))
    assert len(find_sheets(image, FORM)) == 1
    for y in range(846, 1366, 30):
        cv2.line(image, (330, y), (1130, y), 60, 3)
    assert find_sheets(image, FORM) == []


@pytest.mark.parametrize("pitch", [30, 9])
def test_a_picture_full_of_rectangles_takes_bounded_time(pitch: int) -> None:
    image = np.full((3000, 3000), 255, np.uint8)
    for y in range(0, 3000, pitch):
        for x in range(0, 3000, 150):
            cv2.rectangle(image, (x, y), (x + 143, y + pitch - 4), 0, 2)
    start = time.process_time()
    assert len(find_sheets(image, FORM)) <= MOST_SHEETS
    assert time.process_time() - start < 20


@pytest.mark.parametrize("count", [2, 3, 4])
def test_cheques_on_a_glass_are_found_where_they_lie(count: int) -> None:
    rng = np.random.default_rng([7, count])
    fronts = [
        front_sheet(choose_cheque(rng, list(Face)[at % len(Face)]), rng, pattern=bool(at % 2))
        for at in range(count)
    ]
    image, corners = on_glass(fronts, rng)
    found = np.array(find_sheets(image, load_profile("cheque").page(1)))
    assert found.shape == (count, 4, 2)
    assert np.abs(found - corners).max() < 25
