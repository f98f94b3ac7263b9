"""The characters that the model can write, and the one place where text is folded to them."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hwr.errors import ModelError

#: CTC's blank is class 0; character i of the alphabet is class i + 1.
BLANK = 0

_LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_SIGNS = " !\"#$%&'()*+,-./:;<=>?@[\\]_{|}~£€°§«»"
_ACCENTS = "ÀÂÄÇÈÉÊËÎÏÔÖÙÛÜŒÆÁÍÓÚÑßàâäçèéêëîïôöùûüœæáíóúñ"

#: What the shipped model writes: English and its western European neighbours.
DEFAULT_CHARACTERS = _SIGNS + _DIGITS + _LATIN + _ACCENTS

_SUBSTITUTES = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "`": "'",
        "´": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "–": "-",
        "—": "-",
        "‐": "-",
        "−": "-",
        "…": "...",
        "×": "x",
        "º": "°",
        "\u00a0": " ",
        "\u202f": " ",
        "\t": " ",
    }
)


def _composed(text: str) -> str:
    """`text` in NFC, with what is written alike in one form."""
    return unicodedata.normalize("NFC", text.translate(_SUBSTITUTES))


@dataclass(frozen=True)
class Alphabet:
    """An ordered set of characters, each one CTC class."""

    #: Every character once, in class order (class = index + 1).
    characters: str
    _classes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        classes = {character: index + 1 for index, character in enumerate(self.characters)}
        if len(classes) != len(self.characters):
            raise ModelError("The alphabet names a character twice. Remove the second one.")
        object.__setattr__(self, "_classes", classes)

    @property
    def classes(self) -> int:
        """Number of CTC classes, the blank included."""
        return len(self.characters) + 1

    def fold(self, text: str) -> str:
        """`text` in this alphabet's characters, NFC; what has no base letter here is dropped."""
        return " ".join("".join(map(self._fold_character, _composed(text))).split())

    def foreign(self, text: str) -> list[str]:
        """The characters of `text` that folding drops or leaves only a part of."""
        return [c for c in _composed(text) if c not in self._classes and not c.isspace()]

    def encode(self, text: str) -> list[int]:
        """The classes of `text` after folding."""
        return [self._classes[character] for character in self.fold(text)]

    def decode(self, classes: Iterable[int]) -> str:
        """The text of classes without blanks."""
        return "".join(self.characters[index - 1] for index in classes)

    def _fold_character(self, character: str) -> str:
        if character in self._classes:
            return character
        bases: Sequence[str] = unicodedata.normalize("NFKD", character)
        return "".join(base for base in bases if base in self._classes)
