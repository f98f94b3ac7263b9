"""Bootstrap intervals of error rates (Efron and Tibshirani, 1993: the percentile method).

Lines of one writer are alike, so writers are resampled where a set has enough of them; resampling
lines alone tells how sure a rate is for these very writers, and no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hwr.training.metrics import ErrorCounts

#: Sets of fewer writers are resampled by line: two writers have only three mixtures.
_FEWEST_WRITERS = 5
_ROUNDS = 2_000
_SEED = 1
_INSIDE = 95.0

#: (low, high)
Interval = tuple[float, float]


class Resampled(StrEnum):
    """What an interval's bootstrap drew with replacement."""

    WRITERS = "writers"  # the interval holds for new writers like these
    LINES = "lines"  # the interval holds for more lines of these writers


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """95 % intervals of the rates of a set."""

    resampled: Resampled
    cer: Interval
    wer: Interval
    exact: Interval


def intervals(by_writer: Mapping[str, Sequence[ErrorCounts]]) -> Intervals:
    """The intervals of a set's rates from the counts of its lines by their writers."""
    if len(by_writer) >= _FEWEST_WRITERS:
        resampled = Resampled.WRITERS
        units = [sum(lines, ErrorCounts()) for lines in by_writer.values()]
    else:
        resampled = Resampled.LINES
        units = [line for lines in by_writer.values() for line in lines]
    sums = _resampled_sums(units)  # (rounds, 6)
    lines, characters, character_errors, words, word_errors, exact = sums.T
    return Intervals(
        resampled=resampled,
        cer=_interval(character_errors, characters),
        wer=_interval(word_errors, words),
        exact=_interval(exact, lines),
    )


def _resampled_sums(units: Sequence[ErrorCounts]) -> NDArray[np.int64]:
    """(rounds, 6): the summed counts of each round's draw of units."""
    table = np.array(
        [
            (u.lines, u.characters, u.character_errors, u.words, u.word_errors, u.exact)
            for u in units
        ]
    )
    rng = np.random.default_rng(_SEED)
    times_drawn = rng.multinomial(len(units), np.full(len(units), 1 / len(units)), _ROUNDS)
    return np.asarray(times_drawn @ table, np.int64)


def _interval(errors: NDArray[np.int64], of: NDArray[np.int64]) -> Interval:
    margin = (100 - _INSIDE) / 2
    low, high = np.percentile(errors / np.maximum(1, of), (margin, 100 - margin))
    return float(low), float(high)
