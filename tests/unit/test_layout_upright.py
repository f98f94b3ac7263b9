"""Pages that lie on their side or head, and photographed sheets, drawn here."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwr.forms import lay_out
from hwr.layout import Line, Upright, upright
from hwr.layout.homography import Quad, corners, homography, mapped
from hwr.layout.orientation import ink_without_rules, quarter_turns
from hwr.layout.perspective import photographed_sheet
from hwr.layout.sheet import find_edges
from hwr.layout.tilt import LEAST, tilt_of
from hwr.layout.upright import turned_back
from hwr.profiles import PageForm
from hwr.reader import Reader

Grey = NDArray[np.uint8]
WORDS = "I had thought they would both be able to help Tom find his old black hat".split()
FREE = PageForm(outside=True)


def page(height: int = 1500, width: int = 1100) -> Grey:
    """A page of writing with a margin and a last line that is short."""
    sheet = np.full((height, width), 255, np.uint8)
    for row, y in enumerate(range(140, height - 120, 90)):
        text = " ".join(WORDS[(row + place) % len(WORDS)] for place in range(8))
        font = cv2.FONT_HERSHEY_COMPLEX
        cv2.putText(sheet, text[: 40 if row % 5 else 22], (90, y), font, 1.2, 30, 2, cv2.LINE_AA)
    return sheet


def turned(picture: Grey, turns: int) -> Grey:
    """The picture turned clockwise by so many quarters."""
    return np.ascontiguousarray(np.rot90(picture, -turns))


@pytest.mark.parametrize("turns", range(4))
def test_a_page_is_turned_upright_from_each_side(turns: int) -> None:
    assert quarter_turns(turned(page(), turns)) == -turns % 4
    view = upright(turned(page(), turns))
    assert (view.image == page()).all()


@pytest.mark.parametrize("turns", range(4))
def test_lines_of_a_turned_page_lie_on_the_page_as_it_came(turns: int) -> None:
    straight = lay_out(page(), FREE)
    found = lay_out(turned(page(), turns), FREE)
    assert found.view.page_shape == turned(page(), turns).shape
    assert len(found.lines) == len(straight.lines) > 10
    for own, other in zip(found.lines, straight.lines, strict=True):
        assert (found.crop(own) == straight.crop(other)).all()
        inside = outlined(np.array(own.line.polygon), found.view.page_shape)
        wanted = outlined(np.array(other.line.polygon), page().shape)
        assert (inside != turned(wanted, turns)).mean() < 1e-4


def test_the_baseline_of_a_turned_page_runs_as_it_is_read() -> None:
    down = lay_out(turned(page(), 1), FREE).lines[0].line.baseline
    assert down[0][1] < down[-1][1]
    back = lay_out(turned(page(), 2), FREE).lines[0].line.baseline
    assert back[0][0] > back[-1][0]


def test_a_reader_tells_where_lines_stand_on_the_page_as_it_came(tmp_path: Path) -> None:
    readings = []
    with Reader(decoder="best-path") as reader:
        for turns in (0, 1):
            path = tmp_path / f"{turns}.png"
            cv2.imwrite(str(path), turned(page(), turns))
            readings.append(reader.read(path).pages[0])
    straight, lying = readings
    assert (lying.width, lying.height) == (straight.height, straight.width)
    assert lying.text == straight.text != ""
    (x, y), (first_x, first_y) = lying.lines[0].baseline[0], straight.lines[0].baseline[0]
    assert (lying.width - 1 - x, y) == (first_y, first_x)


def unclear() -> dict[str, Grey]:
    random = np.random.default_rng(5)
    noise = random.integers(0, 256, (900, 700), dtype=np.uint8)
    sheet = np.full((900, 700), 250, np.uint8)
    ruled = sheet.copy()
    ruled[60::40, 30:670] = 120
    specks = sheet.copy()
    specks[random.integers(0, 900, 4000), random.integers(0, 700, 4000)] = 0
    word = sheet.copy()
    cv2.putText(word, "word", (200, 400), cv2.FONT_HERSHEY_COMPLEX, 2, 30, 3)
    return {
        "white": sheet,
        "black": np.zeros_like(sheet),
        "noise": noise,
        "cloud": np.asarray(cv2.GaussianBlur(noise, (0, 0), 20), np.uint8),
        "ruled": ruled,
        "specks": specks,
        "word": word,
        "strip": np.zeros((1, 5000), np.uint8),
    }


@pytest.mark.parametrize("name", list(unclear()))
def test_what_says_nothing_clearly_stays_as_it_is(name: str) -> None:
    picture = unclear()[name]
    view = upright(picture)
    assert view.image is picture
    assert view.to_page is None


def test_faint_rules_do_not_say_which_way_up_a_page_is() -> None:
    ruled = np.full((1500, 1100), 250, np.uint8)
    for row in range(8, 1500, 16):
        ruled[row : row + 2] = 190 if row % 64 == 8 else 225
    grain = np.random.default_rng(2).normal(0, 2, ruled.shape)
    assert ink_without_rules((ruled + grain).clip(0, 255).astype(np.uint8)).mean() < 2


def tilted(picture: Grey, degrees: float) -> Grey:
    """The picture with its lines falling by so many degrees, on white."""
    height, width = picture.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    turn[:, 2] += 300
    size = width + 600, height + 600
    return np.asarray(cv2.warpAffine(picture, turn, size, borderValue=255), np.uint8)


@pytest.mark.parametrize("degrees", [-33, -14, -3, 3, 12, 21])
def test_a_page_that_leans_far_is_levelled_and_one_that_leans_little_is_left(degrees: int) -> None:
    far = abs(degrees) > LEAST
    assert tilt_of(tilted(page(), degrees)) == pytest.approx(degrees if far else 0, abs=1)


@pytest.mark.parametrize("turns", range(4))
def test_a_page_that_leans_far_is_levelled_whichever_way_up_it_lies(turns: int) -> None:
    straight = lay_out(page(), FREE)
    leaning = turned(tilted(page(), 15), turns)
    found = lay_out(leaning, FREE)
    assert len(found.lines) == len(straight.lines)
    baseline = np.array(found.lines[0].line.baseline)
    along = baseline[-1] - baseline[0]
    assert np.degrees(np.arctan2(along[1], along[0])) % 360 == pytest.approx(15 + 90 * turns, abs=2)


@pytest.mark.parametrize("side", [1, -1])
def test_the_edge_of_a_shadow_is_no_leaning_line(side: int) -> None:
    pencil = 255 - (255 - page()) // 3
    y, x = np.mgrid[0 : pencil.shape[0], 0 : pencil.shape[1]]
    shade = 1 / (1 + np.exp(-(x + 0.45 * y - 900) / 9))
    shadowed = (pencil * (1 - 0.55 * shade[:, ::side])).astype(np.uint8)
    assert tilt_of(shadowed) == 0


@pytest.mark.parametrize("height", [16, 17, 32, 50, 97, 129])
@pytest.mark.parametrize("width", [16, 33, 47, 100, 130, 300])
def test_a_page_of_any_size_is_looked_at(height: int, width: int) -> None:
    y, x = np.mgrid[0:height, 0:width]
    stripes = np.where(np.sin(0.5 * (y - 0.27 * x)) > 0, 250, 40).astype(np.uint8)
    assert upright(stripes).page_shape == (height, width)


def test_a_halftone_is_no_writing_that_leans() -> None:
    y, x = np.mgrid[0:900, 0:700]
    dots = np.sin(0.45 * (0.97 * x + 0.26 * y)) + np.sin(0.45 * (0.97 * y - 0.26 * x))
    picture = np.where(dots > 0.8, 200, 250).astype(np.uint8)
    assert upright(picture).image is picture


def photograph(sheet: Grey, quad: Quad, *, background: int = 60) -> Grey:
    """The sheet with its corners there, before a background, lit from one side."""
    size = 2100, 2300
    taken = homography(corners(sheet.shape[1], sheet.shape[0]), quad)
    picture = cv2.warpPerspective(sheet, taken, size, borderValue=background)
    light = np.linspace(0.6, 1.0, size[0])[None, :]
    noise = np.random.default_rng(1).normal(0, 4, picture.shape)
    return np.clip(picture * light + noise, 0, 255).astype(np.uint8)


SLANTED = np.array([(300, 220), (1800, 330), (1900, 2100), (180, 1980)], np.float64)
#: A sheet in a scanner, a degree askew.
SCANNED = np.array([(300, 200), (1700, 225), (1666, 2135), (266, 2110)], np.float64)


def test_a_photographed_sheet_is_found() -> None:
    sheet = photographed_sheet(photograph(page(), SLANTED))
    assert sheet is not None
    assert np.abs(sheet - SLANTED).max() < 15


def shaded(picture: Grey, least: float, across: int) -> Grey:
    """The picture with a shadow whose edge falls across it, so many pixels wide."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    edge = 1 / (1 + np.exp(-4 * (x + 0.3 * y - 0.8 * picture.shape[1]) / across))
    return np.asarray(picture * (1 - (1 - least) * edge), np.uint8)


