"""What forms are made of: printed rules, blocks of ruled lines, printed boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.forms.sheet import FlatSheet
from hwr.layout.ink import Ink
from hwr.layout.rules import whole_level_rules, whole_upright_rules

#: Shortest printed rule in pixels of the flat view, and shortest side of a printed box.
SHORTEST_RULE, SHORTEST_SIDE = 90, 26
#: Boxes are looked for in straight lines of these lengths at least: strokes of a figure are often
#: as long as the shorter ones, and part the frame that they stand in.
SIDES = (30, SHORTEST_SIDE)
#: Rules are thinner than this in most of their columns, in pixels: writing on them is not.
THICKEST_RULE = 18
#: A rule is where it has this share of its fullest row: writing that hangs on it has less.
FULL_ROW = 0.9
#: Gaps of rules that are closed, in pixels: smaller than those between printed letters, whose feet
#: would make a rule.
RULE_GAP = 3
#: The same of boxes: wide for faint frames, narrow for those that tall figures nearly touch, which
#: would be closed to frames of their own.
BOX_GAPS = (3, 9)
#: Grey levels by which print is darker than paper. Rules are often faint, and a pattern under them
#: fades before they do.
LEVELS = (90, 50, 20)
#: Share of its rectangle that a printed box fills.
LEAST_FILL = 0.85
#: Ends of the rules of a block lie this near to each other, as a share of their length.
RAGGED = 0.06
#: Rules of one length have ends nearer than this share of it. Where at least so many are, rules of
#: another length that are nearer to them than this share of their pitch are strokes: writing is
#: crossed out and underlined along a ruler.
ONE_LENGTH, LEAST_ALIKE, BETWEEN_RULES = 0.01, 3, 0.7
#: Rules of a block are at most this many times further apart than is usual in it.
WIDEST_PITCH = 1.6
#: Room above a rule that stands alone, in pixels.
LONE_PITCH = 60.0
#: Rules nearer to each other than this are one thick or double rule, in pixels.
LEAST_PITCH = 20
#: Most rules and boxes of a page that are looked at: the longest. A page of stripes has thousands.
MOST = 1000

#: Left, top, right, bottom in pixels of the flat view.
Rect = tuple[float, float, float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A printed level rule, in pixels of the flat view."""

    left: float
    right: float
    y: float

    @property
    def length(self) -> float:
        """In pixels."""
        return self.right - self.left


def find_rules(sheet: FlatSheet, level: int) -> list[Rule]:
    """The level rules on a sheet that are darker than `level`, from top to bottom."""
    ink = sheet.ink(level)
    whole = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, RULE_GAP), np.uint8))
    runs = whole_level_rules(np.asarray(whole, np.uint8), SHORTEST_RULE)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(runs)
    longest = 1 + np.argsort(-stats[1:count, cv2.CC_STAT_WIDTH], kind="stable")[:MOST]
    places = np.asarray(labels, np.int32)
    rules = (_rule(stats[index].tolist(), places, index) for index in longest.tolist())
    return sorted((rule for rule in rules if rule is not None), key=lambda rule: rule.y)


def find_boxes(sheet: FlatSheet) -> list[Rect]:
    """The insides of printed boxes on a sheet, from top to bottom."""
    single: list[Rect] = []
    straight = (_straight(sheet.ink(level), side) for side in SIDES for level in LEVELS)
    for box in (box for lines in straight for gap in BOX_GAPS for box in _boxes(lines, gap)):
        if not any(_same(box, other) for other in single):
            single.append(box)
    return sorted(single, key=lambda box: (box[1], box[0]))


def ruled_blocks(rules: Sequence[Rule]) -> dict[Rect, float]:
    """Blocks of ruled lines and the distance of their rules, in pixels of the flat view.

    Each is from that distance above its first rule to a quarter of it below its last.
    """
    blocks: list[list[Rule]] = []
    for rule in ruled_lines(rules):
        if block := next((one for one in reversed(blocks) if _goes_on(one, rule)), None):
            block.append(rule)
        else:
            blocks.append([rule])
    blocks = [block for block in blocks if not any(_is_amid(block, other) for other in blocks)]
    gaps = np.concatenate([np.zeros(0), *(np.diff([rule.y for rule in one]) for one in blocks)])
    usual = float(np.median(gaps)) if len(gaps) else LONE_PITCH
    # Where a rule is lost under strokes, its block's seem to be twice as far from each other.
    steps = [_pitch(block) if len(block) > 1 else usual for block in blocks]
    steps = [step if step < WIDEST_PITCH * usual else usual for step in steps]
    return {_around(block, step): step for block, step in zip(blocks, steps, strict=True)}


