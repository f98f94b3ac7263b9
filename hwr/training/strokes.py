"""Lines composed from recorded pen strokes: whole words and single signs of one hand.

The source is a file of sessions, one JSON object a line: a writer's pangram words, capitals, digits
and symbols as lists of strokes (x0, y0, dx, dy, …; 4 units to a screen point, y downwards).
"""

import json
import lzma
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.training import texts
from hwr.training.samples import Grey

#: One stroke: (n, 2) float points.
Stroke = NDArray[np.float64]
_DESCENDING = set("gjpqyQJ,;()[]{}|$@")
_LEAST_AGREEMENT = 0.6
_SHIFT = 4


@dataclass(frozen=True, kw_only=True)
class Ink:
    """A word or a sign: its strokes with the origin at its left end on the baseline."""

    strokes: tuple[Stroke, ...]
    width: float


@dataclass(frozen=True, kw_only=True)
class Hand:
    """What one session of a writer can write."""

    writer: str
    #: Lower-case words and what stands for them.
    words: tuple[tuple[str, Ink], ...]
    #: Signs by character, several forms each.
    signs: dict[str, tuple[Ink, ...]]
    #: Median height of words without descenders, in source units.
    height: float


def read_hands(path: Path, split: str) -> list[Hand]:
    """The English hands of one split that have at least four usable words."""
    hands = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            session = json.loads(line)
            if session["lang"] == "en" and session["split"] == split:
                hands.append(_hand(session["writer"], session["words"]))
    return [hand for hand in hands if len(hand.words) >= 4]


def compose(hand: Hand, rng: Random) -> tuple[str, list[tuple[float, float, Ink]]]:
    """A text in this hand and the place (x, y) of each piece of ink, in source units."""
    pieces = [_piece(hand, rng) for _ in range(rng.randint(1, 9))]
    placed: list[tuple[float, float, Ink]] = []
    x, space = 0.0, hand.height * rng.uniform(0.3, 0.8)
    drift = rng.gauss(0, 0.01)
    for _, inks in pieces:
        jitter = rng.gauss(0, 0.03) * hand.height
        for ink in inks:
            placed.append((x, x * drift + jitter, ink))
            x += ink.width + hand.height * rng.uniform(0.06, 0.2)
        x += space * rng.uniform(0.7, 1.4)
    return " ".join(text for text, _ in pieces), placed


def draw(placed: list[tuple[float, float, Ink]], unit: float, pen: float) -> Grey:
    """Ink on white (h, w): `unit` pixels a source unit, a pen `pen` pixels wide."""
    strokes = [(s + np.array((x, y))) * unit for x, y, ink in placed for s in ink.strokes]
    points = np.concatenate(strokes)
    margin = pen + 3
    low = points.min(axis=0) - margin
    width, height = np.ceil(points.max(axis=0) + margin - low).astype(int)
    image = np.full((min(height, 400), min(width, 6000)), 255, np.uint8)
    for stroke in strokes:
        fixed = np.round((_smooth(stroke) - low) * 2**_SHIFT).astype(np.int32)
        cv2.polylines(image, [fixed], False, 0, max(1, round(pen)), cv2.LINE_AA, _SHIFT)
    return image


def _piece(hand: Hand, rng: Random) -> tuple[str, tuple[Ink, ...]]:
    if rng.random() < 0.55 or not hand.signs:
        text, ink = rng.choice(hand.words)
        return _with_mark(hand, text, (ink,), rng)
    for _ in range(5):
        text = _sign_text(rng)
        if all(character in hand.signs for character in text):
            return text, tuple(rng.choice(hand.signs[character]) for character in text)
    text, ink = rng.choice(hand.words)
    return text, (ink,)


def _sign_text(rng: Random) -> str:
    kinds = (
        lambda: texts.words(rng, 1)[0].upper(),
        lambda: texts.words(rng, 1)[0],
        lambda: texts.words(rng, 1)[0].capitalize(),
        lambda: str(rng.randint(0, 10 ** rng.randint(1, 6))),
        lambda: f"{rng.randint(1, 31)}/{rng.randint(1, 12)}/{rng.randint(1950, 2030)}",
        lambda: f"${rng.randint(1, 99999)}",
    )
    return rng.choice(kinds)()


def _with_mark(
    hand: Hand, text: str, inks: tuple[Ink, ...], rng: Random
) -> tuple[str, tuple[Ink, ...]]:
    mark = rng.choice("!?&)%")
    if rng.random() < 0.1 and mark in hand.signs:
        return text + mark, (*inks, rng.choice(hand.signs[mark]))
    return text, inks


def _hand(writer: str, entries: list[list[object]]) -> Hand:
    words: list[tuple[str, Ink]] = []
    signs: dict[str, list[Ink]] = defaultdict(list)
    heights: list[float] = []
    for label, kind, flat, agreement in entries:
        strokes = _points(flat)
        if not strokes or (kind == 1 and (agreement or 0) < _LEAST_AGREEMENT):  # type: ignore[operator]
            continue
        text = str(label)
        if kind == 1:
            words.append((text, _ink(text, strokes)))
            if not set(text) & _DESCENDING:
                heights.append(float(np.ptp(np.concatenate(strokes)[:, 1])))
        for character, cluster in _cut(text.replace(" ", ""), strokes).items():
            signs[character].append(cluster)
    frozen = {character: tuple(inks) for character, inks in signs.items()}
    height = float(np.median(heights)) if heights else 160.0
    return Hand(writer=writer, words=tuple(words), signs=frozen, height=max(height, 40.0))


def _points(flat: object) -> list[Stroke]:
    strokes = [np.asarray(stroke, float).reshape(-1, 2).cumsum(axis=0) for stroke in flat]  # type: ignore[attr-defined]
    return [stroke for stroke in strokes if len(stroke)]


def _ink(text: str, strokes: list[Stroke]) -> Ink:
    points = np.concatenate(strokes)
    left, right = points[:, 0].min(), points[:, 0].max()
    base = _baseline(text, strokes)
    moved = tuple(stroke - (left, base) for stroke in strokes)
    return Ink(strokes=moved, width=float(right - left))


def _baseline(text: str, strokes: list[Stroke]) -> float:
    points = np.concatenate([_smooth(stroke) for stroke in strokes])
    if not set(text) & _DESCENDING:
        return float(points[:, 1].max())
    # Descenders hang below: where the bulk of the ink ends is the baseline.
    top, bottom = points[:, 1].min(), points[:, 1].max()
    share = 0.62 if len(text) == 1 else 0.68
    return float(top + share * (bottom - top))


def _cut(text: str, strokes: list[Stroke]) -> dict[str, Ink]:
    """Single signs by gaps in x; nothing where their number is not that of the characters."""
    clusters: list[list[Stroke]] = []
    right = -np.inf
    for stroke in sorted(strokes, key=lambda s: float(s[:, 0].min())):
        if not clusters or stroke[:, 0].min() > right:
            clusters.append([])
            right = -np.inf
        clusters[-1].append(stroke)
        right = max(right, float(stroke[:, 0].max()))
    if len(clusters) != len(text):
        return {}
    return {c: _ink(c, cluster) for c, cluster in zip(text, clusters, strict=True)}


def _smooth(stroke: Stroke) -> Stroke:
    """Chaikin's corner cutting, twice."""
    for _ in range(2):
        if len(stroke) < 3:
            return stroke
        first, second = stroke[:-1], stroke[1:]
        inner = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1)
        stroke = np.concatenate([stroke[:1], inner.reshape(-1, 2), stroke[-1:]])
    return stroke
