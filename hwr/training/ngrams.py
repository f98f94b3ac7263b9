"""Counts the character n-grams of weighted texts and makes a small back-off model of them.

Interpolated Witten-Bell smoothing (Witten and Bell, "The zero-frequency problem", 1991), in which a
kind counts what one sighting of it counts, so that sources can be weighed; then pruning by weighted
difference (Seymore and Rosenfeld, "Scalable backoff language models", 1996): an n-gram goes that
says nearly what its suffix says, or is hardly ever met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hwr.decoding.language_model import EDGE, MOST_ORDER, STEP, UNKNOWN, NgramTable
from hwr.errors import TrainingDataError

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]

#: Count given to every symbol, so that none is impossible.
_FLOOR = 0.5
_MOST_COST = 255
#: Fills a window past the edge of its text; symbols stay below.
_PAST = 255


@dataclass(frozen=True, kw_only=True)
class WeighedTexts:
    """Texts that count as often as their weights say."""

    #: What the texts are, for the log and the card.
    name: str
    texts: Sequence[str]
    #: How often each text counts, one number a text.
    weights: Floats
    #: What one sighting counts: a text of weight 5 in units of 5 was seen once.
    unit: float = 1.0
    #: True where the texts are words of which lines are made, not lines: their edges are spaces.
    words: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Level:
    """All n-grams of one length, sorted by key: a byte a symbol, the first symbol the highest."""

    keys: Keys
    counts: Floats
    #: How often each was seen; what was seen once or twice is trusted less.
    seen: Floats

    def find(self, keys: Keys) -> NDArray[np.int64]:
        """Where `keys`, all of which are there, stand."""
        return np.searchsorted(self.keys, keys)


def train(sources: Sequence[WeighedTexts], characters: str, *, order: int, most: int) -> NgramTable:
    """A model of n-grams up to `order` symbols that keeps about `most` of them.

    Raises:
        TrainingDataError: the order is not 1 to 8.
    """
    if not 1 <= order <= MOST_ORDER:
        raise TrainingDataError(f"An order of {order} cannot be had. Choose 1 to {MOST_ORDER}.")
    levels = _count(sources, characters, order)
    probabilities = _smooth(levels)
    kept = _prune(levels, probabilities, most)
    return _table(levels, probabilities, kept, characters)


def _count(sources: Sequence[WeighedTexts], characters: str, order: int) -> list[_Level]:
    """The n-grams of each length inside the texts.

    All of them begin a window of `order` symbols, so that sorting the windows once sorts them all.
    """
    parts = [_windows(source, characters, order) for source in sources]
    keys = np.concatenate([part[0] for part in parts])
    weights = np.concatenate([part[1] for part in parts])
    seen = np.concatenate(
        [part[1] / source.unit for part, source in zip(parts, sources, strict=True)]
    )
    by_key = np.argsort(keys)
    windows = _summed(keys[by_key], weights[by_key], seen[by_key])
    longer = [_beginnings(windows, length, order) for length in range(2, order + 1)]
    return [_unigrams(sources, characters), *longer]


def _windows(source: WeighedTexts, characters: str, order: int) -> tuple[Keys, Floats]:
    """A window from each place on, with what it counts; past a text's edge it is empty."""
    symbols, weights = _symbols(source, characters)
    edge = characters.index(" ") + 2 if source.words else EDGE
    padded = np.concatenate((symbols, np.full(order, _PAST, np.uint64)))
    count = len(symbols) - 1
    keys = np.zeros(count, np.uint64)
    inside = np.ones(count, bool)
    for place in range(order):
        part = padded[place : place + count]
        keys = (keys << np.uint64(8)) | np.where(inside, part, np.uint64(_PAST))
        if place:
            inside &= part != edge
    # A window that an edge begins belongs to the text after it.
    return keys, weights[1:]


def _beginnings(windows: _Level, length: int, order: int) -> _Level:
    keys = windows.keys >> np.uint64(8 * (order - length))
    inside = (keys & np.uint64(255)) != _PAST
    return _summed(keys[inside], windows.counts[inside], windows.seen[inside])


