"""Rules, printed or drawn along a ruler: long runs of ink that drift, and what crosses them."""

import cv2
import numpy as np

from hwr.layout.ink import Ink
from hwr.layout.runs import level_runs, upright_runs

#: Strokes are joined again over gaps smaller than this: a rule is a little thinner.
BRIDGE = 8
#: Rules drift by less than so many pixels over the shortest length.
DRIFT = 3


def level_rules(ink: Ink, length: int) -> Ink:
    """1 on the middle of level rules of at least ``length`` pixels, shape as ``ink``."""
    return level_runs(_dilated(ink, (DRIFT, 1)), length)


def upright_rules(ink: Ink, length: int) -> Ink:
    """1 on the middle of upright rules, as ``level_rules``."""
    return upright_runs(_dilated(ink, (1, DRIFT)), length)


def whole_level_rules(ink: Ink, length: int) -> Ink:
    """1 on all of each level rule and next to it, as ``level_rules``."""
    return _dilated(level_rules(ink, length), (DRIFT, 1))


def whole_upright_rules(ink: Ink, length: int) -> Ink:
    """1 on all of each upright rule and next to it, as ``level_rules``."""
    return _dilated(upright_rules(ink, length), (1, DRIFT))


def bridges(ink: Ink) -> Ink:
    """1 between ink above and below, or left and right, no further apart than a rule is thick."""
    upright = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((BRIDGE, 1), np.uint8))
    level = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, BRIDGE), np.uint8))
    return np.asarray(cv2.bitwise_or(upright, level), np.uint8)


def _dilated(ink: Ink, shape: tuple[int, int]) -> Ink:
    return np.asarray(cv2.dilate(ink, np.ones(shape, np.uint8)), np.uint8)
