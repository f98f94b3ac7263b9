"""Drawn pages: real and printed lines on drawn paper, so that every baseline is known.

Letters, columns, registers and forms; around the lines everything that is none: rules, the other
side of the sheet, the next page, stains, flourishes, shadows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import Generator

from hwr.training.augmentation import texture
from hwr.training.layout.cutouts import Cover, Cutout, Shelf, cut_out, printed, spaced, words_within
from hwr.training.layout.pages import KnownLine, KnownPage
from hwr.training.samples import LineSample

#: Pages are so wide and high, in pixels.
_WIDTHS, _HEIGHTS = (760, 1000), (900, 1250)
#: Height of a written line, ascenders and descenders included, in pixels.
_LETTER_SIZES, _REGISTER_SIZES = (24, 58), (17, 30)
#: Share of a register's narrow columns that hold figures.
_FIGURES = 0.5
#: Print at a letter's head, in pixels an em, and most columns of it.
_HEAD_SIZES, _MOST_HEADS = (9, 24), 3
#: Distance of lines in heights of a line: from touching to wide.
_PITCHES = (0.55, 1.25)
#: Usual height of a line's outline as a share of its picture's height, which holds all of it.
_OUTLINE_SHARE = 0.75


@dataclass(frozen=True, kw_only=True)
class Column:
    """A part of a page that is written in from top to bottom."""

    left: int
    right: int
    top: int
    bottom: int
    #: Share of its rows that hold a line.
    filled: float = 1.0
    #: Most words a line; all that fit where None.
    words: int | None = None
    #: Whether figures stand in it: lines of a few characters, of any hand.
    figures: bool = False


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A page that is being drawn."""

    cover: Cover
    lines: list[KnownLine] = field(default_factory=list)
    #: Words stand further apart by so many heights of a line.
    stretched: float = 0.0
    #: Heights of the lines' pictures.
    heights: list[int] = field(default_factory=list)

    def put(self, cutout: Cutout, x: float, baseline: float) -> None:
        """Put a line with its left end at ``x``; it is a line of the page."""
        height, width = cutout.cover.shape
        top = round(baseline - cutout.foot)
        lay(self.cover, cutout.cover, round(x), top)
        ends = np.array([0.0, width - 1.0])
        rows = top + cutout.foot + cutout.slope * ends
        inside = (rows > 0) & (rows < len(self.cover))
        if inside.all():
            line = np.stack([np.clip(x + ends, 0, self.cover.shape[1] - 1), rows], axis=1)
            self.lines.append(KnownLine(baseline=line, polygon=None))
            self.heights.append(height)


def lay(cover: Cover, ink: Cover, x: int, y: int) -> None:
    """Lay ink over a page; what falls off is lost."""
    top, left = max(0, -y), max(0, -x)
    part = cover[y + top : max(y + ink.shape[0], 0), x + left : max(x + ink.shape[1], 0)]
    inner = ink[top : top + part.shape[0], left : left + part.shape[1]]
    part += inner * (1 - part)


def draw_page(shelf: Shelf, rng: Generator) -> KnownPage:
    """A page of one of four kinds, with the lines of one or two hands."""
    shape = int(rng.integers(*_HEIGHTS)), int(rng.integers(*_WIDTHS))
    stretched = rng.uniform(0.1, 1.0) if rng.random() < 0.3 else 0.0
    draft = Draft(cover=np.zeros(shape, np.float32), stretched=stretched)
    kinds = (_letter, _letter, _columns, _register, _register, _register, _form)
    kinds[int(rng.integers(len(kinds)))](draft, shelf, rng)
    if rng.random() < 0.3:
        _flourish(draft.cover, rng)
    other = np.zeros_like(draft.cover)
    if rng.random() < 0.5:
        back = Draft(cover=other)
        _letter(back, shelf, rng)
    paper = _paper(other[:, ::-1], rng)
    strength = rng.uniform(0.5, 1.0)
    image = paper * (1 - strength * draft.cover) + rng.normal(0, 2, shape)
    page = KnownPage(
        collection="drawn",
        image=np.clip(image, 0, 255).astype(np.uint8),
        lines=draft.lines,
        height=_OUTLINE_SHARE * float(np.median(draft.heights or [_LETTER_SIZES[0]])),
    )
    return _beside(page, other, rng) if rng.random() < 0.25 else page


