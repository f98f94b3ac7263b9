"""Writes any text in a recorded hand: letters set side by side as that pen would have.

All lengths are in x-heights of the hand, the baseline at y = 0 and y downwards.
"""

from dataclasses import dataclass
from random import Random

import numpy as np

from hwr.training.accents import can_put_together, plain_letters, put_together
from hwr.training.letters import Hand, Letter
from hwr.training.pen import Stroke

Point = tuple[float, float]

#: Marks that the source has nobody write: strokes in x-heights.
_MARKS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    ".": (((0, -0.05), (0.06, 0.0)),),
    ",": (((0.12, -0.1), (0.14, 0.08), (0.0, 0.35)),),
    "'": (((0.08, -1.8), (0.05, -1.35)),),
    '"': (((0.0, -1.8), (0.0, -1.4)), ((0.22, -1.8), (0.2, -1.4))),
    "-": (((0.0, -0.5), (0.5, -0.52)),),
    ":": (((0, -0.05), (0.06, 0.0)), ((0, -0.75), (0.06, -0.7))),
    ";": (((0.12, -0.1), (0.14, 0.08), (0.0, 0.35)), ((0.06, -0.75), (0.12, -0.7))),
    "/": (((0.0, 0.2), (0.6, -1.8)),),
    "_": (((0.0, 0.25), (1.0, 0.25)),),
    "°": (((0.1, -1.7), (0.0, -1.55), (0.12, -1.4), (0.24, -1.55), (0.1, -1.7)),),
    "«": (
        ((0.25, -0.75), (0.0, -0.45), (0.25, -0.15)),
        ((0.5, -0.75), (0.25, -0.45), (0.5, -0.15)),
    ),
    "»": (
        ((0.0, -0.75), (0.25, -0.45), (0.0, -0.15)),
        ((0.25, -0.75), (0.5, -0.45), (0.25, -0.15)),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a hand writes one line."""

    #: Room between letters that are not joined, and between words.
    gap: float
    space: float
    #: Spread of letters around their place, as a share of the x-height.
    unrest: float
    #: Rise of the baseline along the line.
    slope: float

    @classmethod
    def draw(cls, rng: Random) -> "Manner":
        """A manner by chance."""
        gap = rng.uniform(0.05, 0.4)
        return cls(
            gap=gap,
            space=gap + rng.uniform(0.7, 1.8),
            unrest=rng.uniform(0.01, 0.07),
            slope=rng.gauss(0, 0.01),
        )


def can_write(hand: Hand, text: str, lender: Hand | None = None) -> bool:
    """Whether each character has a form in the hand, the lender's or among the marks, or parts."""
    forms = hand.letters.keys() | (lender.letters.keys() if lender else set()) | _MARKS.keys()
    return all(c in forms or can_put_together(c, forms) or c == " " for c in text)


def compose(hand: Hand, text: str, rng: Random, lender: Hand | None = None) -> list[Stroke]:
    """The strokes of `text`.

    A letter that the hand lacks is put together from the hand's own, else it is the lender's.
    """
    line = _Line(hand, lender, rng)
    for word in text.split(" "):
        for character in word:
            line.write(character)
        line.space()
    return line.strokes


class _Line:
    """A line in the making: where the pen is and what it has written."""

    def __init__(self, hand: Hand, lender: Hand | None, rng: Random) -> None:
        self._hands = (hand, lender) if lender else (hand,)
        self._rng = rng
        self._manner = Manner.draw(rng)
        self._x = 0.0
        self._leave: Point | None = None
        self.strokes: list[Stroke] = []

    def write(self, character: str) -> None:
        """Set one letter after the last one, joined where both have a join there."""
        letter = _unsettled(self._letter(character), self._manner.unrest, self._rng)
        leave, entry = self._leave, letter.entry
        if leave and entry:
            self._x = leave[0] - entry[0] + self._rng.uniform(0.0, 0.2)
        at = np.array((self._x, self._x * self._manner.slope))
        if leave and entry:
            self.strokes.append(np.array((leave, at + entry)))
        self.strokes += [stroke + at for stroke in letter.strokes]
        self._leave = letter.exit and (at[0] + letter.exit[0], at[1] + letter.exit[1])
        self._x += letter.width + self._manner.gap * self._rng.uniform(0.6, 1.4)

    def space(self) -> None:
        """Leave room after a word."""
        self._x += (self._manner.space - self._manner.gap) * self._rng.uniform(0.75, 1.3)
        self._leave = None

    def _letter(self, character: str) -> Letter:
        hand, *lenders = self._hands
        if character in hand.letters:
            return self._rng.choice(hand.letters[character])
        if can_put_together(character, hand.letters):
            return self._put_together(character)
        for lender in lenders:
            if character in lender.letters:
                return self._rng.choice(lender.letters[character])
        return _mark(character) if character in _MARKS else self._put_together(character)

    def _put_together(self, character: str) -> Letter:
        parts = [self._letter(part) for part in plain_letters(character)]
        return put_together(character, parts, self._rng)


def _mark(character: str) -> Letter:
    strokes = tuple(np.array(stroke, float) for stroke in _MARKS[character])
    width = float(np.concatenate(strokes)[:, 0].max())
    return Letter(strokes=strokes, width=width, entry=None, exit=None)


def _unsettled(letter: Letter, unrest: float, rng: Random) -> Letter:
    """The letter a little larger or smaller, turned and off the line."""
    size, turn, up = rng.gauss(1, unrest), rng.gauss(0, unrest), rng.gauss(0, unrest)
    matrix = size * np.array(((1, turn), (-turn, 1)))

    def moved(point: Point | None) -> Point | None:
        if point is None:
            return None
        x, y = np.asarray(point) @ matrix
        return float(x), float(y + up)

    return Letter(
        strokes=tuple(stroke @ matrix + (0.0, up) for stroke in letter.strokes),
        width=letter.width * size,
        entry=moved(letter.entry),
        exit=moved(letter.exit),
    )
