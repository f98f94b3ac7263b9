"""What is written on a form and is in no line that is read has a warning; clean pages have none."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hwr.errors import WritingOutside
from hwr.forms import lay_out
from hwr.layout import Line
from hwr.profiles import PageForm, ZoneForm, load_profile
from hwr.samples.cheque import Waves, cheque_front, choose_cheque
from hwr.samples.fonts import Face

WIDTH, HEIGHT = 1400, 1000
#: Ends of the rules, and their rows: two blocks.
LEFT, RIGHT, RULES = 200, 1200, (200, 260, 320, 520, 580, 640)
Grey = NDArray[np.uint8]


def zone(name: str, box: tuple[float, float, float, float], **keys: object) -> ZoneForm:
    return ZoneForm.model_validate({"name": name, "box": box, **keys})


ANSWER = zone("answer", (0.1, 0.1, 0.9, 0.85), find="ruled")


def page() -> Grey:
    """Two blocks of rules."""
    image = np.full((HEIGHT, WIDTH), 245, np.uint8)
    for y in RULES:
        cv2.line(image, (LEFT, y), (RIGHT, y), 120, 2)
    return image


def word(image: Grey, left: int, baseline: int, letters: int = 8) -> None:
    """Letters that stand beside each other."""
    for x in range(left, left + 15 * letters, 15):
        cv2.rectangle(image, (x, baseline - 25), (x + 6, baseline), 20, -1)


def line(left: int, right: int, baseline: int) -> Line:
    top, bottom = baseline - 30, baseline + 10
    return Line(
        order=0,
        polygon=((left, top), (right, top), (right, bottom), (left, bottom)),
        baseline=((left, baseline), (right, baseline)),
    )


def answers(image: Grey, *baselines: int) -> list[Line]:
    """Lines with a word each."""
    for baseline in baselines:
        word(image, 240, baseline, 40)
    return [line(235, 850, baseline) for baseline in baselines]


def warning(image: Grey, lines: list[Line], *zones: ZoneForm, outside: bool = False) -> str | None:
    form = PageForm(zones=zones or (ANSWER,), outside=outside)
    told = lay_out(image, form, lambda _: lines).warning
    assert told is None or isinstance(told, WritingOutside)
    return str(told) if told else None


def test_a_clean_page_with_holes_print_and_a_struck_out_space_has_no_warning() -> None:
    image = page()
    lines = answers(image, 195, 255, 515)
    cv2.circle(image, (60, 400), 22, 140, -1)
    # A question, a footer and the number of a question.
    for left, letters, baseline in ((210, 40, 430), (600, 8, 900), (150, 2, 250)):
        word(image, left, baseline, letters)
        lines.append(line(left - 5, left + 15 * letters, baseline))
    cv2.line(image, (230, 545), (1100, 630), 30, 3)
    assert warning(image, lines) is None


@pytest.mark.parametrize("place", range(3))
def test_a_strong_pattern_is_no_writing(place: int) -> None:
    rng = np.random.default_rng([5, place])
    waves = Waves(colour=(110, 130, 160), strength=1)
    scan = cheque_front(choose_cheque(rng, list(Face)[place]), rng, pattern=True, waves=waves)
    page = np.asarray(Image.fromarray(scan.picture).convert("L"))
    assert lay_out(page, load_profile("cheque").page(1)).warning is None


@pytest.mark.parametrize("mark", ["brace beside a hole", "dust", "rest of a rule"])
def test_what_is_no_letters_has_no_warning(mark: str) -> None:
    image = page()
    lines = answers(image, 195, 255, 515)
    if mark == "brace beside a hole":
        rows = np.arange(230, 620)
        wave = np.stack([130 + 14 * np.sin(rows / 22), rows], axis=1).astype(np.int32)
        cv2.polylines(image, [wave], isClosed=False, color=60, thickness=4)
        cv2.circle(image, (80, 400), 24, 20, -1)
    elif mark == "dust":
        rng = np.random.default_rng(1)
        for x, y in zip(rng.integers(30, 150, 200), rng.integers(200, 640, 200), strict=True):
            cv2.circle(image, (int(x), int(y)), 1, 40, -1)
    else:
        for x in range(400, 700, 12):
            cv2.rectangle(image, (x, 610), (x + 6, 612), 60, -1)
        cv2.circle(image, (500, 598), 3, 60, -1)
    assert warning(image, lines) is None


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("side", "left"), [("left", 50), ("right", 1250)])
def test_writing_in_a_margin_is_told(side: str, left: int, *, turned: bool) -> None:
    image = page()
    lines = answers(image, 195, 255, 515)
    note = np.full((60, 240), 245, np.uint8)
    word(note, 10, 45, 15 if turned else 6)
    part = np.rot90(note) if turned else note[:, :110]
    image[260 : 260 + part.shape[0], left : left + part.shape[1]] = part
    told = warning(image, lines)
    assert told is not None
    assert f"in the {side} margin" in told
    assert "was not read" in told
    # Where the profile says that nothing is to be read it is not told.
    place = left / WIDTH, 0.2, (left + 115) / WIDTH, 0.6
    assert warning(image, lines, ANSWER, zone("print", place, holds="nothing")) is None


def test_a_line_struck_out_along_a_ruler_that_is_no_line_is_told() -> None:
    image = page()
    lines = answers(image, 195, 255, 315, 515)
    for y in (300, 308):
        cv2.line(image, (230, y), (860, y), 20, 3)
    told = warning(image, [one for one in lines if one.baseline[0][1] != 315])
    assert told is not None
    assert "in 'answer 1' and in no line" in told
    assert warning(image, lines) is None


@pytest.mark.parametrize("outside", [False, True])
def test_what_goes_on_below_rules_that_are_free_is_told(*, outside: bool) -> None:
    image = page()
    lines = answers(image, 195, 515, 700, 870, 940)
    told = warning(image, lines, outside=outside)
    assert (told is None) == outside
    assert outside or "below 'answer 2'" in (told or "")


def test_an_answer_that_goes_on_below_the_end_of_its_box_is_told() -> None:
    image = page()
    rows = 195, 515, 575, 635, 695, 755, 815
    assert warning(image, answers(image, *rows)) is None
    told = warning(image, answers(image, *rows, 875))
    assert "below 'answer 2'" in (told or "")


def test_a_second_row_below_rules_before_the_next_question_is_told() -> None:
    image = page()
    rows = 195, 255, 315, 370
    question = line(205, 810, 452)
    lines = [*answers(image, *rows), question, *answers(image, 515)]
    assert warning(image, lines) is None
    lines = [*answers(image, *rows, 418), question, *answers(image, 515)]
    assert "below 'answer 1'" in (warning(image, lines) or "")


def test_a_word_that_a_zone_begins_in_is_told() -> None:
    image = page()
    number = zone("number", (0.5, 0.05, 0.9, 0.12))
    word(image, 400, 100, 40)
    told = warning(image, [line(395, 1000, 100)], number)
    assert "across the start of 'number'" in (told or "")
    image[:, 660:690] = 245
    for x in range(660, 690, 6):
        image[80, x] = 30
    assert warning(image, [line(395, 1000, 100)], number) is None


@pytest.mark.parametrize("rule", [85, 108])
def test_what_is_written_above_a_crossed_out_field_is_told(rule: int) -> None:
    image = page()
    number = zone("number", (0.5, 0.07, 0.9, 0.12), holds="digits")
    cv2.line(image, (700, rule), (1260, rule), 60, 2)
    for baseline in (68, 100):
        word(image, 720, baseline, 6)
    lines = [line(715, 820, 68), line(715, 820, 100)]
    # A rule through low letters is none.
    assert warning(image, lines, number) is None
    cv2.line(image, (712, 92), (822, 90), 20, 3)
    assert "next to the crossed out 'number'" in (warning(image, lines, number) or "")
    assert warning(image, lines[1:], number) is None
