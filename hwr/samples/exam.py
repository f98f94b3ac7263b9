"""An exam paper that a candidate has filled in: A4, ruled pages and now and then a plain one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from hwr.samples.fonts import Face
from hwr.samples.hand import Writer, choose_writer, wrap
from hwr.samples.noise import as_field
from hwr.samples.scanner import Scan, scan
from hwr.samples.sheet import Colour, Sheet, new_sheet
from hwr.samples.text import CANDIDATES, ESSAYS, PAPER, QUESTIONS, SCHOOL, TIME, Question, any_date

#: A4 at 200 dpi, in pixels
WIDTH, HEIGHT = 1654, 2339
#: Where text begins and how far it goes
LEFT, TEXT_WIDTH = 190, 1300
#: How far handwriting goes
ANSWER_WIDTH = TEXT_WIDTH - 70
#: Distance of printed and of handwritten lines, in pixels (5 and 8 mm)
PRINT_PITCH, HAND_PITCH = 42, 68
#: Nothing is written below
BOTTOM = HEIGHT - 210
#: Every so many pages the paper has no rules
PLAIN_EVERY = 4
#: The zone of a page without rules
PLAIN = "answer"

WHITE = (249, 248, 244)
CREAM = (246, 242, 228)
RULE = (168, 190, 216)
FORM = (120, 120, 126)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Who sat the exam."""

    name: str
    number: str
    date: str
    #: Writes the answers
    hand: Writer
    #: Fills in the form in capitals
    capitals: Writer


#: Makes a sheet of a width and height in pixels, its tint and where its chance comes from.
Paper = Callable[[int, int, Colour, np.random.Generator], Sheet]


def exam_pages(count: int, rng: np.random.Generator, paper: Paper = new_sheet) -> Iterator[Scan]:
    """Scan `count` pages, one at a time; `paper` says how a sheet is written on."""
    candidate = _choose_candidate(rng)
    order = [QUESTIONS[place] for place in rng.permutation(len(QUESTIONS))]
    asked = 0
    for number in range(1, count + 1):
        sheet = paper(WIDTH, HEIGHT, CREAM if number % PLAIN_EVERY == 0 else WHITE, rng)
        y = _print_head(sheet, number, candidate)
        asked = _fill(sheet, y, number, asked, order, candidate)
        _finish(sheet, number)
        yield scan(sheet, number)


def _choose_candidate(rng: np.random.Generator) -> Candidate:
    hand = choose_writer(rng, (Face.SHADOWS, Face.INTUITIVE)[int(rng.integers(2))])
    return Candidate(
        name=CANDIDATES[int(rng.integers(len(CANDIDATES)))],
        number=str(rng.integers(10_000, 99_999)),
        date=any_date(rng),
        hand=hand,
        capitals=replace(choose_writer(rng, Face.AMATIC), ink=hand.ink),
    )


def _print_head(sheet: Sheet, number: int, candidate: Candidate) -> int:
    """Print the head of the page and have it filled in; returns where questions begin."""
    if number > 1:
        x = sheet.print("Candidate number:", 1080, 150, 26) + 20
        zone = sheet.mark("number", (x - 10, 98, x + 198, 173))
        sheet.write(candidate.number, x, 150, candidate.capitals, zone)
        return 230
    sheet.print(SCHOOL, LEFT, 165, 46)
    sheet.print(PAPER, LEFT, 220, 32)
    name = candidate.name.upper()
    _fill_field(sheet, "name", "Name (block capitals):", 320, name, candidate.capitals)
    _fill_field(sheet, "number", "Candidate number:", 400, candidate.number, candidate.hand)
    _fill_field(sheet, "date", "Date:", 480, candidate.date, candidate.hand)
    sheet.print(TIME, LEFT, 560, 26)
    sheet.rule((LEFT, 590), TEXT_WIDTH, FORM)
    return 650