def _letter(draft: Draft, shelf: Shelf, rng: Generator) -> None:
    """Running text, perhaps with a printed head, notes in the margin, and ruled paper."""
    height, width = draft.cover.shape
    left = int(width * rng.uniform(0.02, 0.25))
    top = int(height * rng.uniform(0.03, 0.3))
    right, bottom = int(width * rng.uniform(0.85, 1.0)), int(height * rng.uniform(0.5, 0.98))
    size = rng.uniform(*_LETTER_SIZES)
    hand, pitch = shelf.hand(rng), size * rng.uniform(*_PITCHES)
    column = Column(left=left, right=right, top=top, bottom=bottom, filled=rng.uniform(0.8, 1))
    _fill(draft, column, hand, size, pitch, rng)
    if rng.random() < 0.5:
        _ruled(draft.cover, top, pitch, rng)
    if rng.random() < 0.4:
        _head(draft, hand, (left, 12, right, top - 20), rng)
    if left > 90 and rng.random() < 0.5:
        notes = Column(
            left=8, right=left - 8, top=top, bottom=bottom, filled=rng.uniform(0.05, 0.6), words=2
        )
        small = size * rng.uniform(0.6, 1.0)
        _fill(draft, notes, shelf.hand(rng), small, max(pitch, small * 0.6), rng)


def _columns(draft: Draft, shelf: Shelf, rng: Generator) -> None:
    """Two or three columns of running text close beside each other."""
    height, width = draft.cover.shape
    count, size = int(rng.integers(2, 4)), rng.uniform(20, 36)
    edges = np.linspace(width * 0.04, width * 0.97, count + 1).astype(int)
    hand, pitch = shelf.hand(rng), size * rng.uniform(*_PITCHES)
    for left, right in pairwise(edges):
        top, bottom = rng.uniform(0.05, 0.2) * height, rng.uniform(0.6, 0.97) * height
        gap = int(rng.integers(8, 30))
        column = Column(left=int(left), right=int(right) - gap, top=int(top), bottom=int(bottom))
        _fill(draft, column, hand, size, pitch, rng)


def _register(draft: Draft, shelf: Shelf, rng: Generator) -> None:
    """A table: narrow columns with little in them, one or two wide ones, rules between."""
    height, width = draft.cover.shape
    shares = rng.uniform(0.3, 1.0, int(rng.integers(4, 9)))
    shares[int(rng.integers(len(shares)))] = rng.uniform(2.0, 5.0)
    left = rng.uniform(0, 0.12) * width
    edges = left + np.cumsum(np.concatenate([[0], shares])) / shares.sum() * (width * 0.97 - left)
    top = int(height * rng.uniform(0.05, 0.2))
    bottom = int(height * rng.uniform(0.75, 1.0))
    hand, size = shelf.hand(rng), rng.uniform(*_REGISTER_SIZES)
    pitch = size * rng.uniform(0.5, 0.95)
    if rng.random() < 0.7:
        _heads(draft, hand, edges, top, rng)
    for share, start, end in zip(shares, edges, edges[1:], strict=False):
        column = Column(
            left=int(start) + int(rng.integers(-6, 8)),
            right=int(end) + int(rng.integers(-6, 8)),
            top=top + int(size),
            bottom=bottom,
            filled=rng.uniform(0.8, 1) if share >= 2 else rng.uniform(0.05, 0.7),
            words=None if share >= 2 else int(rng.integers(1, 3)),
            figures=share < 1 and rng.random() < _FIGURES,
        )
        _fill(draft, column, shelf.figures(rng) if column.figures else hand, size, pitch, rng)
    if rng.random() < 0.85:
        _bars(draft.cover, edges, top, bottom, rng)
    if rng.random() < 0.4:
        _ruled(draft.cover, top, pitch, rng)


def _form(draft: Draft, shelf: Shelf, rng: Generator) -> None:
    """Printed labels, each with something written after or below it, and boxes."""
    height, width = draft.cover.shape
    hand, size = shelf.hand(rng), rng.uniform(24, 44)
    y = height * rng.uniform(0.05, 0.12)
    while y < 0.95 * height:
        x = width * rng.uniform(0.04, 0.12)
        while x < 0.85 * width:
            x = _field(draft, hand, size, (x, y), rng)
        y += size * rng.uniform(0.9, 2.2)


