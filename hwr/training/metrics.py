"""Character and word error rates, raw or folded."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from hwr.training.edits import edit_distance


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


@dataclass(frozen=True, kw_only=True)
class ErrorCounts:
    """What one or several lines add to the sums that rates are made of."""

    lines: int = 0
    characters: int = 0
    character_errors: int = 0
    words: int = 0
    word_errors: int = 0
    exact: int = 0

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(
            lines=self.lines + other.lines,
            characters=self.characters + other.characters,
            character_errors=self.character_errors + other.character_errors,
            words=self.words + other.words,
            word_errors=self.word_errors + other.word_errors,
            exact=self.exact + other.exact,
        )

    def rates(self) -> ErrorRates:
        """The rates of these sums."""
        return ErrorRates(
            lines=self.lines,
            cer=self.character_errors / max(1, self.characters),
            wer=self.word_errors / max(1, self.words),
            exact=self.exact / max(1, self.lines),
        )


def count_errors(truth: str, reading: str) -> ErrorCounts:
    """The errors of one line."""
    return ErrorCounts(
        lines=1,
        characters=len(truth),
        character_errors=edit_distance(truth, reading),
        words=len(truth.split()),
        word_errors=edit_distance(truth.split(), reading.split()),
        exact=int(truth == reading),
    )


def error_rates(pairs: Iterable[tuple[str, str]]) -> ErrorRates:
    """Rates over (truth, reading) pairs."""
    counts = (count_errors(truth, reading) for truth, reading in pairs)
    return sum(counts, ErrorCounts()).rates()


def fold_for_score(text: str) -> str:
    """`text` without what often does not matter: case, accents and punctuation.

    Case is folded as Unicode does, combining marks are cut off after NFKD, characters of the
    categories P* are dropped and runs of spaces count as one.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (c for c in plain if not unicodedata.category(c).startswith(("M", "P")))
    return " ".join("".join(kept).split())
