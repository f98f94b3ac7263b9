"""Accented letters and ligatures put together from the plain letters of a recorded hand.

All lengths are in x-heights of the hand, the baseline at y = 0 and y downwards.
"""

import unicodedata
from collections.abc import Collection
from random import Random

import numpy as np

from hwr.training.letters import Letter
from hwr.training.pen import Stroke

_Shape = tuple[tuple[tuple[float, float], ...], ...]

#: Marks above a letter: strokes around x = 0 that stand on y = 0, by combining character.
_ABOVE: dict[str, _Shape] = {
    "\u0300": (((-0.2, -0.32), (0.12, 0.0)),),
    "\u0301": (((-0.12, 0.0), (0.2, -0.32)),),
    "\u0302": (((-0.24, 0.0), (0.0, -0.28), (0.24, 0.0)),),
    "\u0303": (((-0.26, -0.05), (-0.1, -0.16), (0.08, -0.04), (0.26, -0.16)),),
    "\u0308": (((-0.17, -0.05), (-0.13, 0.0)), ((0.15, -0.05), (0.19, 0.0))),
}
#: A cedilla, which hangs from y = 0.
_CEDILLA = "\u0327"
_BELOW: _Shape = (((0.03, -0.02), (0.0, 0.12), (0.14, 0.2), (0.06, 0.34), (-0.14, 0.32)),)
_LIGATURES = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"}
_DOTTED = "ij"
#: What is wholly above this is the dot of an i.
_DOT = -1.05


def plain_letters(character: str) -> str:
    """The letters that `character` is put together from; empty where it is none of those."""
    if character in _LIGATURES:
        return _LIGATURES[character]
    base, mark = _parts(character)
    return base if mark in _ABOVE or mark == _CEDILLA else ""


def can_put_together(character: str, letters: Collection[str]) -> bool:
    """Whether `letters` hold all that `character` is put together from."""
    parts = plain_letters(character)
    return bool(parts) and all(part in letters for part in parts)


def put_together(character: str, parts: list[Letter], rng: Random) -> Letter:
    """The letter `character` out of `parts`, which stand for its plain letters."""
    if len(parts) > 1:
        return _ligature(*parts, closeness=rng.uniform(0.75, 0.95))
    (letter,) = parts
    base, mark = _parts(character)
    strokes = letter.strokes
    if base in _DOTTED and mark in _ABOVE:
        strokes = _without_dot(letter) or strokes
    return Letter(
        strokes=(*strokes, *_mark(mark, strokes, rng)),
        width=letter.width,
        entry=_on_paper(letter.entry),
        exit=_on_paper(letter.exit),
    )


def _on_paper(join: tuple[float, float] | None) -> tuple[float, float] | None:
    """A join, unless it comes from the dot, which a pen sets last."""
    return join if join and join[1] > _DOT else None


def _parts(character: str) -> tuple[str, str]:
    """A letter and its combining mark; no mark where there is not just one."""
    decomposed = unicodedata.normalize("NFD", character)
    return (decomposed[0], decomposed[1]) if len(decomposed) == 2 else (character, "")


def _without_dot(letter: Letter) -> tuple[Stroke, ...]:
    return tuple(stroke for stroke in letter.strokes if stroke[:, 1].max() > _DOT)


def _mark(mark: str, strokes: tuple[Stroke, ...], rng: Random) -> list[Stroke]:
    """The mark as a quick pen sets it: larger or smaller, and not quite over the middle."""
    points = np.concatenate(strokes)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    below = mark == _CEDILLA
    y = min(bottom, 0.1) if below else top - rng.uniform(0.08, 0.4)
    at = ((left + right) / 2 + rng.gauss(0.05, 0.12), y)
    size = rng.uniform(0.7, 1.4) * np.array((1.0, rng.uniform(0.6, 1.2)))
    shape = _BELOW if below else _ABOVE[mark]
    return [np.array(stroke) * size + at for stroke in shape]


def _ligature(first: Letter, second: Letter, *, closeness: float) -> Letter:
    shift = first.width * closeness
    beside = np.array((shift, 0.0))
    leave = second.exit and (second.exit[0] + shift, second.exit[1])
    return Letter(
        strokes=(*first.strokes, *(stroke + beside for stroke in second.strokes)),
        width=second.width + shift,
        entry=first.entry,
        exit=leave,
    )
