"""How sure a reading is: the probability of its text, and of each of its characters.

The probability of a text is that of all CTC paths that spell it, by the forward algorithm; the
forward-backward algorithm tells where each character stands (Graves et al., "Connectionist Temporal
Classification", ICML 2006, section 4.1). Both hold for whatever text a decoder chose. Probabilities
are rescaled at each step, so that long lines do not vanish.

Shapes: B lines, T time steps, C classes, S = 2·characters + 1 states: blanks around characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwr.decoding.reading import Alternative, LineReading
from hwr.model.alphabet import BLANK, Alphabet
from hwr.model.confidence import ConfidenceScale, log_odds

Floats = NDArray[np.float64]

#: Keeps a text that the network rules out from dividing by nothing.
_TINY = 1e-300
#: Power of the network's probability of a text that a field's alternatives are weighed with: where
#: a letter or two are odd a whole line is hardly ever likely, and its words are clear all the same.
_BELIEF = 0.25
#: States of all time steps that are looked at together: 16 MiB, where a long line has many texts.
_MOST_STATES = 4_194_304


@dataclass(frozen=True, kw_only=True)
class WeighedReading(LineReading):
    """A reading as a decoder left it, with what the network says of its text.

    `confidence` is the decoder's own, `characters` are the network's probabilities.
    """

    #: Log-odds of the text under the network: all paths that spell it against all others; of a
    #: field's text, all that spell what it means.
    network: float


def weigh(
    rows: Sequence[NDArray[np.float32]], readings: Sequence[LineReading], alphabet: Alphabet
) -> list[WeighedReading]:
    """The readings of lines with logits (T, C) each, with what the network says of their texts."""
    if not readings:
        return []
    labels = [alphabet.encode(reading.text) for reading in readings]
    lines, characters = text_probabilities(rows, labels)
    return [
        WeighedReading(
            text=reading.text,
            confidence=reading.confidence,
            characters=tuple(own.tolist()),
            alternatives=_believed(reading, probability),
            spellings=reading.spellings,
            network=float(log_odds(min(probability * reading.spellings, 1.0))),
        )
        for reading, probability, own in zip(readings, lines.tolist(), characters, strict=True)
    ]


def _believed(reading: LineReading, probability: float) -> tuple[Alternative, ...]:
    """A field's alternatives, as far as the network's probability of its text lets believe in any.

    It is likelier to the decoder, which knows nothing but texts of the field.
    """
    own = max((x.probability for x in reading.alternatives if x.text == reading.text), default=0.0)
    held = min(probability / own, 1.0) ** _BELIEF if own else 0.0
    return tuple(x._replace(probability=x.probability * held) for x in reading.alternatives)


def scaled(reading: WeighedReading, scale: ConfidenceScale) -> LineReading:
    """The reading with probabilities that hold, as far as `scale` was fitted."""
    decoder = float(log_odds(reading.confidence))
    return LineReading(
        text=reading.text,
        confidence=scale.line.probability(reading.network, decoder),
        characters=tuple(scale.character.probability(np.array(reading.characters)).tolist()),
        alternatives=reading.alternatives,
        spellings=reading.spellings,
    )


def text_probabilities(
    rows: Sequence[NDArray[np.float32]], labels: Sequence[Sequence[int]]
) -> tuple[Floats, list[Floats]]:
    """(B,) probability of each line's labels, and of each label to be right where it stands.

    The latter is the label's largest softmax value, each step weighed by how surely the label
    stands there.
    """
    steps = _state_probabilities([_softmax(row) for row in rows], labels)  # (T, B, S)
    skip = _may_skip(labels, steps.shape[2])
    last = 2 * np.array([len(own) for own in labels])
    forward, log_scale = _forward(steps, skip)
    # At each line's own end: steps of padding would round it by the company it keeps.
    ends = np.array([len(row) for row in rows]) - 1, np.arange(len(rows))
    lines = np.exp(log_scale[ends] + _log_ending(forward[ends], last))
    best = _best_by_state(steps, skip, forward, last)  # (B, S)
    return lines, [row[1 : 2 * len(own) : 2] for row, own in zip(best, labels, strict=True)]


def log_probabilities(row: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> Floats:
    """(N,) logarithm of the probability that a line with logits (T, C) says each of N labels."""
    probabilities, states = _softmax(row), 2 * max(map(len, labels)) + 1
    at_once = max(1, _MOST_STATES // (len(row) * states))
    starts = range(0, len(labels), at_once)
    return np.concatenate(
        [_log_probabilities(probabilities, labels[i : i + at_once]) for i in starts]
    )


def _log_probabilities(row: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> Floats:
    steps = _state_probabilities([row] * len(labels), labels)
    forward, log_scale = _forward(steps, _may_skip(labels, steps.shape[2]))
    last = 2 * np.array([len(own) for own in labels])
    return np.asarray(log_scale[-1] + _log_ending(forward[-1], last))


def _softmax(row: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(row - row.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def _state_probabilities(
    rows: Sequence[NDArray[np.float32]], labels: Sequence[Sequence[int]]
) -> NDArray[np.float32]:
    """(T, B, S) probability of each state's class, from lines of (T, C) probabilities each.

    Past its end a line is surely blank.
    """
    longest, most = max(len(row) for row in rows), max(len(own) for own in labels)
    steps = np.zeros((longest, len(rows), 2 * most + 1), np.float32)
    for line, (row, own) in enumerate(zip(rows, labels, strict=True)):
        states = np.full(2 * len(own) + 1, BLANK)
        states[1::2] = own
        steps[: len(row), line, : len(states)] = row[:, states]
        steps[len(row) :, line, : len(states) : 2] = 1.0
    return steps


def _may_skip(labels: Sequence[Sequence[int]], states: int) -> Floats:
    """(B, S) 1 where a state may follow the one two before it: two different characters."""
    skip = np.zeros((len(labels), states))
    for row, own in zip(skip, labels, strict=True):
        row[3 : 2 * len(own) : 2] = np.not_equal(own[1:], own[:-1])
    return skip


def _forward(steps: NDArray[np.float32], skip: Floats) -> tuple[NDArray[np.float32], Floats]:
    """(T, B, S) probability of each state given the steps so far; (T, B) log of their scales."""
    alpha, totals = np.empty_like(steps), np.empty(steps.shape[:2])
    now = np.zeros(skip.shape)
    now[:, 0] = 1.0  # before the first step, from where only the first two states follow
    for step, probabilities in enumerate(steps):
        before = now
        now = before.copy()
        now[:, 1:] += before[:, :-1]
        if step:
            now[:, 2:] += before[:, :-2] * skip[:, 2:]
        now *= probabilities
        total = _total(now)
        now /= total
        alpha[step], totals[step] = now, total[:, 0]
    return alpha, np.cumsum(np.log(totals), axis=0)


def _total(states: Floats) -> Floats:
    """(B, 1) sum of each line's states, never 0, to the last bit whatever states pad the line."""
    return np.maximum(np.add.accumulate(states, axis=1)[:, -1:], _TINY)