def _field(
    draft: Draft,
    hand: Sequence[LineSample],
    size: float,
    place: tuple[float, float],
    rng: Generator,
) -> float:
    """A label and what is written beside it; returns where the next one may begin."""
    x, y = place
    width = draft.cover.shape[1]
    label = " ".join(_pick(hand, rng).text.split()[: int(rng.integers(1, 4))]) or "No"
    text = printed(label, int(rng.integers(11, 20)))
    if rng.random() < 0.8 and x + text.cover.shape[1] < width:
        draft.put(text, x, y)
        x += text.cover.shape[1] + size * rng.uniform(0.8, 2.0)
    room = int((width * 0.96 - x) * rng.uniform(0.3, 1.0))
    if rng.random() < 0.75:
        x += _write(draft, hand, size, (x, y), room, int(rng.integers(1, 6)), rng)
    if rng.random() < 0.4:
        row = round(y + rng.uniform(1, 5))
        draft.cover[row : row + 1, int(place[0]) : int(x)] += rng.uniform(0.2, 0.6)
        np.clip(draft.cover, 0, 1, out=draft.cover)
    return x + size * rng.uniform(1.2, 4)


def _fill(
    draft: Draft,
    column: Column,
    hand: Sequence[LineSample],
    size: float,
    pitch: float,
    rng: Generator,
) -> None:
    """Lines from the top of a column to its bottom."""
    y = column.top + size * 0.7
    while y < column.bottom:
        if rng.random() < column.filled:
            often = 1.0 if column.figures else 0.2
            indent = rng.uniform(0, 0.4) if rng.random() < often else rng.uniform(0, 0.03)
            x = column.left + indent * (column.right - column.left)
            room = int(column.right - x)
            _write(draft, hand, size * rng.uniform(0.9, 1.1), (x, y), room, column.words, rng)
        y += pitch * rng.uniform(0.93, 1.07)


def _write(
    draft: Draft,
    hand: Sequence[LineSample],
    size: float,
    place: tuple[float, float],
    room: int,
    words: int | None,
    rng: Generator,
) -> float:
    """Write some words; returns how wide they are."""
    image = _pick(hand, rng).load()
    cutout = cut_out(image).resized(size / image.shape[0])
    if draft.stretched and abs(cutout.slope) < 0.01:
        cutout = spaced(cutout, round(size * draft.stretched))
    part = words_within(cutout, room, words, rng)
    if part is None:
        return 0.0
    draft.put(part, place[0], place[1])
    return float(part.cover.shape[1])


def _pick(hand: Sequence[LineSample], rng: Generator) -> LineSample:
    return hand[int(rng.integers(len(hand)))]


def _head(
    draft: Draft, hand: Sequence[LineSample], box: tuple[int, int, int, int], rng: Generator
) -> None:
    """Print in one column or in some beside each other, each in its own size."""
    left, top, right, bottom = box
    count = int(rng.integers(1, _MOST_HEADS + 1))
    edges = np.linspace(left, right, count + 1).astype(int).tolist()
    for start, end in pairwise(edges):
        _print_lines(draft, hand, (start, top, end - 8, bottom), rng)


def _print_lines(
    draft: Draft, hand: Sequence[LineSample], box: tuple[int, int, int, int], rng: Generator
) -> None:
    left, top, right, bottom = box
    size = int(rng.integers(*_HEAD_SIZES))
    y = float(top + size)
    while y < bottom:
        words = _pick(hand, rng).text.split() or ["No"]
        text = printed(" ".join(words[: int(rng.integers(1, len(words) + 1))]), size)
        if text.cover.shape[1] < right - left:
            draft.put(text, left + rng.uniform(0, right - left - text.cover.shape[1]), y)
        y += size * rng.uniform(1.15, 1.8)


def _heads(
    draft: Draft, hand: Sequence[LineSample], edges: np.ndarray, top: int, rng: Generator
) -> None:
    """A printed word or two above each column."""
    for left, right in pairwise(edges):
        words = _pick(hand, rng).text.split()
        text = printed((words[0] if words else "No").upper(), int(rng.integers(9, 15)))
        if text.cover.shape[1] < right - left:
            x = (left + right - text.cover.shape[1]) / 2
            draft.put(text, x, top - rng.uniform(4, 30))