def ruled_lines(rules: Sequence[Rule]) -> list[Rule]:
    """The rules without what is struck out or underlined along a ruler, none twice."""
    return _single(_without_strokes(rules))


def _rule(stats: Sequence[int], labels: NDArray[np.int32], label: int) -> Rule | None:
    left, top, width, height, _ = stats
    runs = labels[top : top + height, left : left + width] == label
    if np.median(runs.sum(axis=0)) > THICKEST_RULE:
        return None
    rows = runs.sum(axis=1)
    full = np.flatnonzero(rows >= FULL_ROW * rows.max())
    return Rule(left=left, right=left + width, y=top + float(full.mean()))


def _straight(ink: Ink, shortest: int) -> Ink:
    """The straight lines, level and upright, of one black and white view."""
    return whole_level_rules(ink, shortest) | whole_upright_rules(ink, shortest)


def _boxes(lines: Ink, gap: int) -> list[Rect]:
    """The insides of boxes of straight lines: the holes between them once gaps are closed."""
    closed = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    outlines, tree = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if tree is None:
        return []
    inner = np.flatnonzero(np.asarray(tree)[0, :, 3] >= 0)
    holes = (np.asarray(outlines[at], np.int32) for at in inner.tolist())
    found = [box for box in map(_box, holes) if box is not None]
    return sorted(found, key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))[:MOST]


def _box(hole: NDArray[np.int32]) -> Rect | None:
    left, top, width, height = cv2.boundingRect(hole)
    if min(width, height) < SHORTEST_SIDE - max(BOX_GAPS):
        return None
    if cv2.contourArea(hole) < LEAST_FILL * (width - 1) * (height - 1):
        return None
    return float(left), float(top), float(left + width), float(top + height)


def _same(one: Rect, other: Rect) -> bool:
    """Whether two boxes are one that was found twice."""
    return all(abs(a - b) <= max(BOX_GAPS) for a, b in zip(one, other, strict=True))


def _single(rules: Sequence[Rule]) -> list[Rule]:
    """Of rules that lie on each other the longer ones."""
    single: list[Rule] = []
    for rule in rules:
        if single and rule.y - single[-1].y < LEAST_PITCH and _aligned(rule, single[-1], 1.0):
            single[-1] = max(rule, single[-1], key=lambda one: one.length)
        else:
            single.append(rule)
    return single


def _without_strokes(rules: Sequence[Rule]) -> list[Rule]:
    """Rules without those too near to one of another length of which there is more on the page."""
    left, right, y = np.array([(one.left, one.right, one.y) for one in rules]).reshape(-1, 3).T
    ragged = ONE_LENGTH * np.maximum.outer(right - left, right - left)
    alike = (_apart(left, left) < ragged) & (_apart(right, right) < ragged)
    weight = alike @ (right - left)
    near = BETWEEN_RULES * np.array([_usual_step(y[own]) for own in alike])
    is_ruled = (alike.sum(axis=1) >= LEAST_ALIKE) & (weight > weight[:, None]) & ~alike
    beside = np.minimum.outer(right, right) > np.maximum.outer(left, left)
    is_stroke = (is_ruled & beside & (_apart(y, y) < near)).any(axis=1)
    return [rule for rule, stroke in zip(rules, is_stroke, strict=True) if not stroke]


def _apart(one: Floats, other: Floats) -> Floats:
    return np.asarray(np.abs(np.subtract.outer(one, other)), np.float64)


def _usual_step(y: Floats) -> float:
    return float(min(np.median(np.diff(y)), LONE_PITCH)) if len(y) > 1 else LONE_PITCH


def _goes_on(block: list[Rule], rule: Rule) -> bool:
    if not _aligned(rule, block[-1], RAGGED):
        return False
    return len(block) < 2 or rule.y - block[-1].y < WIDEST_PITCH * _pitch(block)


def _is_amid(block: list[Rule], other: list[Rule]) -> bool:
    """Whether a block is long strokes of the writing on the longer rules of another."""
    first, longer = block[0], other[0]
    is_shorter = longer.left < first.left and first.right < longer.right
    return is_shorter and longer.y < first.y < other[-1].y


def _aligned(one: Rule, other: Rule, share: float) -> bool:
    ragged = share * max(one.length, other.length)
    return abs(one.left - other.left) < ragged and abs(one.right - other.right) < ragged


def _pitch(block: list[Rule]) -> float:
    return float(np.median(np.diff([rule.y for rule in block])))


def _around(block: list[Rule], pitch: float) -> Rect:
    left, right = min(rule.left for rule in block), max(rule.right for rule in block)
    return left, block[0].y - pitch, right, block[-1].y + pitch / 4
