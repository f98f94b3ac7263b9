"""Decoders by the name that HWR_DECODER gives: logits in, a reading out."""

from collections.abc import Hashable, Iterator, Sequence
from math import exp
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hwr.decoding.beam import BeamOptions, Guide, Hypothesis, search
from hwr.decoding.best_path import read_best_path
from hwr.decoding.confidence import log_probabilities
from hwr.decoding.fields import COMB_FIELDS, FIELDS, Field, Lexicon
from hwr.decoding.guides import FieldGuide, LanguageGuide
from hwr.decoding.language_model import Heed, load_language_model
from hwr.decoding.names import COMB, LEXICON
from hwr.decoding.reading import Alternative, LineReading
from hwr.errors import DecoderError
from hwr.model.alphabet import BLANK, Alphabet
from hwr.model.line_views import VIEWS

#: A language model knows nothing of figures.
_FIGURES = ("digits", "amount", f"{COMB}digits", f"{COMB}date")
_BEAM = "beam:"
_THOROUGH = "thorough"
#: Decoders of any text.
_OPEN = ("auto", "beam", _THOROUGH)
#: Texts that each view brings.
_CANDIDATES = 8
#: For a line that a field's bounds leave nothing of: its text may be less likely than any other.
_PATIENT = BeamOptions(width=56, least=1e-4, gap=14.0)
#: Share of what a search in a field ended with that is believed at most, log-odds of 8: it may have
#: lost the right one.
_SUREST = 0.99966
#: Widest beam: time grows with it, and all lines of a process share the thread that decodes.
_WIDEST = 100


