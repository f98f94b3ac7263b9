"""Ruled lines in a black and white view, and what is written across them."""

import cv2
import numpy as np

from hwr.layout.ink import Ink
from hwr.layout.runs import long_runs

#: Strokes are joined again over gaps smaller than this: a rule is a little thinner.
BRIDGE = 8
#: Rules drift by so many pixels over the shortest length.
RULE_DRIFT = 3


def bridges(ink: Ink) -> Ink:
    """1 between ink above and below, or left and right, no further apart than a rule is thick."""
    upright = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((BRIDGE, 1), np.uint8))
    level = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, BRIDGE), np.uint8))
    return np.asarray(cv2.bitwise_or(upright, level), np.uint8)


def drifting_runs(ink: Ink, length: int) -> Ink:
    """1 on and next to nearly straight horizontal runs of at least this length."""
    drift = np.ones((RULE_DRIFT, 1), np.uint8)
    runs = long_runs(np.asarray(cv2.dilate(ink, drift), np.uint8), length)
    return np.asarray(cv2.dilate(runs, drift), np.uint8)
