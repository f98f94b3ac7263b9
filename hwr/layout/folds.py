"""Folds of the paper: dark and upright as rules are, but writing takes no notice of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.extents import ends, goes_across, strip
from hwr.layout.paper import Paper, summed
from hwr.layout.runs import groups
from hwr.layout.tracing import Trace

#: A line that ends this near to a rule, in its heights, stops for it.
NEAR = 2.0
#: So many lines at least go on across a fold, and this share of all that come to it. Of folds drawn
#: across real pages 0.28 and more, of the rules of tables 0.23 at most.
LEAST_ACROSS, SHARE_ACROSS = 4, 0.3


def without_folds(paper: Paper, traces: Sequence[Trace]) -> Paper:
    """The paper whose upright rules all part columns."""
    count, found = cv2.connectedComponents(paper.upright.view(np.uint8), connectivity=8)
    labels = np.asarray(found, np.int32)
    across, stopping = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for rule, goes_on in (vote for trace in traces for vote in votes(trace, paper, labels)):
        (across if goes_on else stopping)[rule] += 1
    folds = (across >= LEAST_ACROSS) & (across > SHARE_ACROSS * (across + stopping))
    if not folds.any():
        return paper
    upright = paper.upright & ~folds[labels]
    return replace(paper, upright=upright, barred=summed(upright))


def votes(trace: Trace, paper: Paper, labels: NDArray[np.int32]) -> Iterable[tuple[int, bool]]:
    """The rules that a line meets, and of each whether its writing goes on across it."""
    start, end = ends(trace)
    near = NEAR * trace.height
    along = strip(trace, paper, start - near, end + near)
    for run in groups(np.flatnonzero(along.barred), 1):
        place = run[len(run) // 2]
        band = labels[along.top[place] : along.bottom[place], along.columns[place]]
        within = start < along.columns[place] < end
        yield int(band.max()), bool(within and goes_across(along, run, trace.height))
