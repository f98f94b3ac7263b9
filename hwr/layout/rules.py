"""Ruled lines, boxes and dark areas, taken out of the black and white view."""

import cv2
import numpy as np

from hwr.layout.pieces import Ink, pieces_of
from hwr.layout.runs import high_runs, long_runs

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
    written = np.asarray(cv2.subtract(ink, dark_areas(ink)), np.uint8)
    turned = np.asarray(cv2.transpose(written), np.uint8)
    down = np.asarray(cv2.transpose(horizontal_rules(turned)), np.uint8)
    rules = horizontal_rules(written) | down | bars(written)
    left = without_remains(np.asarray(cv2.subtract(written, rules), np.uint8), rules)
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
    return long_runs(ink, SHORTEST_BAR) | high_runs(ink, SHORTEST_BAR)


def horizontal_rules(ink: Ink) -> Ink:
    """1 where the ink belongs to a horizontal rule and to no stroke across it."""
    thin = ink.copy()
    # One row lower: the edges of what is thicker stay, and rules are followed along them.
    thin[1:] ^= high_runs(ink, THICKEST_RULE)[:-1]
    joined = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, DOT_GAP), np.uint8))
    whole = drifting_runs(ink, SHORTEST_RULE)
    dotted = drifting_runs(np.asarray(joined, np.uint8), SHORTEST_DOTTED)
    return thin & (whole | dotted)


def drifting_runs(ink: Ink, length: int) -> Ink:
    """1 on and next to nearly straight horizontal runs of at least this length."""
    drift = np.ones((RULE_DRIFT, 1), np.uint8)
    runs = long_runs(np.asarray(cv2.dilate(ink, drift), np.uint8), length)
    return np.asarray(cv2.dilate(runs, drift), np.uint8)


def without_remains(ink: Ink, rules: Ink) -> Ink:
    """The ink without dashes of broken rules and crumbs where rules cross."""
    pieces = pieces_of(ink)
    high, wide = pieces.boxes()
    across = (high <= THICKEST_RULE) & (wide >= LONGEST_DASH)
    down = (wide <= THICKEST_RULE) & (high >= SHORTEST_RULE)
    near = cv2.dilate(rules, np.ones((3, 3), np.uint8)).ravel()[pieces.pixels] > 0
    crumb = pieces.having(near) & (np.maximum(wide, high) <= LARGEST_CRUMB)
    return pieces.without(ink, across | down | crumb)