def _best_by_state(
    steps: NDArray[np.float32],
    skip: Floats,
    forward: NDArray[np.float32],
    last: NDArray[np.int64],
) -> Floats:
    """(B, S) largest probability of each state's class, weighed by that of being in the state.

    Goes backward; `now` is in proportion to the probability of the steps to come.
    """
    best, lines = np.zeros(skip.shape), np.arange(len(skip))
    now = np.zeros(skip.shape)
    now[lines, last] = now[lines, np.maximum(last - 1, 0)] = 1.0
    for alpha, probabilities in zip(forward[::-1], steps[::-1], strict=True):
        joint = alpha * now
        joint /= _total(joint)
        np.maximum(best, joint * probabilities, out=best)
        after = now * probabilities
        now = after.copy()
        now[:, :-1] += after[:, 1:]
        now[:, :-2] += after[:, 2:] * skip[:, 2:]
        now /= _total(now)
    return best


def _log_ending(states: NDArray[np.float32], last: NDArray[np.int64]) -> Floats:
    """(B,) log probability of having ended in the last character or in the blank behind it."""
    lines = np.arange(len(states))
    character = np.where(last > 0, states[lines, np.maximum(last - 1, 0)], 0.0)
    ending = np.asarray(states[lines, last] + character, np.float64)
    return np.asarray(np.log(np.maximum(ending, _TINY)))
