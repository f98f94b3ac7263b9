"""Counts the character n-grams of weighted texts and makes a small back-off model of them.

Interpolated Witten-Bell smoothing (Witten and Bell, "The zero-frequency problem", 1991), which
takes fractional counts, so that sources can be weighed; then pruning by weighted difference
(Seymore and Rosenfeld, "Scalable backoff language models", 1996): an n-gram goes that says nearly
what its suffix says, or is hardly ever met.
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


@dataclass(frozen=True, kw_only=True)
class WeighedTexts:
    """Texts that count as often as their weights say."""

    #: What the texts are, for the log and the card.
    name: str
    texts: Sequence[str]
    #: How often each text counts, one number a text.
    weights: Floats
    #: True where the texts are words of which lines are made, not lines: their edges are spaces.
    words: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Level:
    """All n-grams of one length, sorted by key: a byte a symbol, the first symbol the highest."""

    keys: Keys
    counts: Floats

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
    levels = [_count(sources, characters, length) for length in range(1, order + 1)]
    probabilities = _smooth(levels)
    kept = _prune(levels, probabilities, most)
    return _table(levels, probabilities, kept, characters)


def _count(sources: Sequence[WeighedTexts], characters: str, length: int) -> _Level:
    parts = [_count_source(source, characters, length) for source in sources]
    if length == 1:
        every = np.arange(len(characters) + 2, dtype=np.uint64)
        parts.append(_Level(keys=every, counts=np.full(len(every), _FLOOR)))
    return _summed(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def _summed(keys: Keys, counts: Floats) -> _Level:
    order = np.argsort(keys)
    keys, counts = keys[order], counts[order]
    if not len(keys):
        return _Level(keys=keys, counts=counts)
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return _Level(keys=keys[starts], counts=np.add.reduceat(counts, starts))


def _count_source(source: WeighedTexts, characters: str, length: int) -> _Level:
    """The n-grams inside the texts; those that go on past an edge are left out."""
    symbols, weights = _symbols(source, characters)
    edge = characters.index(" ") + 2 if source.words else EDGE
    count = len(symbols) - length + 1
    if count < 1:
        return _Level(keys=np.zeros(0, np.uint64), counts=np.zeros(0))
    keys = np.zeros(count, np.uint64)
    inside = np.ones(count, bool)
    for place in range(length):
        part = symbols[place : place + count]
        keys = (keys << np.uint64(8)) | part
        if 0 < place < length - 1:
            inside &= part != edge
    # An n-gram counts as the text that its last symbol belongs to.
    return _summed(keys[inside], weights[length - 1 :][inside])


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
    """p(last symbol | the symbols before it) of every n-gram."""
    first = levels[0].counts
    probabilities = [first / first.sum()]
    for shorter, level in pairwise(levels):
        contexts = shorter.find(level.keys >> np.uint64(8))
        total = np.bincount(contexts, level.counts, len(shorter.keys))[contexts]
        kinds = np.bincount(contexts, minlength=len(shorter.keys))[contexts]
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
