"""CTC prefix beam search, guided by what may follow what was read.

Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs" (2014): a beam of prefixes, each with the probability of all its alignments that end
in a blank and of all that end in its last label. All scores are natural logarithms.

Time goes where the recogniser is unsure: a class below `least` is no candidate at its time step,
and a run of time steps with blank as the only candidate costs as much as one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from math import exp, inf, log, log1p
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hwr.model.alphabet import BLANK

#: State of a guide; only the guide knows what it is.
State = Any


class Guide(Protocol):
    """Says what may follow a prefix, and how gladly."""

    #: The state of the empty prefix.
    start: State

    def advance(self, state: State, label: int) -> tuple[float, State] | None:
        """What class `label` adds to the score, and the state after it; None: it may not follow."""

    def end(self, state: State) -> float | None:
        """What ending here adds to the score; None where the text may not end."""


@dataclass(frozen=True, kw_only=True)
class BeamOptions:
    """How wide to search."""

    #: Prefixes kept after a time step.
    width: int = 28
    #: A class less likely than this is no candidate.
    least: float = 3e-3
    #: Most candidates at a time step: bounds the work that a line without sense can make.
    most: int = 16
    #: A prefix this much (nats) below the best one is dropped.
    gap: float = 6.0


class Hypothesis(NamedTuple):
    """A text that the beam ended with."""

    #: CTC classes without blanks.
    labels: tuple[int, ...]
    #: log p of the labels as far as it was searched, and what the guide added.
    score: float


class _Prefix:
    """Labels read so far, as a tree: each node knows its parent and its last label.

    The empty prefix has the blank for a label, and a parent of its own.
    """

    __slots__ = ("_longer", "bonus", "label", "parent", "state")

    def __init__(self, parent: "_Prefix | None", label: int, bonus: float, state: State) -> None:
        self.parent = parent or self
        self.label = label
        #: What the guide added on the way here.
        self.bonus = bonus
        self.state = state
        self._longer: dict[int, _Prefix] = {}

    def longer(self, label: int, bonus: float, state: State) -> "_Prefix":
        """This prefix and one label more: the same object each time."""
        if label not in self._longer:
            self._longer[label] = _Prefix(self, label, bonus, state)
        return self._longer[label]

    def labels(self) -> tuple[int, ...]:
        """The labels from the first to the last."""
        node, labels = self, []
        while node.label != BLANK:
            labels.append(node.label)
            node = node.parent
        return tuple(reversed(labels))


class _Alive(NamedTuple):
    """A prefix of the beam with the log-probabilities of its alignments."""

    prefix: _Prefix
    #: Of those that end in a blank.
    blank: float
    #: Of those that end in the last label.
    label: float
    #: Of all, with what the guide added.
    score: float


#: A time step: log p of blank (-inf where it is no candidate) and of the candidate labels.
_Step = tuple[float, dict[int, float]]
#: Prefixes after a step, most of which will not live: by parent and label
#: [log p of ending in a blank, log p of ending in the label, bonus, state].
_Grown = dict[tuple[_Prefix, int], list[Any]]


def search(
    log_probabilities: NDArray[np.float32], guide: Guide, options: BeamOptions
) -> list[Hypothesis]:
    """The texts that (T, C) `log_probabilities` may say, the best first; none where all is refused.

    With `least` 0, `gap` infinite, `most` all classes and a beam as wide as there are prefixes,
    scores are exact.
    """
    empty = _Prefix(None, BLANK, 0.0, guide.start).longer(BLANK, 0.0, guide.start)
    beam = [_Alive(empty, 0.0, -inf, 0.0)]
    for blank, labels in _steps(log_probabilities, options):
        beam = _best(_grow(beam, blank, labels, guide, options.gap), options)
    ends = [(alive, guide.end(alive.prefix.state)) for alive in beam]
    found = [Hypothesis(a.prefix.labels(), a.score + end) for a, end in ends if end is not None]
    # A beam may end with prefixes that nothing could follow, where something had to.
    found = [hypothesis for hypothesis in found if hypothesis.score > -inf]
    return sorted(found, key=lambda hypothesis: hypothesis.score, reverse=True)


def _steps(log_probabilities: NDArray[np.float32], options: BeamOptions) -> Iterator[_Step]:
    """The candidates of each time step, runs of nothing but blanks drawn together."""
    candidates = _candidates(log_probabilities, options)
    run: float | None = None
    for row, chosen in zip(log_probabilities, candidates, strict=True):
        classes = chosen.nonzero()[0]
        labels = dict(zip(classes.tolist(), row[classes].tolist(), strict=True))
        blank = labels.pop(BLANK, -inf)
        if not labels:
            run = (run or 0.0) + blank
            continue
        if run is not None:
            yield run, {}
            run = None
        yield blank, labels
    if run is not None:
        yield run, {}


def _candidates(log_probabilities: NDArray[np.float32], options: BeamOptions) -> NDArray[np.bool_]:
    """(T, C): the likely classes of each time step, the likeliest one in any case."""
    limit = log(options.least) if options.least else -inf
    likely = log_probabilities >= np.minimum(limit, log_probabilities.max(axis=1))[:, None]
    crowded = likely.sum(axis=1) > options.most
    if crowded.any():
        rows = log_probabilities[crowded]
        first = np.argpartition(-rows, options.most - 1, axis=1)[:, : options.most]
        kept = np.zeros(rows.shape, bool)
        np.put_along_axis(kept, first, values=True, axis=1)
        likely[crowded] &= kept
    return np.asarray(likely, np.bool_)


def _grow(
    beam: list[_Alive], blank: float, labels: dict[int, float], guide: Guide, gap: float
) -> _Grown:
    """Every prefix of the beam with nothing, its last label again, or one label more."""
    grown: _Grown = {}
    advance = guide.advance
    floor = beam[0].score + blank - gap
    for prefix, ends_blank, ends_label, score in beam:
        bonus, last = prefix.bonus, prefix.label
        either = score - bonus
        same = grown.setdefault((prefix.parent, last), [-inf, -inf, bonus, prefix.state])
        same[0] = either + blank
        if last in labels:
            same[1] = _add(same[1], ends_label + labels[last])
        for label, value in labels.items():
            # A label follows itself only after a blank.
            reached = value + (ends_blank if label == last else either)
            if reached + bonus <= floor:
                continue
            if longer := grown.get((prefix, label)):
                longer[1] = _add(longer[1], reached)
            elif step := advance(prefix.state, label):
                more = bonus + step[0]
                grown[prefix, label] = [-inf, reached, more, step[1]]
                floor = max(floor, reached + more - gap)
    return grown


def _best(grown: _Grown, options: BeamOptions) -> list[_Alive]:
    """The best of them, the very best first."""
    scored = [
        ((last if blank == -inf else _add(blank, last)) + bonus, key)
        for key, (blank, last, bonus, _) in grown.items()
    ]
    kept = nlargest(options.width, scored, key=itemgetter(0))
    floor = kept[0][0] - options.gap
    return [_alive(key, grown[key], score) for score, key in kept if score >= floor]


def _alive(key: tuple[_Prefix, int], ends: list[Any], score: float) -> _Alive:
    parent, label = key
    blank, last, bonus, state = ends
    return _Alive(parent.longer(label, bonus, state), blank, last, score)


def _add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == -inf else a + log1p(exp(b - a))
