"""Character and word error rates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ErrorRates:
    """Errors over a set of lines: edits divided by the truth's length, both summed over the set."""

    lines: int
    #: Character error rate, 0..1 and above where more is written than there is.
    cer: float
    #: Word error rate; words are separated by spaces.
    wer: float
    #: Share of lines without any error.
    exact: float


def edit_distance(a: Sequence[object], b: Sequence[object]) -> int:
    """Levenshtein distance: fewest insertions, deletions and substitutions."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def error_rates(pairs: Iterable[tuple[str, str]]) -> ErrorRates:
    """Rates over (truth, reading) pairs."""
    lines = characters = words = character_errors = word_errors = exact = 0
    for truth, reading in pairs:
        lines += 1
        characters += len(truth)
        words += len(truth.split())
        character_errors += edit_distance(truth, reading)
        word_errors += edit_distance(truth.split(), reading.split())
        exact += truth == reading
    return ErrorRates(
        lines=lines,
        cer=character_errors / max(1, characters),
        wer=word_errors / max(1, words),
        exact=exact / max(1, lines),
    )
