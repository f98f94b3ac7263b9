"""Forced alignment: at which time steps a CTC network sees each character of a known text.

The Viterbi path through the text's CTC states, as in Graves et al., "Connectionist Temporal
Classification" (ICML 2006), section 4, with maxima for sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwr.model.alphabet import BLANK

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Where a text stands in a line."""

    #: (n,) time step of each character, the mean of its steps.
    steps: Floats
    #: (n,) natural log of each character's probability at its best step, at most 0.
    sureness: Floats


def align(log_probs: Floats, classes: Sequence[int]) -> Alignment | None:
    """The best alignment of (T, C) log probabilities with `classes`; none if T is too short."""
    states = np.full(2 * len(classes) + 1, BLANK)
    states[1::2] = classes
    best, came = _forward(log_probs[:, states], _may_skip(states))
    last = len(states) - 1
    if last and best[last - 1] > best[last]:
        last -= 1
    if not classes or not np.isfinite(best[last]):
        return None
    path = _backtrack(came, last)
    spans = [np.flatnonzero(path == 2 * i + 1) for i in range(len(classes))]
    return Alignment(
        steps=np.array([span.mean() for span in spans]),
        sureness=np.array([log_probs[s, c].max() for s, c in zip(spans, classes, strict=True)]),
    )


def _may_skip(states: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a state may follow the one two before it: other characters without a blank."""
    skip = np.zeros(len(states), bool)
    skip[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    return skip


def _forward(scores: Floats, skip: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
    """Best score of each state at the end, and (T, S) how many states back the path came from."""
    count = scores.shape[1]
    best = np.full(count, -np.inf)
    best[:2] = scores[0, :2]
    came = np.zeros(scores.shape, np.int64)
    for step in range(1, len(scores)):
        one = np.concatenate(([-np.inf], best[:-1]))
        two = np.where(skip, np.concatenate(([-np.inf] * 2, best))[:count], -np.inf)
        options = np.stack((best, one, two))
        came[step] = options.argmax(axis=0)
        best = options.max(axis=0) + scores[step]
    return best, came


def _backtrack(came: NDArray[np.int64], last: int) -> NDArray[np.int64]:
    path = np.empty(len(came), np.int64)
    for step in range(len(came) - 1, -1, -1):
        path[step] = last
        last -= came[step, last]
    return path
