"""Ruled lines, boxes and dark areas, taken out of the black and white view."""

import cv2
import numpy as np

from hwr.layout.ink import Ink

#: A straight run at least this long (pixels at 200 dpi) is ruled, not written.
SHORTEST_RULE = 110
#: A dotted or faint rule is at least this long once its gaps are closed.
SHORTEST_DOTTED = 200
#: Gaps of dotted rules that are closed, in pixels.
DOT_GAP = 13
#: Rules are thinner than this; where the ink is thicker, a stroke crosses the rule and stays.
THICKEST_RULE = 6
#: Pieces beside a rule that fit into a square of this side are left of it.
LARGEST_CRUMB = 8
#: Strokes are joined again over gaps smaller than this.
BRIDGE = THICKEST_RULE + 2
#: Rules drift by so many pixels over the shortest length.
RULE_DRIFT = 3
#: Thin level pieces at least this long are left of a rule.
LONGEST_DASH = 45
#: Nobody writes a straight stroke this long, however thick.
SHORTEST_BAR = 300
#: Ink as thick as this in every direction is a shadow, a picture or the scanner's lid.
THICKEST_STROKE = 27


def remove_rules(ink: Ink) -> Ink:
    """The ink without rules, boxes and dark areas; strokes that cross a rule stay whole."""
    written = ink & (1 - dark_areas(ink))
    down = horizontal_rules(np.ascontiguousarray(written.T)).T
    rules = horizontal_rules(written) | down | bars(written)
    left = without_remains(written & (1 - rules), rules)
    return left | (written & bridges(left))


def bridges(ink: Ink) -> Ink:
    """1 between ink above and below, or left and right, no further apart than a rule is thick."""
    upright = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((BRIDGE, 1), np.uint8))
    level = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, BRIDGE), np.uint8))
    return np.asarray(cv2.bitwise_or(upright, level), np.uint8)


def dark_areas(ink: Ink) -> Ink:
    """1 where the ink is too thick for a pen, shape as ``ink``."""
    core = cv2.erode(ink, np.ones((THICKEST_STROKE, THICKEST_STROKE), np.uint8))
    grown = np.ones((THICKEST_STROKE + 6, THICKEST_STROKE + 6), np.uint8)
    return np.asarray(cv2.dilate(core, grown), np.uint8)


def bars(ink: Ink) -> Ink:
    """1 on runs that are too long to be written, however thick, shape as ``ink``."""
    return opened(ink, 1, SHORTEST_BAR) | opened(ink, SHORTEST_BAR, 1)


def opened(ink: Ink, height: int, width: int) -> Ink:
    """The ink that a box of this size fits into, shape as ``ink``."""
    box = np.ones((height, width), np.uint8)
    return np.asarray(cv2.morphologyEx(ink, cv2.MORPH_OPEN, box), np.uint8)


def horizontal_rules(ink: Ink) -> Ink:
    """1 where the ink belongs to a horizontal rule and to no stroke across it."""
    thin = ink - opened(ink, THICKEST_RULE, 1)
    whole = long_runs(ink, SHORTEST_RULE)
    joined = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, DOT_GAP), np.uint8))
    dotted = long_runs(np.asarray(joined, np.uint8), SHORTEST_DOTTED)
    return np.asarray(cv2.bitwise_and(thin, cv2.bitwise_or(whole, dotted)), np.uint8)


def long_runs(ink: Ink, length: int) -> Ink:
    """1 on and next to straight horizontal runs of at least this length."""
    drift = np.ones((RULE_DRIFT, 1), np.uint8)
    runs = opened(np.asarray(cv2.dilate(ink, drift), np.uint8), 1, length)
    return np.asarray(cv2.dilate(runs, drift), np.uint8)


def without_remains(ink: Ink, rules: Ink) -> Ink:
    """The ink without dashes of broken rules and crumbs where rules cross."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(ink)
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    across = (high <= THICKEST_RULE) & (wide >= LONGEST_DASH)
    down = (wide <= THICKEST_RULE) & (high >= SHORTEST_RULE)
    beside = np.zeros(len(stats), bool)
    beside[pieces[cv2.dilate(rules, np.ones((3, 3), np.uint8)) > 0]] = True
    crumb = beside & (np.maximum(wide, high) <= LARGEST_CRUMB)
    return np.asarray(np.where((across | down | crumb)[pieces], 0, ink), np.uint8)