def test_a_shadow_on_a_photographed_sheet_is_not_its_edge() -> None:
    sheet = photographed_sheet(shaded(photograph(page(), SLANTED, background=30), 0.4, 300))
    assert sheet is not None
    assert np.abs(sheet - SLANTED).max() < 15


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("brightest", [65, 110])
def test_light_on_the_ground_is_no_sheet(side: int, across: bool, brightest: int) -> None:
    """Its brighter half was taken for a part of the sheet in a shadow."""
    size = (2300, 2100)
    light = np.linspace(20, brightest, size[across])[::side]
    ground = np.tile(light, (size[0], 1)) if across else np.tile(light[:, None], (1, size[1]))
    taken = homography(corners(page().shape[1], page().shape[0]), SLANTED)
    picture = ground.astype(np.uint8)
    cv2.warpPerspective(page(), taken, size[::-1], dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    edges = find_edges(picture, 0.05)
    assert edges is not None
    assert np.abs(edges - SLANTED).max() < 15


def test_a_piece_of_light_is_no_sheet() -> None:
    light = np.array([(300, 220), (1850, 230), (900, 2050), (310, 2060)], np.float64)
    assert photographed_sheet(photograph(page(), light)) is None


@pytest.mark.parametrize("across", [40, 120])
def test_lines_go_on_across_the_edge_of_a_shadow(across: int) -> None:
    ends = [
        [line.line.baseline[-1][0] for line in lay_out(picture, FREE).lines]
        for picture in (page(), shaded(page(), 0.55, across))
    ]
    assert ends[1] == pytest.approx(ends[0], abs=12)


@pytest.mark.parametrize(
    ("quad", "background"),
    [
        (SCANNED, 60),
        (SLANTED - (400, 0), 60),
        (SLANTED, 245),
        ((SLANTED - (1050, 1150)) / 4 + (1050, 1150), 60),
    ],
    ids=["scan", "cut off", "bright background", "far away"],
)
def test_what_may_be_no_photograph_is_left_alone(quad: Quad, background: int) -> None:
    assert photographed_sheet(photograph(page(), quad, background=background)) is None


@pytest.mark.parametrize("turns", [0, 3])
def test_lines_of_a_photograph_lie_on_the_photograph(turns: int) -> None:
    straight = lay_out(page(), FREE)
    picture = photograph(page(), SLANTED)
    found = lay_out(turned(picture, turns), FREE)
    assert len(found.lines) == len(straight.lines)
    taken = homography(corners(page().shape[1], page().shape[0]), SLANTED)
    for own, other in zip(found.lines, straight.lines, strict=True):
        wanted = outlined(mapped(np.array(other.line.polygon), taken), picture.shape)
        given = outlined(np.array(own.line.polygon), turned(picture, turns).shape)
        common = np.count_nonzero(given & turned(wanted, turns))
        assert common > 0.6 * np.count_nonzero(given | turned(wanted, turns))


def outlined(polygon: NDArray[np.float64] | NDArray[np.int_], shape: tuple[int, ...]) -> Grey:
    canvas = np.zeros(shape, np.uint8)
    return np.asarray(cv2.fillPoly(canvas, [np.rint(polygon).astype(np.int32)], 1), np.uint8)


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    places=st.lists(st.tuples(st.integers(-9, 70), st.integers(-9, 70)), min_size=2, max_size=6),
    turns=st.integers(1, 3),
)
def test_points_stay_on_the_page_and_find_their_way_back(
    height: int, width: int, places: list[tuple[int, int]], turns: int
) -> None:
    picture = np.arange(height * width, dtype=np.uint32).reshape(height, width) % 251
    image = picture.astype(np.uint8)
    view = Upright(
        image=turned(image, turns),
        page_shape=image.shape,
        to_page=turned_back(image, turns),
    )
    line = Line(order=0, polygon=tuple(places), baseline=tuple(places[:2]))
    there = view.on_page(line)
    for x, y in there.polygon:
        assert 0 <= x < width
        assert 0 <= y < height
    back = view.in_view(there)
    assert view.on_page(back) == there
    for (x, y), (u, v) in zip(there.polygon, back.polygon, strict=True):
        assert image[y, x] == view.image[v, u]
