"""Warns of what transcriptions say and no model can write: neither training nor figures show it."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable

from hwr.model.alphabet import Alphabet
from hwr.training.samples import LineSample

log = logging.getLogger(__name__)

#: Characters that are named of each data set, the most frequent ones.
_NAMED = 10


def tell_foreign(samples: Iterable[LineSample], alphabet: Alphabet) -> None:
    """Warn of the characters of each data set that are not in the alphabet."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        counts[sample.dataset].update(alphabet.foreign(sample.text))
    for dataset, foreign in counts.items():
        if foreign:
            log.warning(
                "%s: %d characters are not in the alphabet and lose their accents or are dropped,"
                " in training and in what readings are compared with: %s",
                dataset,
                foreign.total(),
                ", ".join(f"{_shown(c)} {count}×" for c, count in foreign.most_common(_NAMED)),
            )


def _shown(character: str) -> str:
    """A character from the data, which a terminal must not obey."""
    return character if character.isprintable() else f"U+{ord(character):04X}"