def _summed(keys: Keys, counts: Floats, seen: Floats) -> _Level:
    """Sorted keys, each once."""
    if not len(keys):
        return _Level(keys=keys, counts=counts, seen=seen)
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return _Level(
        keys=keys[starts],
        counts=np.add.reduceat(counts, starts),
        seen=np.add.reduceat(seen, starts),
    )


def _unigrams(sources: Sequence[WeighedTexts], characters: str) -> _Level:
    counts = np.full(len(characters) + 2, _FLOOR)
    for source in sources:
        counts += np.bincount(*_symbols(source, characters), minlength=len(counts))
    return _Level(keys=np.arange(len(counts), dtype=np.uint64), counts=counts, seen=counts)


def _symbols(source: WeighedTexts, characters: str) -> tuple[Keys, Floats]:
    """The texts as symbols, each followed by its edge and the first led in by one, and weights."""
    between = " " if source.words else "\n"
    joined = between + between.join(source.texts) + between
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    table = np.full(0x110000, UNKNOWN, np.uint8)
    table[[ord(character) for character in characters]] = np.arange(len(characters)) + 2
    table[ord("\n")] = EDGE
    lengths = np.array([len(text) + 1 for text in source.texts], np.int64)
    weights = np.concatenate((np.zeros(1), np.repeat(source.weights, lengths)))
    return table[codes].astype(np.uint64), weights


def _smooth(levels: Sequence[_Level]) -> list[Floats]:
    """p(last symbol | the symbols before it) of every n-gram.

    What was seen once is no surer for being weighed five times: its kind weighs five as well.
    """
    first = levels[0].counts
    probabilities = [first / first.sum()]
    for shorter, level in pairwise(levels):
        contexts = shorter.find(level.keys >> np.uint64(8))
        total = np.bincount(contexts, level.counts, len(shorter.keys))[contexts]
        kinds = np.bincount(contexts, level.counts / level.seen, len(shorter.keys))[contexts]
        backed = probabilities[-1][shorter.find(_suffix(level.keys, len(probabilities)))]
        probabilities.append((level.counts + kinds * backed) / (total + kinds))
    return probabilities


def _suffix(keys: Keys, length: int) -> Keys:
    """The last `length` symbols."""
    return keys & np.uint64((1 << 8 * length) - 1)


def _prune(
    levels: Sequence[_Level], probabilities: Sequence[Floats], most: int
) -> list[NDArray[np.bool_]]:
    """Which n-grams stay: the `most` telling ones, and what they are prefix or suffix of."""
    telling = [np.full(len(levels[0].keys), np.inf)]
    for length, (shorter, level) in enumerate(pairwise(levels), 1):
        backed = probabilities[length - 1][shorter.find(_suffix(level.keys, length))]
        telling.append(level.counts * np.abs(np.log(probabilities[length] / backed)))
    every = np.concatenate(telling)
    least = 0.0 if len(every) <= most else float(np.partition(every, -most)[-most])
    kept = [values >= least for values in telling]
    for length in range(len(levels) - 1, 0, -1):
        keys = levels[length].keys[kept[length]]
        kept[length - 1][levels[length - 1].find(keys >> np.uint64(8))] = True
        kept[length - 1][levels[length - 1].find(_suffix(keys, length))] = True
    return kept


def _table(
    levels: Sequence[_Level],
    probabilities: Sequence[Floats],
    kept: Sequence[NDArray[np.bool_]],
    characters: str,
) -> NgramTable:
    keys = [level.keys[stay] for level, stay in zip(levels, kept, strict=True)]
    while len(keys) > 1 and not len(keys[-1]):
        keys.pop()
    children = [np.array([len(keys[0])])]
    for shorter, longer in pairwise(keys):
        parents = np.searchsorted(shorter, longer >> np.uint64(8))
        children.append(np.bincount(parents, minlength=len(shorter)))
    p = np.concatenate([p[stay] for p, stay in zip(probabilities, kept, strict=True)])
    return NgramTable(
        characters=characters,
        levels=np.array([len(level) for level in keys], np.int64),
        symbols=(np.concatenate(keys) & np.uint64(255)).astype(np.uint8),
        children=np.concatenate(children).astype(np.uint8),
        costs=np.clip(np.rint(-np.log(p) / STEP), 0, _MOST_COST).astype(np.uint8),
    )
