"""Writers' hands: every letter, capital, digit and sign as one person wrote it with a pen.

The source is a file of sessions, one JSON object a line: a writer's pangram words, capitals, digits
and symbols as lists of strokes (x0, y0, dx, dy, …; 4 units to a screen point, y downwards).
"""

import json
import logging
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from hwr.model.files import replacing
from hwr.training.cutter import Cutter
from hwr.training.hand_file import load_hands, save_hands
from hwr.training.kept import reading
from hwr.training.letters import Hand, Letter, zones
from hwr.training.pen import Stroke, resample

log = logging.getLogger(__name__)

#: Kinds of entry in the source: pangram words, symbols, digits, capitals.
_WORD, _SYMBOLS, _DIGITS, _CAPITALS = 1, 2, 3, 4
_HINT = "Write Here"
#: Signs that do not stand on the baseline, with the height of their foot in x-heights.
_FLOATING = {"*": 0.9, "^": 1.1, "~": 0.4, "=": 0.25, "+": 0.15, "-": 0.45, "°": 1.2}
_DESCENDING = frozenset("gjpqyQ,;()[]{}|$@&")
#: Fewest different small letters of a hand that can write text.
_FEWEST = 10
#: Height of capitals and digits in x-heights, where the hand has no ascender to tell.
_TALL = 1.8


def read_hands(path: Path, split: str, cutter: Cutter, folder: Path) -> list[Hand]:
    """The hands of a split whose words can be cut; `folder` keeps them, for it takes minutes.

    What was kept of other strokes, of another split or by another cutter is not taken.

    Raises:
        TrainingDataError: what was kept is damaged.
    """
    made_of = sha256(sha256(path.read_bytes()).digest() + cutter.weights_digest()).hexdigest()
    kept = folder / f"hands-{split}-{made_of[:16]}.npz"
    if not kept.exists():
        hands = list(_cut_hands(path, split, cutter))
        with replacing(kept) as temporary:
            save_hands(temporary, hands)
    with reading(kept):
        return load_hands(kept)


def _cut_hands(path: Path, split: str, cutter: Cutter) -> Iterator[Hand]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            session = json.loads(line)
            if session["split"] == split:
                hand = _hand(session["writer"], session["words"], cutter)
                if sum(c.islower() for c in hand.letters) >= _FEWEST:
                    yield hand
            if number % 200 == 0:
                log.info("cut %d sessions into letters", number)


def _hand(writer: str, entries: list[list[Any]], cutter: Cutter) -> Hand:
    words, groups = _sort(entries)
    pieces = cutter.cut(words) if words else []
    unit = 1 / max(_x_height(strokes for _, strokes in words), 8.0)
    letters: dict[str, list[Letter]] = defaultdict(list)
    for character, letter in pieces:
        letters[character].append(_scaled(letter, unit))
    tall = _ascender(letters)
    for text, strokes in groups:
        for character, letter in _signs(text, strokes, tall).items():
            letters[character].append(letter)
    return Hand(writer=writer, letters={c: tuple(forms) for c, forms in letters.items()})


def _sort(
    entries: list[list[Any]],
) -> tuple[list[tuple[str, list[Stroke]]], list[tuple[str, list[Stroke]]]]:
    """The words of a session, and its groups of single signs, without spaces."""
    words, groups = [], []
    for label, kind, flat, _ in entries:
        strokes = _points(flat)
        if not strokes or label == _HINT:
            continue
        if kind == _WORD and " " not in label:
            words.append((label, strokes))
        elif kind in (_SYMBOLS, _DIGITS, _CAPITALS):
            groups.append((label.replace(" ", ""), strokes))
    return words, groups


def _points(flat: list[list[int]]) -> list[Stroke]:
    strokes = [np.asarray(stroke, float).reshape(-1, 2).cumsum(axis=0) for stroke in flat]
    return [stroke for stroke in strokes if len(stroke)]


def _x_height(words: Iterable[list[Stroke]]) -> float:
    heights = [zones(strokes).x_height for strokes in words]
    return float(np.median(heights)) if heights else 0.0


def _ascender(letters: dict[str, list[Letter]]) -> float:
    """Height of the hand's ascenders in x-heights."""
    tops = [
        -min(float(stroke[:, 1].min()) for stroke in letter.strokes)
        for character in "bdhkl"
        for letter in letters.get(character, ())
    ]
    return float(np.clip(np.median(tops), 1.3, 2.8)) if tops else _TALL


def _signs(text: str, strokes: list[Stroke], tall: float) -> dict[str, Letter]:
    """Signs written apart, by gaps in x; nothing where their number is not that of the text."""
    clusters = _clusters(strokes)
    if len(clusters) != len(text):
        return {}
    heights = [float(np.ptp(np.concatenate(c)[:, 1])) for c in clusters]
    usual = [h for c, h in zip(text, heights, strict=True) if c not in _FLOATING]
    unit = tall / max(float(np.median(usual or heights)), 8.0)
    feet = [
        float(np.concatenate(cluster)[:, 1].max())
        for c, cluster in zip(text, clusters, strict=True)
        if c not in _DESCENDING and c not in _FLOATING
    ]
    return {
        c: _sign(c, cluster, unit, float(np.median(feet)) if feet else None)
        for c, cluster in zip(text, clusters, strict=True)
    }


def _sign(character: str, strokes: list[Stroke], unit: float, base: float | None) -> Letter:
    points = np.concatenate(strokes)
    left, right = float(points[:, 0].min()), float(points[:, 0].max())
    foot = float(points[:, 1].max())
    if base is None or character in _FLOATING:
        base = foot + _FLOATING.get(character, 0.0) / unit
    moved = tuple((resample(stroke) - (left, base)) * unit for stroke in strokes)
    return Letter(strokes=moved, width=(right - left) * unit, entry=None, exit=None)


def _clusters(strokes: list[Stroke]) -> list[list[Stroke]]:
    clusters: list[list[Stroke]] = []
    right = -np.inf
    for stroke in sorted(strokes, key=lambda s: float(s[:, 0].min())):
        if not clusters or stroke[:, 0].min() > right:
            clusters.append([])
        clusters[-1].append(stroke)
        right = max(right, float(stroke[:, 0].max()))
    return clusters


def _scaled(letter: Letter, unit: float) -> Letter:
    return Letter(
        strokes=tuple(stroke * unit for stroke in letter.strokes),
        width=letter.width * unit,
        entry=letter.entry and (letter.entry[0] * unit, letter.entry[1] * unit),
        exit=letter.exit and (letter.exit[0] * unit, letter.exit[1] * unit),
    )
