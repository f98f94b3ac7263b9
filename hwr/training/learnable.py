"""Which real lines can be learned from; the others are named, for no figure would show them."""

import logging
from collections.abc import Sequence
from itertools import pairwise

from hwr.model.alphabet import Alphabet
from hwr.model.config import NetworkConfig
from hwr.training.samples import LineSample, shown

log = logging.getLogger(__name__)


def learnable(lines: Sequence[LineSample], widest: int, alphabet: Alphabet) -> list[LineSample]:
    """Those of `lines` that a run with lines up to `widest` pixels can learn from, in their order.

    Each of the others is logged by name with the reason, and all are counted.
    """
    reasons = [(line, _reason(line, widest, alphabet)) for line in lines]
    kept = [line for line, reason in reasons if reason is None]
    for line, reason in reasons:
        if reason:
            log.warning("%s: %s is not trained on: %s", line.dataset, shown(line.name), reason)
    if len(kept) < len(lines):
        log.warning("%d of %d lines are not trained on", len(lines) - len(kept), len(lines))
    return kept


def _reason(line: LineSample, widest: int, alphabet: Alphabet) -> str | None:
    """Why nothing can be learned from it."""
    if line.width > widest:
        return (
            f"at a height of 64 pixels it is {line.width:,} wide, more than {widest:,}. Cut it into"
            " shorter ones."
        )
    classes = alphabet.encode(line.text)
    if not classes:
        return "nothing of its text is in the alphabet."
    if _least_steps(classes) * NetworkConfig.stride > line.width:
        return f"its picture is too narrow for {len(classes):,} characters. Correct its text."
    return None


def _least_steps(classes: Sequence[int]) -> int:
    """Time steps that CTC takes: one a character, and one between two alike."""
    return len(classes) + sum(left == right for left, right in pairwise(classes))
