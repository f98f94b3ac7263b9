"""What is written in the network's view, and what is ruled there."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import without_shadows
from hwr.layout.maps import ACROSS
from hwr.layout.rules import level_rules, upright_rules
from hwr.layout.tracing import Trace

#: Rules are darker than the paper around them by so many grey levels, and at least so many pixels
#: of the view long, four lines of writing: no stroke is.
RULE_DARKER, SHORTEST_RULE = 20, 80
#: Ink is at least this share as dark as the lines' usual ink.
LEAST_INK = 0.35
#: More upright rules than this beside each other are squared paper: they part nothing.
MOST_COLUMNS = 20
#: The lines' usual ink is seen in so many rows, from the baseline up to this share of their reach.
BODY_ROWS, BODY = 4, 0.4


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A view of H rows and W columns of pixels."""

    #: Ink without rules, (H, W), 0 to 255.
    ink: NDArray[np.uint8]
    #: How many pixels above and left of each are as dark as the lines' ink, and are no rule,
    #: (H + 1, W + 1).
    dark: NDArray[np.int32]
    #: Where upright rules are that part columns, (H, W),
    upright: NDArray[np.bool_]
    #: ... and on how many pixels above and left of each, (H + 1, W + 1).
    barred: NDArray[np.int32]
    #: Where level rules are, (H, W).
    level: NDArray[np.bool_]


def paper_of(ink: NDArray[np.uint8], traces: Sequence[Trace]) -> Paper:
    """The paper that these lines, at least one, are written on; ``ink`` is (H, W), 0 to 255."""
    dark = (without_shadows(ink) > RULE_DARKER).view(np.uint8)
    upright = upright_rules(dark, SHORTEST_RULE).view(np.bool_)
    level = level_rules(dark, SHORTEST_RULE).view(np.bool_)
    left = np.where(upright | level, np.uint8(0), ink)
    if rules_a_row(upright) > MOST_COLUMNS:
        upright = np.zeros_like(upright)
    # Four strided reads: a maximum over an axis of four takes ten times as long.
    across = np.maximum.reduce([left[:, place::ACROSS] for place in range(ACROSS)])
    least = LEAST_INK * usual_ink(traces, across)
    return Paper(
        ink=left,
        dark=summed(left > least),
        upright=upright,
        barred=summed(upright),
        level=level,
    )


def summed(marked: NDArray[np.bool_]) -> NDArray[np.int32]:
    """How many places above and left of each are marked, (H + 1, W + 1)."""
    return np.asarray(cv2.integral(marked.view(np.uint8)), np.int32)


def rules_a_row(upright: NDArray[np.bool_]) -> float:
    """How many upright rules go through a row where there are any."""
    starts = np.count_nonzero(upright[:, 1:] & ~upright[:, :-1], axis=1)
    return float(np.median(starts[starts > 0])) if starts.any() else 0.0


def usual_ink(traces: Sequence[Trace], ink: NDArray[np.uint8]) -> float:
    """How dark the lines' darker ink is; ``ink`` is as wide as the maps."""
    columns = np.concatenate([trace.x for trace in traces]).astype(np.intp)
    y, up = (np.concatenate([getattr(trace, name) for trace in traces]) for name in ("y", "up"))
    rows = (y - np.linspace(0, BODY, BODY_ROWS)[:, None] * up).astype(np.intp)
    return float(np.percentile(ink[rows.clip(0, len(ink) - 1), columns], 90))