def _ruled(cover: Cover, top: int, pitch: float, rng: Generator) -> None:
    """Rules or squares to write on, at the lines or not."""
    step = pitch * rng.choice([1.0, 1.0, 0.5, rng.uniform(0.6, 1.4)])
    dark = rng.uniform(0.05, 0.5)
    for row in np.arange(top % step, len(cover), step).astype(int):
        cover[row : row + 1] = np.maximum(cover[row : row + 1], dark)
    if rng.random() < 0.3:
        for column in np.arange(rng.uniform(0, step), cover.shape[1], step).astype(int):
            cover[:, column : column + 1] = np.maximum(cover[:, column : column + 1], dark)


def _bars(cover: Cover, edges: np.ndarray, top: int, bottom: int, rng: Generator) -> None:
    """Upright rules at the edges of columns, and level ones here and there."""
    dark = rng.uniform(0.2, 0.9)
    for edge in edges:
        thick = int(rng.integers(1, 4))
        start = max(top - int(rng.integers(0, 60)), 0)
        part = cover[start:bottom, max(int(edge), 0) : int(edge) + thick]
        np.maximum(part, dark, out=part)
    for _ in range(int(rng.integers(0, 8))):
        row = int(rng.uniform(top - 10, bottom))
        left, right = np.sort(rng.choice(edges, 2)).astype(int)
        part = cover[max(row, 0) : row + int(rng.integers(1, 4)), max(left, 0) : right]
        np.maximum(part, dark, out=part)


def _flourish(cover: Cover, rng: Generator) -> None:
    """A long stroke that is no writing."""
    height, width = cover.shape
    t = np.linspace(0, 1, 60)
    start, end = rng.uniform(0, 1, (2, 2)) * (width, height)
    end = start + (end - start) * rng.uniform(0.1, 0.6)
    swing = rng.uniform(0, 40) * np.sin(rng.uniform(2, 14) * t + rng.uniform(0, 6))
    points = start + t[:, None] * (end - start) + np.stack([swing, 0.5 * swing], axis=1)
    mask = np.zeros(cover.shape, np.uint8)
    thick = int(rng.integers(1, 5))
    cv2.polylines(mask, [np.rint(points).astype(np.int32)], False, 255, thick, cv2.LINE_AA)
    np.maximum(cover, mask.astype(np.float32) / 255, out=cover)


def _paper(back: Cover, rng: Generator) -> Cover:
    """Paper with its grain, clouds and stains, and what shines through from the other side."""
    shape = back.shape
    paper = rng.uniform(150, 250) + texture(shape, rng)
    shine = cv2.GaussianBlur(back, (0, 0), rng.uniform(0.6, 2.0))
    paper *= 1 - shine * rng.uniform(0.04, 0.3)
    for _ in range(int(rng.integers(0, 4))):
        stain = np.zeros(shape, np.float32)
        middle = (int(rng.integers(shape[1])), int(rng.integers(shape[0])))
        axes = (int(rng.integers(4, 90)), int(rng.integers(4, 60)))
        cv2.ellipse(stain, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        soft = cv2.GaussianBlur(stain, (0, 0), rng.uniform(1, 12))
        paper *= 1 - soft * rng.uniform(0.05, 0.7)
    return np.asarray(paper, np.float32)


def _beside(page: KnownPage, other: Cover, rng: Generator) -> KnownPage:
    """The page with a dark gutter and a strip of the next one, whose lines do not count."""
    strip = int(other.shape[1] * rng.uniform(0.02, 0.12))
    shade = 1 - rng.uniform(0.3, 0.9) * np.exp(-np.arange(other.shape[1]) / rng.uniform(4, 30))
    next_page = float(np.median(page.image)) * (1 - 0.7 * other[:, :strip])
    if rng.random() < 0.5:
        image = np.concatenate([page.image * shade[::-1], next_page], axis=1)
        return replace(page, image=image.astype(np.uint8))
    image = np.concatenate([next_page[:, ::-1], page.image * shade], axis=1)
    lines = [replace(line, baseline=line.baseline + np.array([strip, 0])) for line in page.lines]
    return replace(page, image=image.astype(np.uint8), lines=lines)
