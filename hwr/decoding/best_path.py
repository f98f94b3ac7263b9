"""CTC decoding by best path, with a confidence for the line.

Graves et al., "Connectionist Temporal Classification" (ICML 2006): take the likeliest class of each
time step, merge repeats, drop blanks.
"""

import numpy as np
from numpy.typing import NDArray

from hwr.decoding.reading import LineReading
from hwr.model.alphabet import BLANK, Alphabet


def read_best_path(logits: NDArray[np.float32], alphabet: Alphabet) -> LineReading:
    """The reading of one line's logits (T, C)."""
    best = logits.argmax(axis=1)
    kept = np.flatnonzero((best != BLANK) & (best != np.concatenate(([BLANK], best[:-1]))))
    text = alphabet.decode(best[kept].tolist())
    return LineReading(text=" ".join(text.split()), confidence=_confidence(logits, best))


def _confidence(logits: NDArray[np.float32], best: NDArray[np.intp]) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    steps = -np.log(np.exp(shifted).sum(axis=1))
    # Sure blanks say nothing about the letters and would drown them in a long line.
    telling = steps[(best != BLANK) | (steps < -0.1)]
    return float(np.exp(telling.mean())) if len(telling) else 1.0
