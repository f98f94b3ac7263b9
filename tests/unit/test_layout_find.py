"""Lines are found on pages drawn here, and nothing is found where nothing is written."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.errors import TooManyLines
from hwr.layout import Line
from hwr.layout.find import find_lines
from hwr.layout.holes import is_hole

Grey = NDArray[np.uint8]
WORDS = "every good boy deserves a fair jig of plums".split()


def blank(height: int = 1100, width: int = 1000) -> Grey:
    return np.full((height, width), 255, np.uint8)


def write(page: Grey, text: str, x: int, y: int, *, size: float = 1.3) -> None:
    font = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
    cv2.putText(page, text, (x, y), font, size, 30, 2, cv2.LINE_AA)


def write_along(page: Grey, heights: NDArray[np.floating]) -> None:
    """Words one after the other, each standing at the height of its place."""
    x = 90
    for word in WORDS[:7]:
        write(page, word, x, round(heights[x]))
        (width, _), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.3, 2)
        x += width + 25


def middles(lines: tuple[Line, ...]) -> list[float]:
    return [float(np.mean([y for _, y in line.baseline])) for line in lines]


def sloping_page(slope: float, count: int = 8) -> tuple[Grey, list[float]]:
    page = blank()
    starts = [130 + 105 * row for row in range(count)]
    for start in starts:
        write_along(page, start + slope * np.arange(1000))
    return page, [start + slope * 500 for start in starts]


@pytest.mark.parametrize("slope", [0.0, 0.04, -0.05, 0.09])
def test_each_sloping_line_is_found_once_and_in_order(slope: float) -> None:
    page, heights = sloping_page(slope)
    lines = find_lines(page)
    assert [line.order for line in lines] == list(range(len(heights)))
    assert np.abs(np.subtract(middles(lines), heights)).max() < 22


def test_a_drifting_baseline_is_followed() -> None:
    page = blank()
    wave = 14 * np.sin(np.arange(1000) / 160)
    for start in range(150, 1000, 110):
        write_along(page, start + wave)
    lines = find_lines(page)
    assert len(lines) == 8
    for line, start in zip(lines, range(150, 1000, 110), strict=True):
        x, y = np.array(line.baseline).T
        followed = np.interp(np.arange(120, 800), x, y)
        assert np.abs(followed - start - wave[120:800]).mean() < 9


def test_outlines_hold_the_ink_of_their_line() -> None:
    page, _ = sloping_page(0.02)
    inside = np.zeros(page.shape, np.uint8)
    for line in find_lines(page):
        cv2.fillPoly(inside, [np.array(line.polygon, np.int32)], 1)
    assert (page[inside == 0] > 128).mean() > 0.9999
    assert inside.mean() < 0.75


def test_points_lie_on_the_page() -> None:
    page, _ = sloping_page(0.09, count=9)
    for line in find_lines(page[:, 60:800]):
        points = np.array(line.polygon + line.baseline)
        assert points.min() >= 0
        assert (points < [740, 1100]).all()
        assert len(line.baseline) >= 2


@pytest.mark.parametrize("dotted", [False, True])
def test_ruled_paper_changes_nothing(dotted: bool) -> None:
    page, heights = sloping_page(0.0, count=6)
    for y in range(55, 1100, 105):
        page[y : y + 2, 60:940:1] = np.minimum(page[y : y + 2, 60:940], 150)
        if dotted:
            page[y : y + 2, 60:940][:, np.arange(880) % 12 > 7] = 255
    page[40:1060, 70:73] = 120
    lines = find_lines(page)
    assert len(lines) == len(heights)


def test_uneven_light_changes_nothing() -> None:
    page, heights = sloping_page(0.0)
    light = np.linspace(0.45, 1.0, page.shape[1])
    shaded = (page * light).astype(np.uint8)
    assert len(find_lines(shaded)) == len(heights)


def test_two_columns_are_read_one_after_the_other() -> None:
    page = blank(900, 1700)
    for row in range(7):
        write(page, "left words here", 80, 130 + 100 * row)
        write(page, "right words too", 1000, 180 + 100 * row)
    lines = find_lines(page)
    assert len(lines) == 14
    lefts = [min(x for x, _ in line.polygon) for line in lines]
    assert max(lefts[:7]) < 500 < min(lefts[7:])


def form() -> Grey:
    """A form of 1400 by 620 pixels: two rows of small print, and fields far apart in one row."""
    page = blank(620, 1400)
    for text, place, size in FIELDS:
        cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, 30, 2, cv2.LINE_AA)
    return page


#: Text, place of its baseline and size.
FIELDS = (
    ("Hannah Lindqvist", (70, 85), 0.85),
    ("No. 008563", (1180, 85), 0.8),
    ("14 Tanner Row, Millbrook", (70, 118), 0.65),
    ("Date 12 March 2024", (880, 175), 0.9),
    ("Pay to Greenfield Plumbing", (70, 275), 1.2),
    ("$ 150.50", (1072, 275), 1.2),
    ("One hundred fifty and 50/100", (88, 336), 1.2),
    ("Dollars", (1205, 336), 0.7),
    ("Harbour & Vale Bank", (70, 435), 0.9),
    ("For May tuition", (70, 490), 1.2),
    ("Hannah Lindqvist", (840, 488), 1.4),
    ("008563 22226691 284963", (130, 590), 1.0),
)


def is_line_of(line: Line, text: str, place: tuple[int, int], size: float) -> bool:
    """Whether the line's baseline runs under this text and no further."""
    width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 2)[0][0]
    (left, y), (right, _) = line.baseline[0], line.baseline[-1]
    ends = left - place[0], right - place[0] - width, y - place[1]
    return max(map(abs, ends)) < 25