def _fill_field(
    sheet: Sheet, name: str, label: str, baseline: int, value: str, writer: Writer
) -> None:
    x, y = sheet.print(label, LEFT, baseline, 28) + 20, baseline + 8
    sheet.rule((x, y), LEFT + TEXT_WIDTH - x, FORM)
    zone = sheet.mark(name, (x, y - HAND_PITCH, LEFT + TEXT_WIDTH, y + HAND_PITCH // 4))
    sheet.write(value, x + 25, baseline, writer, zone)


def _fill(
    sheet: Sheet, y: int, page: int, asked: int, order: Sequence[Question], candidate: Candidate
) -> int:
    """Ask and answer questions down the page; returns how many were asked so far."""
    ruled = page % PLAIN_EVERY != 0
    if not ruled:
        # Nothing is printed on plain paper that tells questions and answers from each other.
        sheet.mark(PLAIN, (LEFT - 58, y - 30, WIDTH - 83, BOTTOM + 45))
        y = _pose(sheet, y, ESSAYS[page // PLAIN_EVERY % len(ESSAYS)], candidate, ruled=ruled)
    while _height(question := order[asked % len(order)], candidate.hand) < BOTTOM - y:
        asked += 1
        y = _pose(sheet, y, question, candidate, number=asked, ruled=ruled)
    return asked


def _height(question: Question, hand: Writer) -> int:
    """Pixels that the question and its answer take, with a free line below."""
    answer = wrap(question.answer, hand, ANSWER_WIDTH)
    return PRINT_PITCH * len(question.asked) + HAND_PITCH * (len(answer) + 1)


def _pose(
    sheet: Sheet,
    y: int,
    question: Question,
    candidate: Candidate,
    *,
    ruled: bool,
    number: int | None = None,
) -> int:
    """Print the question and write its answer; returns where the next begins."""
    y = _ask(sheet, y, question, f"{number}. " if number else "", None if ruled else PLAIN)
    answer = wrap(question.answer, candidate.hand, ANSWER_WIDTH)
    return _answer(sheet, y, answer, candidate.hand, ruled=ruled)


def _ask(sheet: Sheet, y: int, question: Question, head: str, zone: str | None) -> int:
    first, *others = question.asked
    sheet.print(head + first, LEFT, y, 30, zone=zone)
    for text in others:
        y += PRINT_PITCH
        sheet.print(text, LEFT + 40, y, 30, zone=zone)
    return y + HAND_PITCH


def _answer(sheet: Sheet, y: int, lines: list[str], writer: Writer, *, ruled: bool) -> int:
    zone = _mark_answer(sheet, y + 5, len(lines)) if ruled else PLAIN
    for text in [*lines, ""]:
        if ruled:
            sheet.rule((LEFT, y + 5), TEXT_WIDTH, RULE)
        if text:
            drift = 0 if ruled else round(sheet.rng.normal(0, 5))
            x = LEFT + 30 + round(sheet.rng.uniform(-12, 18))
            sheet.write(text, x, y + drift, writer, zone)
        y += HAND_PITCH
    return y + 26


def _mark_answer(sheet: Sheet, first: int, more: int) -> str:
    """The zone of a rule and so many more below it, by its number on the page."""
    number = 1 + sum(mark.name.startswith("answer") for mark in sheet.marks)
    last = first + more * HAND_PITCH
    box = (LEFT, first - HAND_PITCH, LEFT + TEXT_WIDTH, last + HAND_PITCH // 4)
    return sheet.mark(f"answer {number}", box)


def _finish(sheet: Sheet, number: int) -> None:
    """Number the page, let the reverse show through and punch the holes of the binder."""
    _show_through(sheet)
    sheet.print(f"Page {number}", WIDTH // 2 - 50, HEIGHT - 110, 26)
    for y in (HEIGHT // 2 - 315, HEIGHT // 2 + 315):
        centre = (70 + round(sheet.rng.normal(0, 2)), y)
        cv2.circle(sheet.picture, centre, 22, (176, 176, 174), -1, cv2.LINE_AA)
        cv2.circle(sheet.picture, centre, 22, (140, 140, 138), 2, cv2.LINE_AA)


def _show_through(sheet: Sheet) -> None:
    """What is written on the reverse shines through: this page's own ink, mirrored and faint."""
    ink = np.clip(1 - sheet.picture.mean(axis=2) / 240, 0, 1)[::-1, ::-1]
    soft = as_field(cv2.GaussianBlur(as_field(ink), (0, 0), 2.5))
    sheet.stamp(as_field(0.055 * soft), 0, 0, (90, 90, 100))
