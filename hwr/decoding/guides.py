"""What may follow a prefix, and how gladly: a language model's guess, within a field's bounds."""

from collections.abc import Iterable
from math import exp, log
from typing import Any

from hwr.decoding.beam import Guide
from hwr.decoding.fields import Field
from hwr.decoding.language_model import EDGE, Heed, LanguageModel
from hwr.model.alphabet import Alphabet

#: Steps that a guide remembers: some 25 MB.
_MOST_STEPS = 100_000
#: Most characters of a field: each one more looks at all before it.
_LONGEST = 200


class LanguageGuide:
    """Adds the weighed log-probability of a language model, and a bonus for each character.

    Without the bonus a language model, in which every character costs, favours short texts.
    """

    def __init__(self, model: LanguageModel, alphabet: Alphabet, heed: Heed) -> None:
        self.start = model.start
        self._advance = model.advance
        self._weight = heed.weight
        self._bonus = heed.bonus
        self._sure = 1.0 - heed.doubt
        self._even = heed.doubt / alphabet.classes
        #: Symbol of each class; the blank's is never asked for.
        self._symbols = (EDGE, *map(model.symbol, alphabet.characters))
        #: Steps already looked up: text meets the same few again and again.
        self._steps: dict[tuple[int, int], tuple[float, int]] = {}

    def advance(self, state: int, label: int) -> tuple[float, int]:
        """The weighed log-probability of class `label` with the bonus, and the state after it."""
        try:
            return self._steps[state, label]
        except KeyError:
            score, after = self._advance(state, self._symbols[label])
            if len(self._steps) >= _MOST_STEPS:
                self._steps.clear()
            step = self._weigh(score) + self._bonus, after
            self._steps[state, label] = step
            return step

    def end(self, state: int) -> float:
        """The weighed log-probability that the line ends here."""
        return self._weigh(self._advance(state, EDGE)[0])

    def text(self, labels: Iterable[int]) -> float:
        """What a whole text adds to the score, its end with it."""
        total, state = 0.0, self.start
        for label in labels:
            score, state = self.advance(state, label)
            total += score
        return total + self.end(state)

    def _weigh(self, score: float) -> float:
        return self._weight * log(self._sure * exp(score) + self._even)


class FieldGuide:
    """Refuses what a field does not hold; another guide may prefer among the rest.

    Of figures it has nothing to say: a language model would have 10/3/2024 for 10/03/2024.
    """

    def __init__(self, field: Field, alphabet: Alphabet, preference: Guide | None = None) -> None:
        self._field = field
        self._preference = preference
        self._characters = ("", *alphabet.characters)
        #: The text so far and the other guide's state.
        self.start = ("", preference.start if preference else None)

    def advance(self, state: tuple[str, Any], label: int) -> tuple[float, Any] | None:
        """What the other guide adds; None where no text of the field begins so."""
        text = state[0] + self._characters[label]
        if len(text) > _LONGEST or not self._field.begins(text):
            return None
        if self._preference is None:
            return 0.0, (text, None)
        step = self._preference.advance(state[1], label)
        if step is None:
            return None
        score = 0.0 if text[-1].isdecimal() else step[0]
        return score, (text, step[1])

    def end(self, state: tuple[str, Any]) -> float | None:
        """What the other guide adds; None where this is no text of the field."""
        if not self._field.holds(state[0]):
            return None
        return self._preference.end(state[1]) if self._preference else 0.0