def test_fields_and_small_print_of_a_form_are_lines_of_their_own() -> None:
    lines = find_lines(form())
    for field in FIELDS:
        assert sum(is_line_of(line, *field) for line in lines) == 1, field
    assert len(lines) == len(FIELDS)


def test_fields_that_stand_apart_in_every_row_are_not_joined() -> None:
    page = blank()
    for y in range(130, 1000, 100):
        write(page, "left words", 60, y)
        write(page, "right", 535, y)
    assert len(find_lines(page)) == 2 * len(range(130, 1000, 100))


def test_a_long_strip_of_paper_keeps_its_resolution() -> None:
    page = blank(4500, 700)
    for y in range(100, 4450, 100):
        write(page, "a line of words", 60, y)
    assert len(find_lines(page)) == len(range(100, 4450, 100))


def test_a_large_scan_gives_page_pixels() -> None:
    page, heights = sloping_page(0.0)
    large = cv2.resize(page, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    found = middles(find_lines(np.asarray(large, np.uint8)))
    assert np.abs(np.subtract(found, np.multiply(heights, 3))).max() < 66


def test_the_page_is_left_as_it_was() -> None:
    page, _ = sloping_page(0.03)
    before = page.copy()
    assert find_lines(page) == find_lines(page)
    assert (page == before).all()


def empty_pages() -> dict[str, Grey]:
    random = np.random.default_rng(7)
    lit = np.linspace(140, 250, 900)[None, :] + random.normal(0, 4, (1000, 900))
    return {
        "white": blank(),
        "black": np.zeros((1000, 900), np.uint8),
        "paper": lit.astype(np.uint8),
        "rules": ruled(),
        "row": random.integers(0, 256, (1, 5000), dtype=np.uint8),
        "column": random.integers(0, 256, (5000, 1), dtype=np.uint8),
        "pixel": np.zeros((1, 1), np.uint8),
    }


def ruled() -> Grey:
    page = blank()
    page[60::70, 50:950] = 120
    page[30:1050, 120] = 120
    return page


@pytest.mark.parametrize("name", list(empty_pages()))
def test_a_page_without_writing_has_no_lines(name: str) -> None:
    assert find_lines(empty_pages()[name]) == ()


@pytest.mark.parametrize("written", [False, True])
def test_punched_holes_are_no_lines(written: bool) -> None:
    page = np.full((2200, 1700), 235, np.uint8)
    for row in range(300, 2100, 120) if written else ():
        write(page, "every good boy deserves a fair jig", 160, row, size=2.2)
    before = find_lines(page)
    for row in (264, 792, 1408, 1936):
        cv2.circle(page, (60, row), 24, 0, -1)
    assert len(find_lines(page)) == len(before) == (15 if written else 0)


@pytest.mark.parametrize("figure", ["1", "7", ":", "o", "m"])
def test_a_single_bold_figure_is_a_line(figure: str) -> None:
    page = blank()
    cv2.putText(page, figure, (400, 500), cv2.FONT_HERSHEY_SIMPLEX, 2, 30, 6, cv2.LINE_AA)
    box = page[430:530, 390:480]
    assert not is_hole(box, 60)


def test_single_figures_in_tinted_fields_are_lines() -> None:
    page = blank(1400, 700)
    for row in range(100, 1300, 180):
        page[row : row + 80, 300:370] = 170
        for start, end in (((320, row + 30), (340, row + 14)), ((340, row + 14), (340, row + 68))):
            cv2.line(page, start, end, 60, 4)
    assert len(find_lines(page)) == 7


def test_a_scanned_hole_is_no_line() -> None:
    box = np.full((100, 90), 235, np.uint8)
    cv2.circle(box, (45, 50), 24, 60, -1)
    noise = np.random.default_rng(5).normal(0, 6, box.shape)
    box = np.clip(cv2.GaussianBlur(box, (0, 0), 2) + noise, 0, 255).astype(np.uint8)
    assert is_hole(box, 60)


def test_noise_and_specks_are_bounded() -> None:
    random = np.random.default_rng(3)
    noise = random.integers(0, 256, (1200, 1000), dtype=np.uint8)
    specks = blank(2200, 1700)
    for x, y in random.integers(0, 1690, (30_000, 2)):
        specks[y : y + 5, x : x + 4] = 0
    photograph = cv2.GaussianBlur(noise, (0, 0), 12)
    photograph = cv2.normalize(photograph, np.empty_like(photograph), 0, 255, cv2.NORM_MINMAX)
    for page in (noise, specks, np.asarray(photograph, np.uint8)):
        assert len(find_lines(page)) <= 500


def test_too_many_lines_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    page, heights = sloping_page(0.0)
    monkeypatch.setattr("hwr.layout.view.MOST_LINES", len(heights))
    assert len(find_lines(page)) == len(heights)
    monkeypatch.setattr("hwr.layout.view.MOST_LINES", len(heights) - 1)
    with pytest.raises(TooManyLines, match="8 lines, the limit is 7"):
        find_lines(page)


def test_a_page_of_crumbs_is_refused_before_they_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, _ = sloping_page(0.0)
    monkeypatch.setattr("hwr.layout.tracing.MOST_PIECES", 4)
    with pytest.raises(TooManyLines, match="pieces of lines"):
        find_lines(page)
