"""Zones on drawn forms: found by the sheet, by rules and by boxes; lines cut between them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.forms import Found, PageLayout, Zone, draw_layout, lay_out
from hwr.forms.print import find_boxes
from hwr.forms.sheet import find_sheet, flat_sheet
from hwr.forms.zone import ZonedLine
from hwr.layout import Line, Upright
from hwr.layout.homography import mapped
from hwr.profiles import Find, PageForm, ZoneForm

WIDTH, HEIGHT = 1400, 900
Grey = NDArray[np.uint8]


def paper(width: int = WIDTH, height: int = HEIGHT) -> Grey:
    return np.full((height, width), 245, np.uint8)


def form(*zones: ZoneForm, outside: bool = False) -> PageForm:
    return PageForm(zones=zones, outside=outside)


def zone(name: str, box: tuple[float, float, float, float], **keys: object) -> ZoneForm:
    return ZoneForm.model_validate({"name": name, "box": box, **keys})


def line(left: int, right: int, baseline: int, height: int = 40) -> Line:
    top, bottom = baseline - 3 * height // 4, baseline + height // 4
    return Line(
        order=0,
        polygon=((left, top), (right, top), (right, bottom), (left, bottom)),
        baseline=((left, baseline), (right, baseline)),
    )


def laid_out(image: Grey, page: PageForm, *lines: Line) -> PageLayout:
    return lay_out(image, page, lambda _: lines)


def box_of(found: Zone) -> tuple[int, int, int, int]:
    x, y = zip(*found.polygon, strict=True)
    return min(x), min(y), max(x), max(y)


def read(layout: PageLayout) -> list[tuple[str | None, int, int]]:
    """Zone and ends of each line."""
    return [
        (
            part.zone.name if part.zone else None,
            part.line.baseline[0][0],
            part.line.baseline[-1][0],
        )
        for part in layout.lines
    ]


# ---- The sheet


@pytest.mark.parametrize("ground", [40, 150, 215])
@pytest.mark.parametrize("turn", [-6.0, 0.0, 4.0])
def test_a_sheet_is_found_on_what_it_lies_on(ground: int, turn: float) -> None:
    scan = np.full((1500, 1900), ground, np.uint8)
    sheet = paper()
    cv2.putText(sheet, "Some words", (100, 300), cv2.FONT_HERSHEY_SIMPLEX, 3, 30, 6)
    move = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), turn, 1.0)
    move[:, 2] += (260, 280)
    cv2.warpAffine(sheet, move, (1900, 1500), dst=scan, borderMode=cv2.BORDER_TRANSPARENT)
    corners = [(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)]
    true = np.array([move @ (x, y, 1) for x, y in corners])
    assert np.abs(find_sheet(scan) - true).max() < 10


def test_a_sheet_without_edges_is_the_picture_turned_as_its_lines_are() -> None:
    sheet = paper()
    for y in range(100, 850, 60):
        cv2.line(sheet, (60, y), (WIDTH - 60, y), 90, 2)
    turned = cv2.warpAffine(
        sheet,
        cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -2.0, 1.0),
        (WIDTH, HEIGHT),
        borderValue=245,
    )
    (left, top), (right, also_top) = find_sheet(np.asarray(turned, np.uint8))[:2]
    slope = np.degrees(np.arctan2(also_top - top, right - left))
    assert slope == pytest.approx(2.0, abs=0.25)
    assert np.hypot(right - left, also_top - top) == pytest.approx(WIDTH, rel=0.01)


def test_homographies_take_points_there_and_back() -> None:
    there = np.array([(1.1, 0.1, 20), (-0.05, 0.9, 7), (1e-5, 2e-5, 1)])
    points = np.array([(0.0, 0.0), (300.0, 20.0), (50.0, 900.0)])
    assert mapped(mapped(points, there), np.linalg.inv(there)) == pytest.approx(points, abs=1e-6)


# ---- Zones


def test_an_area_is_where_its_box_is() -> None:
    layout = laid_out(paper(), form(zone("total", (0.5, 0.1, 0.75, 0.2))))
    assert layout.zones[0].found is Found.SHEET
    assert box_of(layout.zones[0]) == pytest.approx((700, 90, 1050, 180), abs=2)


def test_a_zone_moves_onto_its_rule_and_ends_with_it() -> None:
    image = paper()
    cv2.putText(image, "Date", (640, 208), cv2.FONT_HERSHEY_SIMPLEX, 1, 30, 2)
    cv2.line(image, (740, 215), (1100, 215), 120, 2)
    page = form(zone("date", (0.48, 0.1, 0.8, 0.2), find="rule"))
    (found,) = laid_out(image, page).zones
    assert found.found is Found.RULE
    # The box is 90 pixels high, a fifth of it below the rule.
    assert box_of(found) == pytest.approx((740, 215 - 72, 1100, 215 + 18), abs=4)


def test_a_rule_with_a_gap_is_one() -> None:
    image = paper()
    cv2.line(image, (210, 400), (460, 400), 60, 2)
    cv2.line(image, (540, 400), (1200, 400), 60, 2)
    # The rule of another field on the same height.
    cv2.line(image, (20, 400), (140, 400), 60, 2)
    (found,) = laid_out(image, form(zone("name", (0.15, 0.32, 0.86, 0.42), find="rule"))).zones
    assert found.found is Found.RULE
    x = [corner for corner, _ in found.polygon]
    assert (min(x), max(x)) == pytest.approx((210, 1200), abs=6)


def test_a_rule_goes_on_where_it_is_fainter() -> None:
    image = paper()
    cv2.line(image, (210, 400), (1200, 400), 180, 2)
    cv2.line(image, (460, 400), (1200, 400), 60, 2)
    page = form(zone("name", (0.15, 0.32, 0.86, 0.42), find="rule"))
    (found,) = laid_out(image, page).zones
    x = [corner for corner, _ in found.polygon]
    assert (min(x), max(x)) == pytest.approx((210, 1200), abs=6)
    # It may be a line of the pattern.
    (found,) = laid_out(image, page.model_copy(update={"patterned": True})).zones
    assert min(corner for corner, _ in found.polygon) == pytest.approx(460, abs=6)


def test_a_rule_is_found_on_a_pattern_that_is_fainter() -> None:
    image = paper()
    for y in range(0, HEIGHT, 12):
        wave = [(x, round(y + 5 * np.sin(x / 40 + y))) for x in range(0, WIDTH, 4)]
        cv2.polylines(image, [np.array(wave, np.int32)], False, 205, 1, cv2.LINE_AA)
    for left, right, y in ((740, 1100, 215), (60, 1340, 500), (60, 1340, 700)):
        cv2.line(image, (left, y), (right, y), 90, 2)
    (found,) = laid_out(image, form(zone("date", (0.45, 0.1, 0.82, 0.2), find="rule"))).zones
    assert box_of(found)[0] == pytest.approx(740, abs=6)
    assert box_of(found)[2] == pytest.approx(1100, abs=6)


def test_a_zone_goes_into_its_printed_box() -> None:
    image = paper()
    cv2.rectangle(image, (800, 300), (1200, 380), 100, 2)
    page = form(zone("amount", (0.56, 0.32, 0.88, 0.44), find="box", holds="amount"))
    (found,) = laid_out(image, page).zones
    assert (found.found, found.decoder) == (Found.BOX, "amount")
    assert box_of(found) == pytest.approx((800, 300, 1200, 380), abs=6)


def test_figures_that_nearly_touch_a_printed_box_do_not_part_it() -> None:
    image = paper()
    cv2.rectangle(image, (800, 300), (1200, 380), 100, 2)
    for x in (880, 1000, 1080):
        cv2.line(image, (x, 311), (x, 369), 100, 3)
    (found,) = laid_out(image, form(zone("amount", (0.56, 0.32, 0.88, 0.44), find="box"))).zones
    assert found.found is Found.BOX
    assert box_of(found) == pytest.approx((800, 300, 1200, 380), abs=6)


@pytest.mark.parametrize("find", [Find.RULE, Find.BOX])
def test_without_print_a_zone_stays_where_its_box_is(find: Find) -> None:
    (found,) = laid_out(paper(), form(zone("a", (0.5, 0.1, 0.75, 0.2), find=find))).zones
    assert found.found is Found.SHEET
    assert box_of(found) == pytest.approx((700, 90, 1050, 180), abs=2)


def test_each_block_of_ruled_lines_is_a_zone() -> None:
    image = paper()
    for y in (200, 260, 320, 500, 560):
        cv2.line(image, (100, y), (1300, y), 190, 2)
    cv2.putText(image, "Why does ice float on water?", (100, 410), 0, 1, 30, 2)
    page = form(zone("answer", (0.03, 0.05, 0.97, 0.95), find="ruled"))
    first, second = laid_out(image, page).zones
    assert (first.name, second.name) == ("answer 1", "answer 2")
    assert box_of(first) == pytest.approx((100, 140, 1300, 335), abs=5)
    assert box_of(second) == pytest.approx((100, 440, 1300, 575), abs=5)


def test_writing_on_ruled_lines_does_not_part_their_block() -> None:
    image = paper()
    for y in range(300, 600, 60):
        cv2.line(image, (100, y), (1300, y), 150, 3)
    # On the second a long stroke, on the third one that hangs on it, above the last a shorter one.
    cv2.line(image, (140, 377), (1260, 377), 60, 2)
    cv2.line(image, (130, 426), (1270, 426), 60, 4)
    cv2.line(image, (400, 510), (1000, 510), 60, 2)
    page = form(zone("remarks", (0.03, 0.05, 0.97, 0.95), find="ruled"))
    (found,) = laid_out(image, page).zones
    assert found.name == "remarks 1"
    assert box_of(found) == pytest.approx((100, 240, 1300, 555), abs=6)


def test_lines_crossed_out_along_a_ruler_do_not_part_their_block() -> None:
    image = paper()
    for y in range(300, 600, 60):
        cv2.line(image, (100, y), (1300, y), 190, 2)
    for y in range(277, 530, 60):
        cv2.line(image, (125, y), (1275, y), 60, 3)
    page = form(zone("answer", (0.03, 0.05, 0.97, 0.95), find="ruled"))
    (found,) = laid_out(image, page).zones
    assert box_of(found) == pytest.approx((100, 240, 1300, 555), abs=6)


def test_a_rule_lost_under_strokes_does_not_make_its_block_higher() -> None:
    image = paper()
    for y in (200, 320, 560, 620, 680):
        cv2.line(image, (100, y), (1300, y), 190, 2)
    page = form(zone("answer", (0.03, 0.05, 0.97, 0.95), find="ruled"))
    first, _ = laid_out(image, page).zones
    assert box_of(first) == pytest.approx((100, 140, 1300, 335), abs=5)


def test_each_printed_box_is_a_zone() -> None:
    image = paper()
    for left in (100, 500, 900):
        cv2.rectangle(image, (left, 300), (left + 300, 400), 100, 2)
    cv2.rectangle(image, (40, 250), (1360, 450), 100, 2)  # what is around them is none of them
    page = form(zone("answer", (0.01, 0.2, 0.99, 0.6), find="boxes"))
    zones = laid_out(image, page).zones
    assert [found.name for found in zones] == ["answer 1", "answer 2", "answer 3"]
    assert [box_of(found)[0] for found in zones] == pytest.approx([100, 500, 900], abs=6)


def test_a_page_without_most_of_a_forms_print_is_told() -> None:
    image = paper()
    page = form(
        *(zone(f"line {at}", (0.1, at, 0.9, at + 0.1), find="rule") for at in (0.2, 0.4, 0.6))
    )
    cv2.line(image, (150, 280), (1250, 280), 100, 2)
    warning = laid_out(image, page).warning
    assert "Only 1 of the 3" in str(warning)
    cv2.line(image, (150, 480), (1250, 480), 100, 2)
    assert laid_out(image, page).warning is None
    assert laid_out(paper(), form(zone("box", (0.1, 0.2, 0.9, 0.3), find="box"))).warning is None


def boxes_of_one_figure(image: Grey, tops: tuple[int, ...]) -> PageForm:
    """Square boxes beside each other, 70 pixels wide."""
    for number, top in enumerate(tops):
        left = 300 + 100 * number
        cv2.rectangle(image, (left, top), (left + 70, top + 70), 100, 2)
    return form(zone("number", (0.15, 0.25, 0.85, 0.55), find="boxes", holds="digits"))


@pytest.mark.parametrize("pixels_a_mm", [5.9, 7.9])
@pytest.mark.parametrize("side", [4.5, 5.0])
def test_tick_boxes_are_found_on_a_large_sheet(pixels_a_mm: float, side: float) -> None:
    image = paper(round(210 * pixels_a_mm), round(297 * pixels_a_mm))
    ends = [(round(at * pixels_a_mm), round((at + side) * pixels_a_mm)) for at in (50.0, 120.0)]
    for start, end in ends:
        cv2.rectangle(image, (start, start), (end, end), 70, 2)
    boxes = find_boxes(flat_sheet(image, find_sheet(image)))
    assert len(boxes) == len(ends)


def test_a_frame_is_not_parted_by_a_figure_as_long_as_the_sides_of_the_smallest() -> None:
    image = paper()
    cv2.rectangle(image, (300, 300), (480, 338), 60, 2)
    cv2.rectangle(image, (379, 305), (381, 332), 60, -1)
    boxes = find_boxes(flat_sheet(image, find_sheet(image)))
    assert max(right - left for left, _, right, _ in boxes) > 150


@pytest.mark.parametrize("tops", [(300, 301, 303), (303, 301, 300), (301, 304, 300)])
def test_boxes_of_a_row_that_is_not_quite_level_are_counted_from_the_left(
    tops: tuple[int, ...],
) -> None:
    image = paper()
    page = boxes_of_one_figure(image, tops)
    zones = laid_out(image, page).zones
    assert [found.name for found in zones] == ["number 1", "number 2", "number 3"]
    assert [box_of(found)[0] for found in zones] == pytest.approx([300, 400, 500], abs=6)


def test_a_figure_in_a_box_has_a_line_of_its_own() -> None:
    image = paper()
    page = boxes_of_one_figure(image, (300, 300, 300))
    for x in (315, 515):
        cv2.putText(image, "4", (x, 357), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.6, 30, 3)
    # Found as one line, as none, and as one beside the boxes.
    for lines in ((line(310, 560, 357, 110),), (), (line(100, 250, 600),)):
        layout = laid_out(image, page, *lines)
        found = [(part.zone and part.zone.name, part.line.order) for part in layout.lines]
        assert found == [("number 1", 0), ("number 3", 1)]
        for part in layout.lines:
            assert part.zone is not None
            left, top, right, bottom = box_of(part.zone)
            across, down = zip(*part.line.polygon, strict=True)
            assert left < min(across) < max(across) < right
            assert top < min(down) < part.line.baseline[0][1] < max(down) < bottom
            assert part.line.baseline[0][1] == pytest.approx(357, abs=6)


def test_empty_and_unread_boxes_and_what_is_drawn_in_large_ones_have_no_line() -> None:
    image = paper()
    page = boxes_of_one_figure(image, (300, 300))
    cv2.circle(image, (330, 330), 3, 30, -1)  # dirt
    cv2.rectangle(image, (800, 300), (1300, 600), 100, 2)
    cv2.circle(image, (1050, 450), 100, 30, 3)
    drawing = zone("drawing", (0.57, 0.33, 0.93, 0.67), find="box")
    page = form(*page.zones, drawing)
    assert laid_out(image, page, line(100, 250, 700)).lines == ()
    cv2.putText(image, "4", (315, 357), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.6, 30, 3)
    unread = form(zone("number", (0.15, 0.25, 0.5, 0.55), find="boxes", holds="nothing"))
    assert laid_out(image, unread, line(100, 250, 700)).lines == ()


def test_double_frames_and_rules_in_empty_boxes_are_no_writing() -> None:
    image = paper()
    page = boxes_of_one_figure(image, (300, 300, 300))
    for left in (300, 400, 500):
        cv2.rectangle(image, (left + 6, 306), (left + 64, 364), 100, 2)
    cv2.rectangle(image, (800, 300), (1300, 370), 100, 2)
    cv2.line(image, (820, 355), (1280, 355), 100, 2)
    name = zone("name", (0.55, 0.31, 0.95, 0.43), find="box")
    page = form(*page.zones, name)
    assert laid_out(image, page, line(100, 250, 700)).lines == ()
    cv2.putText(image, "4", (420, 352), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.2, 30, 3)
    (found,) = laid_out(image, page, line(100, 250, 700)).lines
    assert found.zone is not None
    assert found.zone.name == "number 2"


def comb(image: Grey, text: str, *, framed: bool) -> PageForm:
    cv2.line(image, (300, 370), (780, 370), 60, 2)
    for x in range(300, 781, 60):
        cv2.line(image, (x, 300 if framed else 354), (x, 370), 60, 2)
    if framed:
        cv2.line(image, (300, 300), (780, 300), 60, 2)
    for x, figure in zip(range(312, 780, 60), text, strict=False):
        cv2.putText(image, figure, (x, 358), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.5, 30, 3)
    box = (300 / WIDTH, 300 / HEIGHT, 780 / WIDTH, 370 / HEIGHT)
    return form(zone("date", box, find="comb", holds="date"))


@pytest.mark.parametrize("framed", [True, False])
def test_a_comb_is_one_line_without_its_boxes(*, framed: bool) -> None:
    image = paper()
    page = comb(image, "14022024", framed=framed)
    layout = laid_out(image, page, line(310, 560, 357), line(590, 700, 357))
    assert read(layout) == [("date", 300, 780)]
    dark = layout.crop(layout.lines[0]) < 128
    alone = comb(blank := paper(), "14022024", framed=False)
    cv2.rectangle(blank, (290, 362), (790, 380), 245, -1)
    written = laid_out(blank, alone)
    assert dark.sum() == pytest.approx((written.crop(written.lines[0]) < 128).sum(), rel=0.1)


@pytest.mark.parametrize("framed", [True, False])
def test_an_empty_comb_has_no_line(*, framed: bool) -> None:
    image = paper()
    assert read(laid_out(image, comb(image, "", framed=framed), line(300, 780, 357))) == []


def test_an_empty_comb_at_the_edge_of_a_grey_picture_has_no_line() -> None:
    page = form(
        zone("first", (0, 0, 0.05, 0.07), find="comb", holds="digits"),
        zone("last", (0.95, 0.93, 1, 1), find="comb", holds="digits"),
    )
    grey = np.full((HEIGHT, WIDTH), 180, np.uint8)
    assert laid_out(grey, page).lines == ()
    cv2.putText(grey, "4", (20, 50), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.5, 30, 3)
    assert [found.zone and found.zone.name for found in laid_out(grey, page).lines] == ["first"]


def test_without_ruled_lines_all_of_the_box_is_one_zone() -> None:
    page = form(zone("answer", (0.1, 0.2, 0.9, 0.9), find="ruled"))
    (found,) = laid_out(paper(), page).zones
    assert (found.name, found.found) == ("answer", Found.SHEET)


def test_numbers_in_names_do_not_make_zones_one(monkeypatch: pytest.MonkeyPatch) -> None:
    image = paper()
    lefts = (100, 500, 900)
    for left in lefts:
        cv2.rectangle(image, (left, 300), (left + 300, 400), 100, 2)
    for left in (850, 550):  # in the places of two zones, turned
        cv2.rectangle(image, (left, 700), (left + 150, 760), 100, 2)
    page = form(
        *(
            zone(f"question{n}", (x / WIDTH, 1 / 3, (x + 300) / WIDTH, 4 / 9), find="box")
            for n, x in enumerate(lefts, 1)
        ),
        *(
            zone(name, (x / WIDTH, 140 / HEIGHT, (x + 150) / WIDTH, 200 / HEIGHT), find="box")
            for name, x in (("mark", 400), ("seal", 700))
        ),
    )
    turn = np.array([(-1.0, 0, WIDTH - 1), (0, -1.0, HEIGHT - 1), (0, 0, 1)])
    head_first = Upright(
        image=np.ascontiguousarray(image[::-1, ::-1]), page_shape=image.shape, to_page=turn
    )
    monkeypatch.setattr("hwr.forms.page.upright", lambda _: head_first)
    found = laid_out(image, page).zones
    assert [part.found for part in found] == [Found.BOX] * 3 + [Found.SHEET] * 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 2), (16, 16), (40, 4000)])
def test_odd_pages_have_zones_and_no_errors(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    parts = [zone(find, (0.1, 0.1, 0.9, 0.9), find=find, holds="digits") for find in Find]
    for image in (noise, np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)):
        assert len(laid_out(image, form(*parts)).zones) >= len(parts)


def test_stripes_are_bounded() -> None:
    image = paper(3000, 3000)
    image[::4] = 0
    image[:, ::50] = 0
    parts = [zone(find, (0.05, 0.05, 0.95, 0.95), find=find, holds="digits") for find in Find]
    assert len(laid_out(image, form(*parts)).zones) < 2500


# ---- Lines


def test_a_page_of_free_text_keeps_its_lines() -> None:
    lines = (line(100, 600, 200), line(100, 700, 300))
    layout = lay_out(paper(), PageForm(outside=True), lambda _: lines)
    assert [part.line for part in layout.lines] == list(lines)
    assert layout.zones == ()


PARTS = form(
    zone("left", (0.1, 0.1, 0.4, 0.3)),
    zone("right", (0.6, 0.1, 0.9, 0.3)),
    zone("seal", (0.1, 0.5, 0.4, 0.7), holds="nothing"),
)


def test_a_line_goes_to_its_zone_and_others_are_left_out() -> None:
    lines = line(150, 500, 200), line(900, 1200, 200), line(150, 500, 550), line(150, 500, 800)
    layout = laid_out(paper(), PARTS, *lines)
    assert read(layout) == [("left", 150, 500), ("right", 900, 1200)]
    assert [part.line.order for part in layout.lines] == [0, 1]


def test_lines_outside_are_read_where_the_profile_says_so() -> None:
    page = PARTS.model_copy(update={"outside": True})
    layout = laid_out(paper(), page, line(150, 500, 200), line(150, 500, 800))
    assert read(layout) == [("left", 150, 500), (None, 150, 500)]


def words(image: Grey, baseline: int, *ends: tuple[int, int]) -> None:
    """Blocks of ink in the place of words."""
    for left, right in ends:
        cv2.rectangle(image, (left, baseline - 25), (right, baseline), 20, -1)


def test_a_line_through_two_zones_is_cut_in_the_gap_between() -> None:
    image = paper()
    words(image, 200, (150, 590), (700, 800), (860, 1200))
    layout = laid_out(image, PARTS, line(150, 1200, 200))
    (one, left, cut), (other, begin, right) = read(layout)
    assert (one, left, other, right) == ("left", 150, "right", 1200)
    # The label between belongs to nobody; the word that goes over the end is not cut.
    assert 590 <= cut <= 700
    assert 800 <= begin <= 860


def two_answers() -> tuple[Grey, PageForm]:
    """Blocks of two rules each, 60 pixels apart, in a box that ends at 810."""
    image = paper()
    for y in (200, 260, 460, 520):
        cv2.line(image, (100, y), (1300, y), 120, 2)
    return image, form(zone("answer", (0.05, 0.1, 0.95, 0.9), find="ruled"))


def test_writing_that_goes_on_below_the_last_rules_is_their_answers() -> None:
    image, page = two_answers()
    # On the last rule of each, a row below, a printed question, and to the end of the box.
    rows = 195, 255, 310, 355, 515, 575, 635, 790, 850
    layout = laid_out(image, page, *(line(150, 900, row) for row in rows))
    found = [(one.zone and one.zone.name, one.line.baseline[0][1]) for one in layout.lines]
    first, last = (195, 255, 310), (515, 575, 635, 790)
    assert found == [*(("answer 1", y) for y in first), *(("answer 2", y) for y in last)]


def test_nothing_below_rules_that_are_free_is_an_answer() -> None:
    image, page = two_answers()
    layout = laid_out(image, page, *(line(150, 900, row) for row in (195, 310, 355, 635, 790)))
    assert [one.line.baseline[0][1] for one in layout.lines] == [195]


def test_words_of_an_answer_behind_the_ends_of_its_rules_are_not_lost() -> None:
    image, page = two_answers()
    # Words go on, and far behind them stands what the question is worth.
    words(image, 195, (150, 600), (620, 1280), (1295, 1330), (1345, 1370))
    ((_, start, end),) = read(laid_out(image, page, line(150, 1370, 195)))
    assert (start, end) == (150, 1370)
    words(image, 515, (150, 600), (620, 1280), (1360, 1390))
    _, (_, _, end) = read(laid_out(image, page, line(150, 1370, 195), line(150, 1390, 515)))
    assert 1280 <= end <= 1360


def test_letters_that_stand_apart_behind_a_zone_stay_with_its_word() -> None:
    image = paper()
    # Past the line's end a frame, which is darker than the hand.
    cv2.rectangle(image, (655, 150), (660, 230), 0, -1)
    words(image, 200, (150, 480), (520, 555), (565, 640))
    ((name, start, end),) = read(laid_out(image, PARTS, line(150, 645, 200)))
    assert (name, start) == ("left", 150)
    assert end == pytest.approx(645, abs=2)


@pytest.mark.parametrize(("word", "begins"), [(724, 700), (684, 660)])
def test_print_before_a_zone_that_begins_early_is_none_of_it(word: int, begins: int) -> None:
    image = paper()
    # A label to just before the word, which begins in the zone or goes over its end.
    words(image, 200, (500, begins), (word, 800))
    right = zone("right", (0.5, 0.1, 0.9, 0.3))
    ((_, left, end),) = read(laid_out(image, form(right), line(500, 800, 200)))
    assert begins <= left <= word
    assert end == 800


def test_a_letter_that_stands_apart_at_the_beginning_of_a_zone_stays_with_its_word() -> None:
    image = paper()
    words(image, 200, (400, 600), (695, 706), (714, 800))
    right = zone("right", (0.5, 0.1, 0.9, 0.3))
    ((_, left, _),) = read(laid_out(image, form(right), line(400, 800, 200)))
    assert 600 <= left <= 695


@pytest.mark.parametrize("label", [(500, 660), None])
def test_a_zone_that_begins_after_the_first_figure_has_it_too(
    label: tuple[int, int] | None,
) -> None:
    image = paper()
    # The zone begins at 700; figures stand apart by 7 pixels, the label by 16.
    words(image, 200, *([label] if label else []), (676, 693), (700, 800))
    right = zone("right", (0.5, 0.1, 0.9, 0.3))
    begin = label[0] if label else 676
    ((_, left, end),) = read(laid_out(image, form(right), line(begin, 800, 200)))
    assert 660 <= left <= 676
    assert end == 800


def test_a_line_is_cut_at_its_outline_too() -> None:
    image = paper()
    words(image, 200, (150, 500), (700, 800))
    ((part,),) = [laid_out(image, PARTS, line(150, 800, 200)).lines]
    assert part.line.baseline[-1][0] == pytest.approx(560, abs=2)
    assert max(x for x, _ in part.line.polygon) == pytest.approx(560, abs=2)
    assert min(x for x, _ in part.line.polygon) == 150


@pytest.mark.parametrize(("first", "last"), [(190, 340), (258, 310), (130, 30)])
def test_writing_that_slopes_out_of_its_zone_is_not_cut(first: int, last: int) -> None:
    sloping = replace(
        line(150, 500, 0),
        polygon=((150, first - 30), (500, last - 30), (500, last + 10), (150, first + 10)),
        baseline=((150, first), (500, last)),
    )
    assert read(laid_out(paper(), PARTS, sloping)) == [("left", 150, 500)]


def test_writing_that_slopes_from_one_zone_into_another_is_that_of_the_greater_part() -> None:
    page = form(zone("upper", (0.1, 0.1, 0.4, 0.3)), zone("lower", (0.1, 0.3, 0.4, 0.5)))
    for last, owner in ((330, "upper"), (450, "lower")):
        sloping = replace(line(150, 500, 240), baseline=((150, 240), (500, last)))
        assert read(laid_out(paper(), page, sloping)) == [(owner, 150, 500)]


def test_a_line_that_only_touches_a_zone_stays_whole() -> None:
    page = PARTS.model_copy(update={"outside": True})
    layout = laid_out(paper(), page, line(545, 850, 200))
    assert read(layout) == [(None, 545, 850)]


def test_a_line_in_a_printed_box_ends_with_it() -> None:
    image = paper()
    cv2.rectangle(image, (800, 300), (1200, 380), 100, 2)
    page = form(zone("amount", (0.56, 0.32, 0.88, 0.44), find="box"))
    ((part,),) = [laid_out(image, page, line(760, 1150, 360, height=160)).lines]
    x, y = zip(*part.line.polygon, strict=True)
    assert (min(x), min(y), max(x), max(y)) == pytest.approx((792, 292, 1150, 388), abs=6)
    (start, _), *_, (end, _) = part.line.baseline
    assert (start, end) == pytest.approx((792, 1150), abs=6)


def test_lines_of_a_turned_page_are_found_in_turned_zones() -> None:
    image = paper()
    for y in (200, 260, 320):
        cv2.line(image, (100, y), (1300, y), 120, 2)
    move = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -3.0, 1.0)
    turned = cv2.warpAffine(image, move, (WIDTH, HEIGHT), borderValue=245)

    def turned_points(*points: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        return tuple((round(x), round(y)) for x, y in (move @ (x, y, 1) for x, y in points))

    slanted = Line(
        order=0,
        baseline=turned_points((200, 255), (900, 255)),
        polygon=turned_points((200, 225), (900, 225), (900, 264), (200, 264)),
    )
    page = form(zone("answer", (0.03, 0.05, 0.97, 0.95), find="ruled"))
    layout = laid_out(np.asarray(turned, np.uint8), page, slanted)
    assert [part.zone and part.zone.name for part in layout.lines] == ["answer 1"]


def test_an_amount_in_words_over_two_rows_is_one_line() -> None:
    image = paper()
    words(image, 300, (100, 400))
    words(image, 400, (100, 600))
    amount = zone("amount", (0.0, 0.25, 1.0, 0.5), holds="amount-in-words")
    rows = line(100, 400, 300), line(100, 600, 400, height=60)
    layout = laid_out(image, form(amount, outside=True), line(50, 700, 100), *rows)
    _, one = layout.lines
    assert one.line.order == 1
    assert one.rows == rows
    assert one.line.baseline == (*rows[0].baseline, *rows[1].baseline)
    left, top, width, height = cv2.boundingRect(np.array(one.line.polygon))
    assert (left, top, left + width - 1, top + height - 1) == (100, 270, 600, 415)
    crop = layout.crop(one)
    apart = [layout.crop(ZonedLine(line=row)) for row in rows]
    assert len(crop) == max(map(len, apart))
    ink = np.flatnonzero((crop < 100).any(axis=0))
    gap = int(np.diff(ink).argmax())
    # Both rows are there, as long as they are on the page; the lower one has one and a half times
    # the height of the upper.
    assert ink[gap] - ink[0] == pytest.approx(1.5 * 300, rel=0.1)
    assert ink[-1] - ink[gap + 1] == pytest.approx(500, rel=0.1)


def test_rows_of_other_zones_stay_lines() -> None:
    text = zone("text", (0.0, 0.25, 1.0, 0.5))
    layout = laid_out(paper(), form(text), line(100, 400, 300), line(100, 600, 400))
    assert [(part.line.order, part.rows) for part in layout.lines] == [(0, ()), (1, ())]


# ---- Pictures


def test_zones_are_drawn_over_the_page() -> None:
    layout = laid_out(paper(), PARTS, line(150, 500, 200))
    drawn = draw_layout(paper(), [part.line for part in layout.lines], [""], layout.zones)
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    coloured = np.ptp(drawn.astype(int), axis=2)
    assert coloured[90:270, 140:560].max() > 60
    assert coloured[700:, 700:].max() == 0