class Decoder(Protocol):
    """Turns the logits of one line into what it says."""

    @property
    def identity(self) -> str:
        """Name, settings and language model: goes into every result."""

    @property
    def alphabet(self) -> Alphabet:
        """What its readings are written in."""

    @property
    def views(self) -> int:
        """How many views of a line it wants to see (`hwr.model.line_views`)."""

    def prepared(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits (T, C) of one view as it wants them: what its reading is weighed by too."""

    def read(self, logits: NDArray[np.float32], *others: NDArray[np.float32]) -> LineReading:
        """The reading of one line's logits (T, C); `others` are those of its other views."""


class _AsTheyAre:
    """For decoders that take logits as the network gives them."""

    def prepared(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same logits (T, C)."""
        return logits


class BestPathDecoder(_AsTheyAre):
    """The likeliest class of each time step."""

    identity = "best-path"
    views = 1

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet

    def read(self, logits: NDArray[np.float32], *_: NDArray[np.float32]) -> LineReading:
        """The reading of one line's logits (T, C)."""
        return read_best_path(logits, self.alphabet)


class BeamDecoder(_AsTheyAre):
    """Prefix beam search under a guide, in a field's characters where a field is given."""

    views = 1

    def __init__(
        self,
        alphabet: Alphabet,
        guide: Guide,
        identity: str,
        *,
        field: Field | None = None,
        options: BeamOptions | None = None,
    ) -> None:
        self.identity = identity
        self.alphabet = alphabet
        self._guide = guide
        self._options = options or BeamOptions()
        self._field = field
        allowed = [not field or c in field.characters for c in alphabet.characters]
        #: (C,) 0 for classes of the field, else minus infinity.
        self._mask = np.where([True, *allowed], 0.0, -np.inf).astype(np.float32)

    def read(self, logits: NDArray[np.float32], *_: NDArray[np.float32]) -> LineReading:
        """The reading of one line's logits (T, C).

        Empty, with confidence 0, where the search ends with nothing that the field holds.
        Confidence is the share of the best text in all that the beam ended with; in a field, of all
        texts that mean the same.
        """
        inside = _normaliser(logits + self._mask)
        scores = logits + self._mask - inside[:, None]
        found = search(scores, self._guide, self._options)
        if not found and self._field:
            found = search(scores, self._guide, _PATIENT)
        if not found:
            return LineReading(text="", confidence=0.0)
        shares = np.exp([hypothesis.score - found[0].score for hypothesis in found])
        texts, shares = list(map(self._text, found)), shares / shares.sum()
        if self._field is None:
            return LineReading(text=texts[0], confidence=float(shares[0]))
        of_field = exp(float((inside - _normaliser(logits)).sum()))
        alternatives = tuple(map(Alternative, texts, (shares * of_field).tolist()))
        return _likeliest(self._field, texts, shares.tolist(), alternatives)

    def _text(self, hypothesis: Hypothesis) -> str:
        return " ".join(self.alphabet.decode(hypothesis.labels).split())


def _likeliest(
    field: Field,
    texts: Sequence[str],
    shares: Sequence[float],
    alternatives: tuple[Alternative, ...],
) -> LineReading:
    """What a line of a field most likely means, in its likeliest spelling."""
    meanings = [_meaning(field, text) for text in texts]
    means: dict[Hashable, float] = {}
    for meaning, share in zip(meanings, shares, strict=True):
        means[meaning] = means.get(meaning, 0.0) + share
    likeliest = max(means, key=means.__getitem__)
    place = meanings.index(likeliest)
    return LineReading(
        text=texts[place],
        confidence=min(means[likeliest], _SUREST),
        alternatives=alternatives,
        spellings=means[likeliest] / shares[place],
    )


def _meaning(field: Field, text: str) -> Hashable:
    """What a text means; where it cannot be meant, nothing but itself."""
    meaning = field.meaning(text)
    return (text,) if meaning is None else meaning


class CombDecoder(BeamDecoder):
    """The same of what is written one character to a box.

    How far characters stand apart says nothing there, so that a space between two is as good as
    none where the field has no spaces. Signs that the field does not have are not looked for: they
    are what the boxes leave of themselves. Letters stay, so that one among digits is told.
    """

    def __init__(
        self, alphabet: Alphabet, guide: Guide, identity: str, *, field: Field, options: BeamOptions
    ) -> None:
        super().__init__(alphabet, guide, identity, field=field, options=options)
        signs = [not (c.isalnum() or c in field.characters) for c in alphabet.characters]
        #: (C,) what is not looked for.
        self._dropped = np.array([False, *signs])
        spaces = [i for i, c in enumerate(alphabet.characters, 1) if c == " " and signs[i - 1]]
        #: Classes that are a blank.
        self._blanks = [BLANK, *spaces]

    def prepared(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits (T, C) with the space in the blank, and without foreign signs."""
        folded = np.where(self._dropped, -np.inf, logits).astype(np.float32)
        folded[:, BLANK] = np.logaddexp.reduce(logits[:, self._blanks], axis=1)
        return folded


class ThoroughDecoder(_AsTheyAre):
    """Beam search in several views of a line; what all of them and the language model like best.

    Views are not aligned: what is compared is whole texts, each by the probability of all CTC paths
    that spell it.
    """

    views = VIEWS

    def __init__(
        self, alphabet: Alphabet, guide: LanguageGuide, identity: str, options: BeamOptions
    ) -> None:
        self.identity = identity
        self.alphabet = alphabet
        self._guide = guide
        self._options = options

    def read(self, logits: NDArray[np.float32], *others: NDArray[np.float32]) -> LineReading:
        """The reading of one line's logits (T, C) in its views.

        Confidence is the share of the best text in all that any view's beam ended with.
        """
        seen = (logits, *others)
        texts = list(dict.fromkeys(labels for view in seen for labels in self._candidates(view)))
        scores = np.mean([log_probabilities(view, texts) for view in seen], axis=0)
        scores += [self._guide.text(labels) for labels in texts]
        text = self.alphabet.decode(texts[int(scores.argmax())])
        share = 1.0 / float(np.exp(scores - scores.max()).sum())
        return LineReading(text=" ".join(text.split()), confidence=share)

    def _candidates(self, logits: NDArray[np.float32]) -> Iterator[tuple[int, ...]]:
        found = search(logits - _normaliser(logits)[:, None], self._guide, self._options)
        return (hypothesis.labels for hypothesis in found[:_CANDIDATES])


def open_decoder(name: str, alphabet: Alphabet, language_model: Path | None = None) -> Decoder:
    """The decoder called `name`, with the language model in a file, by default the shipped one.

    Names: auto, best-path, beam, beam:WIDTH, thorough, a field (digits, amount,
    amount-in-words, date, capitals), lexicon:FILE, or comb:digits, comb:date or comb:capitals.
    What auto is was measured: beam.

    Raises:
        DecoderError: there is no such decoder, or its lexicon cannot be used.
        ModelError: the language model cannot be used.
    """
    if name == "best-path":
        return BestPathDecoder(alphabet)
    options, field = _options(name), _field(name)
    what = _what(name, options, field)
    if name in _FIGURES and field:
        return _of_field(name, alphabet, FieldGuide(field, alphabet), f"beam ({what})", field)
    stored = load_language_model(language_model)
    language = LanguageGuide(stored.model, alphabet, stored.heed)
    identity = f"beam ({what}, language model {stored.hash}, {_settings(stored.heed)})"
    if name == _THOROUGH:
        return ThoroughDecoder(alphabet, language, identity, options)
    if field:
        return _of_field(name, alphabet, FieldGuide(field, alphabet, language), identity, field)
    return BeamDecoder(alphabet, language, identity, options=options)


def _of_field(
    name: str, alphabet: Alphabet, guide: Guide, identity: str, field: Field
) -> BeamDecoder:
    kind = CombDecoder if name.startswith(COMB) else BeamDecoder
    return kind(alphabet, guide, identity, field=field, options=_options(name))


def _options(name: str) -> BeamOptions:
    width = name.removeprefix(_BEAM)
    if width == name:
        return BeamOptions()
    if not (width.isascii() and width.isdigit() and len(width) < 9 and 1 <= int(width) <= _WIDEST):
        raise DecoderError(f"A beam cannot be {width!r} wide. Choose 1 to {_WIDEST}.")
    return BeamOptions(width=int(width))


def _field(name: str) -> Field | None:
    """The field of that name; none for a search of any text."""
    if name in _OPEN or name.startswith(_BEAM):
        return None
    if name.startswith(LEXICON):
        return Lexicon.load(Path(name.removeprefix(LEXICON)))
    fields = FIELDS | COMB_FIELDS
    if name not in fields:
        known = ", ".join(("auto", "best-path", "beam", _THOROUGH, *fields))
        raise DecoderError(
            f"There is no decoder {name!r}. Set HWR_DECODER to one of {known}, {_BEAM}WIDTH or"
            f" {LEXICON}FILE."
        )
    return fields[name]


def _what(name: str, options: BeamOptions, field: Field | None) -> str:
    """What is searched for and how wide, as an identity has it; of a lexicon the words' hash.

    A calibration holds for one such search alone.
    """
    wide = f"width {options.width}, gap {options.gap:g}"
    if name == _THOROUGH:
        return f"{wide}, {VIEWS} views"
    if isinstance(field, Lexicon):
        return f"lexicon {field.hash}, {wide}"
    return f"{name}, {wide}" if field else wide


def _settings(heed: Heed) -> str:
    return f"weight {heed.weight:g}, bonus {heed.bonus:g}, doubt {heed.doubt:g}"


def _normaliser(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T,) logarithm of the sum of exponentials of (T, C) logits."""
    highest = logits.max(axis=1)
    sums = np.exp(logits - highest[:, None]).sum(axis=1)
    return np.asarray(highest + np.log(sums), np.float32)
