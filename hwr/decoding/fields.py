"""What a form field may hold: a pattern, or words of a list.

A field says of every beginning of a text whether it may still become one. Patterns are regular
expressions of the package `regex`, which can match a text that goes on.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from string import ascii_letters
from typing import Protocol

import regex

from hwr.decoding import amounts, dates
from hwr.decoding.names import COMB, MOST_LEXICON_BYTES, words_of
from hwr.decoding.spelling import forms_of
from hwr.errors import DecoderError


class Field(Protocol):
    """A set of texts."""

    @property
    def characters(self) -> frozenset[str]:
        """The characters that its texts are made of."""

    def begins(self, text: str) -> bool:
        """Whether a text of the field may begin so."""

    def holds(self, text: str) -> bool:
        """Whether this is a text of the field."""

    def meaning(self, text: str) -> Hashable | None:
        """What a text of the field means, however it is spelt; None where it cannot be meant."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """The texts that match one of some regular expressions."""

    expressions: tuple[str, ...]
    #: Characters beside digits that its texts may have.
    others: str
    #: What a text of the field means: a day, what an amount is worth; None where that is nothing.
    sense: Callable[[str], Hashable | None] = str

    @property
    def characters(self) -> frozenset[str]:
        """Digits and the others."""
        return frozenset("0123456789" + self.others)

    @cached_property
    def _compiled(self) -> "tuple[regex.Pattern[str], ...]":
        return tuple(regex.compile(one, regex.VERBOSE) for one in self.expressions)

    def begins(self, text: str) -> bool:
        """Whether a match may begin with `text`."""
        return any(one.fullmatch(text, partial=True) for one in self._compiled)

    def holds(self, text: str) -> bool:
        """Whether all of `text` matches."""
        return any(one.fullmatch(text) for one in self._compiled)

    def meaning(self, text: str) -> Hashable | None:
        """What a text of the field means; None where it cannot be meant."""
        return self.sense(text)


class Lexicon:
    """Words of a list with spaces between them, each as listed, Capitalised or in CAPITALS."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted({form for word in words for form in forms_of(word)})

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of its words, which names it in an audit."""
        return hashlib.sha256("\n".join(self._words).encode()).hexdigest()[:16]

    @classmethod
    def load(cls, path: Path) -> "Lexicon":
        """The words in a UTF-8 file, one a line.

        Raises:
            DecoderError: the file cannot be read, is too large, or no list of words.
        """
        try:
            with path.open("rb") as file:
                return cls(words_of(file.read(MOST_LEXICON_BYTES + 1)))
        except (OSError, ValueError) as error:
            raise DecoderError(
                f"{path} is no lexicon ({error}). Name a UTF-8 file with a word on each line."
            ) from error

    @cached_property
    def characters(self) -> frozenset[str]:
        """The characters of all words, and the space."""
        return frozenset(chain(" ", *self._words))

    def begins(self, text: str) -> bool:
        """Whether `text` is words and the beginning of one; trusts what stands before the last."""
        before, _, last = text.rpartition(" ")
        if not last:
            return not text or self._has(before.rpartition(" ")[2])
        place = bisect_left(self._words, last)
        return place < len(self._words) and self._words[place].startswith(last)

    def holds(self, text: str) -> bool:
        """Whether `text` ends with a word; trusts what stands before it."""
        return self._has(text.rpartition(" ")[2])

    def meaning(self, text: str) -> str:
        """The words, whatever their case."""
        return text.casefold()

    def _has(self, word: str) -> bool:
        place = bisect_left(self._words, word)
        return place < len(self._words) and self._words[place] == word


def _figures(text: str) -> str:
    """Digits alone: how far they stand apart says nothing."""
    return text.replace(" ", "")


#: Fields by the name that settings give them.
FIELDS: dict[str, Pattern] = {
    "digits": Pattern(expressions=(r"\d(?:\ ?\d)*",), others=" ", sense=_figures),
    "amount": Pattern(
        expressions=(amounts.FIGURES,), others=amounts.FIGURE_SIGNS, sense=amounts.worth
    ),
    "amount-in-words": Pattern(
        expressions=amounts.WORDS,
        others=f"{ascii_letters}éÉ ,.&/*#=-",
        sense=amounts.worth,
    ),
    "date": Pattern(expressions=(dates.DATES,), others=dates.DATE_SIGNS, sense=dates.date_of),
    "capitals": Pattern(
        expressions=(r"[\p{Lu}\d.,'&/()-]+ (?:\ [\p{Lu}\d.,'&/()-]+)*",),
        others="ABCDEFGHIJKLMNOPQRSTUVWXYZÀÂÄÇÈÉÊËÎÏÔÖÙÛÜŒÆÁÍÓÚÑ .,'&/()-",
    ),
}
#: The same by the names of their decoders where each character has a box of its own.
COMB_FIELDS: dict[str, Pattern] = {
    f"{COMB}digits": Pattern(expressions=(r"\d+",), others=""),
    f"{COMB}date": Pattern(expressions=(dates.COMB_DATES,), others="", sense=dates.date_in_comb),
    f"{COMB}capitals": FIELDS["capitals"],
}
#: Names of those whose texts are few for what can be written: of capitals there are any.
BOUNDED = frozenset(name for name in FIELDS | COMB_FIELDS if not name.endswith("capitals"))
