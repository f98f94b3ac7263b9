"""Cuts a writer's words into letters, where a model's alignment and the pen's path say.

A word is drawn, aligned with its text, and every stroke is given to the letters it passes. A stroke
of several letters is cut where the pen goes from one centre to the next, near the baseline: there
the joins of most hands are.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hwr.training.pen import Stroke, resample

#: Letters that the pen leaves near the x-height; it leaves the others near the baseline.
_HIGH_EXITS = frozenset("bforvwOPVWT")
#: Letters that end with a stem or a leg on their right: no haste to leave them.
_STEMS_RIGHT = frozenset("adghmnquy")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One letter as one writer wrote it; the origin is its left end on the baseline."""

    strokes: tuple[Stroke, ...]
    width: float
    #: Where a join comes in and goes out, if the pen did not leave the paper there.
    entry: tuple[float, float] | None
    exit: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Hand:
    """What one session of a writer can write; lengths are in x-heights, the baseline at y = 0."""

    writer: str
    #: The forms of each character.
    letters: dict[str, tuple[Letter, ...]]


@dataclass(frozen=True, kw_only=True)
class Script:
    """The zones of a word, in source units, y downwards."""

    #: y of the baseline.
    base: float
    #: Height of letters without ascender.
    x_height: float


def zones(strokes: Sequence[Stroke]) -> Script:
    """Baseline and x-height from where the pen turns: most turns are at one of the two."""
    lows, highs = [], []
    for stroke in strokes:
        rising = np.sign(np.diff(stroke[:, 1]))
        turn = np.flatnonzero(rising[:-1] * rising[1:] < 0) + 1
        lows += [stroke[i, 1] for i in turn if rising[i - 1] > 0]
        highs += [stroke[i, 1] for i in turn if rising[i - 1] < 0]
        lows.append(stroke[:, 1].max())
        highs.append(stroke[:, 1].min())
    base = float(np.median(lows))
    above = [y for y in highs if y < base]
    return Script(base=base, x_height=base - float(np.median(above)) if above else 0.0)


def cut_letters(
    text: str, strokes: Sequence[Stroke], centres: Sequence[float], haste: float
) -> list[Letter]:
    """The letters of a word; `centres` are their x in source units.

    `haste` prefers cuts early on the pen's way from one centre to the next.

    Letters without any ink of their own are left out together with the word: an empty list.
    """
    script = zones(strokes)
    pieces: dict[int, list[Stroke]] = defaultdict(list)
    joins: set[int] = set()
    for stroke in strokes:
        path = resample(stroke)
        first, last = _reach(path, np.asarray(centres))
        cuts = [
            _cut(
                path,
                centres[k],
                centres[k + 1],
                _exit_height(text[k], script),
                _haste(text[k], haste),
            )
            for k in range(first, last)
        ]
        if any(b <= a for a, b in pairwise(cuts)):
            return []
        joins.update(range(first, last))
        ends = [0, *cuts, len(path) - 1]
        for k, (start, end) in enumerate(pairwise(ends), first):
            pieces[k].append(path[start : end + 1])
    if set(pieces) != set(range(len(text))):
        return []
    return [_letter(pieces[k], script, k - 1 in joins, k in joins) for k in range(len(text))]


def _reach(path: Stroke, centres: NDArray[np.float64]) -> tuple[int, int]:
    """First and last letter that a stroke belongs to."""
    left, right = path[:, 0].min(), path[:, 0].max()
    inside = np.flatnonzero((centres >= left) & (centres <= right))
    if len(inside) < 2 or _is_mark(path):
        nearest = int(np.abs(centres - (left + right) / 2).argmin())
        return nearest, nearest
    return int(inside[0]), int(inside[-1])


def _is_mark(path: Stroke) -> bool:
    """Whether it is a cross-bar or a dot: flat, and drawn in one go."""
    width, height = np.ptp(path, axis=0)
    return bool(height < 0.35 * width and len(path) and _turns(path[:, 0]) == 0)


def _turns(values: NDArray[np.float64]) -> int:
    steps = np.sign(np.diff(values))
    steps = steps[steps != 0]
    return int((steps[:-1] != steps[1:]).sum())


def _exit_height(character: str, script: Script) -> Script:
    """The zones with the base where the pen leaves `character`."""
    rise = 0.8 * script.x_height if character in _HIGH_EXITS else 0.0
    return replace(script, base=script.base - rise)


def _haste(character: str, haste: float) -> float:
    return 0.0 if character in _STEMS_RIGHT else haste


def _cut(path: Stroke, left: float, right: float, script: Script, haste: float) -> int:
    """The point between two centres where the join is most likely."""
    x, y = path.T
    arrived = int(np.argmax(x >= right)) or len(path) - 1
    before = np.flatnonzero(x[: arrived + 1] <= left)
    start = int(before[-1]) if len(before) else 0
    window = slice(start, arrived + 1)
    aside = np.abs(x[window] - (left + right) / 2) / max(right - left, 1.0)
    off = np.abs(y[window] - script.base) / max(script.x_height, 1.0)
    late = np.linspace(0, haste, arrived + 1 - start)
    return start + int(np.argmin(off + 0.5 * aside + late))


def _letter(strokes: list[Stroke], script: Script, joined: bool, joins: bool) -> Letter:
    points = np.concatenate(strokes)
    left, right = points[:, 0].min(), points[:, 0].max()
    moved = tuple(stroke - (left, script.base) for stroke in strokes)
    first = min(moved, key=lambda s: s[0, 0]) if joined else None
    last = max(moved, key=lambda s: s[-1, 0]) if joins else None
    return Letter(
        strokes=moved,
        width=float(right - left),
        entry=None if first is None else (float(first[0, 0]), float(first[0, 1])),
        exit=None if last is None else (float(last[-1, 0]), float(last[-1, 1])),
    )
