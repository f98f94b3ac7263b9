"""Which way up a sheet lies, from how its writing stands on its ruled lines.

Letters stand on a rule and leave the paper below it to a few descenders. On a sheet that lies on
its head they hang from it. Print says nothing where all a page has is rules; this does, and unlike
the asymmetry of letters it is the same for all hands. Who writes in the middle between rules is
told neither way.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.forms.print import LEAST_PITCH, WIDEST_PITCH, Rect, Rule
from hwr.forms.sheet import FlatSheet

#: Strokes are darker than their paper by this, of 255; fainter are rules and what shines through.
LEVEL = 50
#: Rows in which the ink between two rules is counted, and how many of them next to a rule are the
#: rule itself, and how many from there on are what stands on it or hangs from it.
ROWS, OWN, NEXT = 50, 3, 9
#: Rows over which the ink of the fullest place is meaned.
FULLEST = 5
#: A space between rules, or a box, is written on where ink covers this share of it; so many spaces
#: tell.
WRITTEN, FEWEST = 0.01, 2

Profile = NDArray[np.float64]


def hanging(sheet: FlatSheet, rules: Sequence[Rule]) -> float:
    """How far writing hangs from the ruled lines of a sheet, -1 (it stands on them) to 1.

    It is the ink just below rules less that just above them, as a share of the fullest row between
    them; 0 where too little is written.
    """
    spaces = list(_spaces(sheet, rules))
    if len(spaces) < FEWEST:
        return 0.0
    ink = np.mean(spaces, axis=0)
    fullest = float(np.convolve(ink[OWN:-OWN], np.ones(FULLEST) / FULLEST, "valid").max())
    return float(ink[OWN:NEXT].mean() - ink[-NEXT:-OWN].mean()) / max(fullest, 1.0)


def is_written(sheet: FlatSheet, box: Rect) -> bool:
    """Whether something stands in a box of a sheet."""
    left, top, right, bottom = (max(round(side), 0) for side in box)
    inside = sheet.dark[top:bottom, left:right] > LEVEL
    return bool(inside.size and inside.mean() >= WRITTEN)


def _spaces(sheet: FlatSheet, rules: Sequence[Rule]) -> Iterator[Profile]:
    """The ink of ROWS rows of each space between two rules that is written on."""
    steps = np.diff([rule.y for rule in rules])
    whole = steps[steps >= LEAST_PITCH]
    widest = WIDEST_PITCH * float(np.median(whole)) if len(whole) else 0.0
    ink = sheet.ink(LEVEL)
    for upper, lower in pairwise(rules):
        if not LEAST_PITCH <= lower.y - upper.y < widest:
            continue
        left, right = int(max(upper.left, lower.left)), int(min(upper.right, lower.right))
        space = ink[round(upper.y) : round(lower.y), left:right]
        if space.size and space.mean() >= WRITTEN:
            rows = space.sum(axis=1).astype(np.float64)[:, None]
            yield np.asarray(cv2.resize(rows, (1, ROWS))[:, 0], np.float64)
