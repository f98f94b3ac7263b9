"""Ruled lines, boxes and dark areas, taken out of the black and white view."""

import cv2
import numpy as np

from hwr.layout.ink import Ink

#: A straight run at least this long (pixels at 200 dpi) is ruled, not written.
SHORTEST_RULE = 110
#: A dotted or faint rule is at least this long once its gaps are closed.
SHORTEST_DOTTED = 260
#: Gaps of dotted rules that are closed, in pixels.
DOT_GAP = 21
#: Rules are thinner than this; where the ink is thicker, a stroke crosses the rule and stays.
THICKEST_RULE = 6
#: Rules drift by so many pixels over the shortest length.
RULE_DRIFT = 3
#: Thin pieces at least this long are left of a rule.
LONGEST_DASH = 45
#: Nobody writes a straight stroke this long, however thick.
SHORTEST_BAR = 300
#: Ink as thick as this in every direction is a shadow, a picture or the scanner's lid.
THICKEST_STROKE = 27


def remove_rules(ink: Ink) -> Ink:
    """The ink without rules, boxes and dark areas; strokes that cross a rule stay whole."""
    written = np.asarray(ink & ((dark_areas(ink) | bars(ink)) == 0), np.uint8)
    across = horizontal_rules(written)
    down = horizontal_rules(np.ascontiguousarray(written.T)).T
    return without_dashes(np.asarray(written & ((across | down) == 0), np.uint8))


def dark_areas(ink: Ink) -> Ink:
    """1 where the ink is too thick for a pen, shape as ``ink``."""
    core = cv2.erode(ink, np.ones((THICKEST_STROKE, THICKEST_STROKE), np.uint8))
    grown = np.ones((THICKEST_STROKE + 6, THICKEST_STROKE + 6), np.uint8)
    return np.asarray(cv2.dilate(core, grown), np.uint8)


def bars(ink: Ink) -> Ink:
    """1 on runs that are too long to be written, however thick, shape as ``ink``."""
    across = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, SHORTEST_BAR), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((SHORTEST_BAR, 1), np.uint8))
    return np.asarray(cv2.bitwise_or(across, down), np.uint8)


def horizontal_rules(ink: Ink) -> Ink:
    """1 where the ink belongs to a horizontal rule and to no stroke across it."""
    strokes = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((THICKEST_RULE, 1), np.uint8))
    thin = cv2.subtract(ink, strokes)
    whole = long_runs(ink, SHORTEST_RULE)
    joined = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, DOT_GAP), np.uint8))
    dotted = long_runs(np.asarray(joined, np.uint8), SHORTEST_DOTTED)
    return np.asarray(cv2.bitwise_and(thin, cv2.bitwise_or(whole, dotted)), np.uint8)


def long_runs(ink: Ink, length: int) -> Ink:
    """1 on and next to straight horizontal runs of at least this length."""
    drift = np.ones((RULE_DRIFT, 1), np.uint8)
    runs = cv2.morphologyEx(cv2.dilate(ink, drift), cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    return np.asarray(cv2.dilate(runs, drift), np.uint8)


def without_dashes(ink: Ink) -> Ink:
    """The ink without what is left of broken rules: long, thin pieces."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(ink)
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    thin = (np.minimum(wide, high) <= THICKEST_RULE) & (np.maximum(wide, high) >= LONGEST_DASH)
    return np.asarray(np.where(thin[pieces], 0, ink), np.uint8)
