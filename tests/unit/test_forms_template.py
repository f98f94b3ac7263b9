"""Pages laid on their blank forms: turned, photographed, upside down, or not that form at all."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.errors import ProfileError
from hwr.forms import Found, PageLayout, lay_out
from hwr.forms.form_print import without_form_print
from hwr.layout import Line
from hwr.profiles import PageForm, ZoneForm
from workers.commands.options import profile_of

WIDTH, HEIGHT = 1200, 900
Grey = NDArray[np.uint8]
#: In pixels of the form.
TOTAL = (700, 300, 1100, 360)


@pytest.fixture(scope="module")
def blank() -> Grey:
    """A form with enough print to be known by."""
    form = np.full((HEIGHT, WIDTH), 250, np.uint8)
    rows = ("Application for leave", "Surname and given names", "Number of days", "Signature")
    for number, text in enumerate(rows):
        y = 120 + 200 * number
        cv2.putText(form, text, (80, y), cv2.FONT_HERSHEY_TRIPLEX, 1.3, 40, 2, cv2.LINE_AA)
        cv2.line(form, (80, y + 60), (1120, y + 60), 60, 2)
    cv2.rectangle(form, TOTAL[:2], TOTAL[2:], 60, 2)
    return form


@pytest.fixture(scope="module")
def page_form(blank: Grey, tmp_path_factory: pytest.TempPathFactory) -> PageForm:
    path = tmp_path_factory.mktemp("form") / "blank.png"
    assert cv2.imwrite(str(path), blank)
    left, top, right, bottom = TOTAL
    box = (left / WIDTH, top / HEIGHT, right / WIDTH, bottom / HEIGHT)
    return PageForm(template=path, zones=(ZoneForm(name="total", box=box),))


def filled(blank: Grey) -> Grey:
    page = blank.copy()
    cv2.putText(page, "4711", (760, 352), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 2, 20, 4, cv2.LINE_AA)
    return page


def seen(page: Grey, degrees: float, scale: float, tilt: float) -> tuple[Grey, NDArray[np.float64]]:
    """The page on a grey desk, and where it came to lie."""
    height = len(page)
    corners = np.array([(0, 0), (WIDTH, 0), (WIDTH, height), (0, height)], np.float32)
    turn = np.radians(degrees)
    across = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    tilted = corners + np.array([(tilt, 0), (-tilt, tilt), (0, 0), (0, -tilt)]) * WIDTH
    placed = scale * (tilted - tilted.mean(axis=0)) @ across
    placed += 80 - placed.min(axis=0)
    size = tuple(int(side) for side in np.ceil(placed.max(axis=0) + 80))
    move = cv2.getPerspectiveTransform(corners, placed.astype(np.float32))
    image = cv2.warpPerspective(page, move, size, flags=cv2.INTER_AREA, borderValue=120)
    noise = np.random.default_rng(3).normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), np.asarray(move, np.float64)


def laid_out(image: Grey, form: PageForm) -> tuple[PageLayout, Grey]:
    """The layout, and the picture that lines are looked for in."""
    views: list[Grey] = []

    def no_lines(view: Grey) -> tuple[Line, ...]:
        views.append(view)
        return ()

    layout = lay_out(image, form, no_lines)
    return layout, views[0]


@pytest.mark.parametrize(
    ("degrees", "scale", "tilt"),
    [(0, 1.0, 0.0), (7, 1.4, 0.0), (-3, 0.8, 0.04), (90, 1.0, 0.02), (178, 1.1, 0.0)],
)
def test_zones_lie_where_they_do_on_the_form(
    blank: Grey, page_form: PageForm, degrees: float, scale: float, tilt: float
) -> None:
    image, move = seen(filled(blank), degrees, scale, tilt)
    layout, _ = laid_out(image, page_form)
    assert layout.warning is None
    (zone,) = layout.zones
    assert zone.found is Found.TEMPLATE
    left, top, right, bottom = TOTAL
    box = np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]], np.float64)
    assert np.abs(cv2.perspectiveTransform(box, move)[0] - zone.polygon).max() < 5 * scale


def test_a_bold_heading_does_not_decide_alone(tmp_path: Path) -> None:
    form = np.full((1600, WIDTH), 250, np.uint8)
    for y in (60, 110):
        heading = "INSURANCE CLAIM FORM FOR MOTOR CARS"
        cv2.putText(form, heading, (80, y), cv2.FONT_HERSHEY_TRIPLEX, 1.2, 0, 3, cv2.LINE_AA)
    for number, text in enumerate(
        ("your policy", "day of loss", "who drove", "garage", "sum", "by")
    ):
        y = 300 + 240 * number
        x = 80 + 150 * number
        cv2.putText(form, text, (x, y), cv2.FONT_HERSHEY_PLAIN, 1.5, 160, 1, cv2.LINE_AA)
        cv2.line(form, (80, y + 20), (1120, y + 20), 160, 2)
    assert cv2.imwrite(str(tmp_path / "blank.png"), form)
    box = (0.1, 0.9, 0.9, 0.99)
    page = PageForm(template=tmp_path / "blank.png", zones=(ZoneForm(name="foot", box=box),))
    for degrees in (4, 178):
        image, move = seen(form, degrees, 1.0, 0.02)
        layout, _ = laid_out(image, page)
        corners = np.array([[(120, 1440), (1080, 1440), (1080, 1584), (120, 1584)]], np.float64)
        place = cv2.perspectiveTransform(corners, move)[0]
        assert np.abs(place - layout.zones[0].polygon).max() < 5


def test_the_print_goes_and_the_writing_stays(blank: Grey, page_form: PageForm) -> None:
    image, _ = seen(filled(blank), 5, 1.0, 0.02)
    _, view = laid_out(image, page_form)
    factor = view.shape[1] / WIDTH
    print_rows = view[round(40 * factor) : round(280 * factor), round(60 * factor) :]
    assert (print_rows < 150).mean() < 0.002
    left, top, right, bottom = (round(side * factor) for side in TOTAL)
    assert (view[top:bottom, left:right] < 150).mean() > 0.03


@pytest.mark.parametrize("lost", ["", "Ada Lovelace"])
def test_writing_in_no_line_is_told_and_print_of_the_form_is_not(
    blank: Grey, page_form: PageForm, lost: str
) -> None:
    page = filled(blank)
    cv2.putText(page, lost, (200, 600), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 2, 20, 4, cv2.LINE_AA)
    box = (60 / WIDTH, 480 / HEIGHT, 1140 / WIDTH, 640 / HEIGHT)
    zones = (*page_form.zones, ZoneForm(name="days", box=box))

    def only_the_total(view: Grey) -> tuple[Line, ...]:
        left, top, right, bottom = 760, 300, 960, 358
        outline = ((left, top), (right, top), (right, bottom), (left, bottom))
        return (Line(order=0, polygon=outline, baseline=((left, 352), (right, 352))),)

    told = lay_out(page, page_form.model_copy(update={"zones": zones}), only_the_total).warning
    assert (told is not None) == bool(lost)
    assert "in 'days' and in no line" in str(told or "in 'days' and in no line")


def ink_of(image: Grey) -> Grey:
    return (image < 220).astype(np.uint8)


def test_strokes_across_print_stay_whole(blank: Grey) -> None:
    page = blank.copy()
    cv2.line(page, (600, 130), (600, 230), 20, 6)  # across the rule at 180
    clean = without_form_print(page, ink_of(page), ink_of(blank))
    assert (clean[135:225, 600] < 100).all()
    assert (clean[135:225, 300:500] > 200).all()


@pytest.mark.parametrize(("down", "across"), [(2, -2), (5, -4)])
def test_no_more_than_print_is_taken_where_it_is_off_its_place(
    blank: Grey, down: int, across: int
) -> None:
    moved = np.roll(blank, (down, across), (0, 1))
    page = moved.copy()
    end = 174 + down  # above the rule, which is at 180 on the form
    cv2.line(page, (600, 130), (600, end), 20, 6)
    clean = without_form_print(page, ink_of(page), ink_of(blank))
    assert (clean[135 : end + 3, 600] < 100).all()
    assert (clean[moved < 150] > 150).mean() > 0.99


@pytest.mark.parametrize("factor", [1, 3, 5])
def test_print_of_another_run_is_taken_at_any_resolution(blank: Grey, factor: int) -> None:
    form = np.kron(blank, np.ones((factor, factor), np.uint8))
    reach = len(form[0]) // 280
    page: Grey = np.roll(form, (reach - factor, 1 - reach), (0, 1))
    clean = without_form_print(page, ink_of(page), ink_of(form))
    assert (clean[page < 150] > 150).mean() > 0.98


@pytest.fixture(scope="module")
def waves() -> NDArray[np.uint8]:
    """Darkness of fine waves, as on security paper."""
    dark = np.zeros((HEIGHT, WIDTH), np.uint8)
    x = np.linspace(0, WIDTH, 200)
    for y in range(0, HEIGHT, 9):
        points = np.stack([x, y + 9 * np.sin(x / 40 + y / 20)], axis=1)
        cv2.polylines(dark, [np.round(points).astype(np.int32)], False, 45, 2, cv2.LINE_AA)
    return dark


def test_a_pattern_is_no_print(
    blank: Grey, page_form: PageForm, waves: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "blank.png"
    assert cv2.imwrite(str(path), cv2.subtract(blank, waves))
    form = page_form.model_copy(update={"template": path, "patterned": True})
    plain, _ = seen(filled(blank), 2, 1.0, 0.0)
    image, _ = seen(np.asarray(cv2.subtract(filled(blank), waves), np.uint8), 2, 1.0, 0.0)
    _, bare = laid_out(plain, page_form)
    _, view = laid_out(image, form)
    left, top, right, bottom = (round(side * view.shape[1] / WIDTH) for side in TOTAL)
    written = [one[top + 8 : bottom - 8, left + 8 : right - 8] < 100 for one in (bare, view)]
    assert written[1].sum() > 0.97 * written[0].sum()


def test_another_page_is_told_and_read_by_its_edges(page_form: PageForm) -> None:
    other = np.full((HEIGHT, WIDTH), 250, np.uint8)
    cv2.putText(other, "Dear Sir,", (100, 300), cv2.FONT_HERSHEY_SCRIPT_COMPLEX, 3, 30, 4)
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    for image in (other, np.full((HEIGHT, WIDTH), 255, np.uint8), noise, noise[:1, :1]):
        layout, _ = laid_out(image, page_form)
        assert layout.warning is not None
        assert [zone.found for zone in layout.zones] == [Found.SHEET]


def test_another_form_with_the_same_head_is_told(blank: Grey, page_form: PageForm) -> None:
    other = np.full((HEIGHT, WIDTH), 250, np.uint8)
    other[:200] = blank[:200]
    for y in (400, 600, 800):
        cv2.putText(other, "something else", (80, y), cv2.FONT_HERSHEY_PLAIN, 3, 40, 2)
    image, _ = seen(other, 3, 1.0, 0.0)
    layout, _ = laid_out(image, page_form)
    assert layout.warning is not None


def test_a_pale_copy_of_the_form_is_still_it(blank: Grey, page_form: PageForm) -> None:
    faint = 150 + filled(blank) // 2.5
    image, _ = seen(faint.astype(np.uint8), 1, 0.97, 0.0)
    layout, _ = laid_out(image, page_form)
    assert layout.warning is None


def test_a_form_printed_in_a_pale_colour_is_told_by_its_place_alone(
    blank: Grey, tmp_path: Path
) -> None:
    pale = (250 - (250.0 - blank) / 8).clip(0, 255).astype(np.uint8)
    assert cv2.imwrite(str(tmp_path / "pale.png"), pale)
    form = PageForm(template=tmp_path / "pale.png")
    layout, _ = laid_out(filled(pale), form)
    assert layout.warning is None


@pytest.mark.parametrize("content", [b"no picture", b""])
def test_a_template_that_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "blank.png"
    path.write_bytes(content)
    with pytest.raises(ProfileError, match=r"blank\.png cannot be read"):
        lay_out(np.full((99, 99), 255, np.uint8), PageForm(template=path), lambda _: ())


def test_a_template_without_print_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "blank.png"
    assert cv2.imwrite(str(path), np.full((400, 300), 255, np.uint8))
    with pytest.raises(ProfileError, match="too little print"):
        lay_out(np.full((99, 99), 255, np.uint8), PageForm(template=path), lambda _: ())


def test_templates_are_opened_before_the_first_page(tmp_path: Path) -> None:
    (tmp_path / "blank.png").write_bytes(b"no picture")
    form = tmp_path / "form.toml"
    form.write_text('[[pages]]\nnumbers = "1"\n[[pages]]\ntemplate = "blank.png"')
    with pytest.raises(ProfileError, match=r"blank\.png cannot be read"):
        profile_of(str(form))


def test_a_template_that_has_gone_is_named_without_its_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    form = PageForm(template=tmp_path / "blank.png")
    with pytest.raises(ProfileError, match=r"blank\.png cannot be read") as caught:
        lay_out(np.full((99, 99), 255, np.uint8), form, lambda _: ())
    assert str(tmp_path) not in str(caught.value)
    assert str(tmp_path) in caplog.text
