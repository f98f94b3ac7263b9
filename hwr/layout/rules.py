"""Ruled lines and boxes, taken out of the black and white view."""

import cv2
import numpy as np

from hwr.layout.ink import Ink

#: A straight run at least this long (pixels at 200 dpi) is ruled, not written.
SHORTEST_RULE = 110
#: Rules are thinner than this; where the ink is thicker, a stroke crosses the rule and stays.
THICKEST_RULE = 6
#: Thin pieces at least this long are left of a rule.
LONGEST_DASH = 45
#: Rules drift by so many pixels over the shortest length.
RULE_DRIFT = 3


def remove_rules(ink: Ink) -> Ink:
    """The ink without long horizontal and vertical lines; strokes that cross them stay whole."""
    across = horizontal_rules(ink)
    down = horizontal_rules(np.ascontiguousarray(ink.T)).T
    return without_dashes(np.asarray(ink & ~(across | down) & 1, np.uint8))


def without_dashes(ink: Ink) -> Ink:
    """The ink without what is left of broken rules: long, thin pieces."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(ink)
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    thin = (np.minimum(wide, high) <= THICKEST_RULE) & (np.maximum(wide, high) >= LONGEST_DASH)
    return np.asarray(np.where(thin[pieces], 0, ink), np.uint8)


def horizontal_rules(ink: Ink) -> Ink:
    """1 where the ink belongs to a horizontal rule and to no stroke across it."""
    thick = cv2.dilate(ink, np.ones((RULE_DRIFT, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, SHORTEST_RULE), np.uint8))
    near = cv2.dilate(runs, np.ones((RULE_DRIFT, 1), np.uint8))
    strokes = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((THICKEST_RULE, 1), np.uint8))
    return np.asarray(cv2.bitwise_and(ink, near) & (strokes == 0), np.uint8)
