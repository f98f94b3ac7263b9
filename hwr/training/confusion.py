"""Which characters are taken for which: the confusion table of an evaluation."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from hwr.training.edits import Edit, align

#: Rows of each kind that a report names.
_TOP = 20


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Errors by kind with how often they were made, the most frequent first."""

    #: (what stands there, what was read, times)
    substitutions: tuple[tuple[str, str, int], ...]
    #: (what was left out, times)
    deletions: tuple[tuple[str, int], ...]
    #: (what was added, times)
    insertions: tuple[tuple[str, int], ...]


def confusion(pairs: Iterable[tuple[str, str]]) -> Confusion:
    """The table over (truth, reading) pairs."""
    times: Counter[Edit] = Counter()
    for truth, reading in pairs:
        times.update(edit for edit in align(truth, reading) if edit[0] != edit[1])
    # Equally frequent ones in the order of the alphabet, so that a report can be compared.
    ranked = sorted(times.items(), key=lambda entry: (-entry[1], entry[0]))
    return Confusion(
        substitutions=tuple([(a, b, n) for (a, b), n in ranked if a and b][:_TOP]),
        deletions=tuple([(a, n) for (a, b), n in ranked if not b][:_TOP]),
        insertions=tuple([(b, n) for (a, b), n in ranked if not a][:_TOP]),
    )
