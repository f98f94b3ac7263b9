"""Where the zones of a profile are on a sheet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from hwr.forms.print import LEVELS, Rect, Rule, find_boxes, find_rules, ruled_blocks, ruled_lines
from hwr.forms.sheet import FlatSheet
from hwr.forms.standing import hanging, is_written
from hwr.forms.zone import Found, Zone
from hwr.layout.homography import mapped
from hwr.layout.line import whole_pixels
from hwr.profiles import Find, PageForm, ZoneForm

#: Place of the rule in a zone's height, from its top: below it is room for descenders.
RULE_AT = 0.8
#: A zone's rule lies at most this part of the zone's height from where it is expected.
FARTHEST_RULE = 0.6
#: Share of the shorter one of zone and rule, or of the zone's box and a printed box, that overlaps.
LEAST_COMMON = 0.5
#: Pieces of one rule differ by this much in height at most, in pixels of the flat view.
STRAIGHT = 3
#: A rule of this share of its box's width is whole, and no other is looked for.
LEAST_WHOLE = 0.6
#: The next level after each of LEVELS but the faintest, at which stains are rules.
FAINTER = {90: 50, 50: 50, 20: 20}
#: Ruled lines have at least this share of the width of the box they are looked for in.
LEAST_RULED = 0.4
#: A zone goes on along its rule at most this share of its width beyond its box.
WIDEST_BEYOND = 0.15
#: Blocks and boxes that lie in a zone's box by less than this are another's.
LEAST_INSIDE = 0.7
#: A box holds another that lies in it by more than this share.
LEAST_HELD = 0.9
#: Below a block above others there is room for a line: so many distances of its rules.
ROOM = 0.9
#: Tops of what stands in one row differ by less than this share of the lower one's height.
SAME_ROW = 0.5


class Finder:
    """Finds zones on one sheet; looks at its print only when a zone asks."""

    def __init__(self, sheet: FlatSheet, ground: Found) -> None:
        """`ground` is what a zone is known from that is not on print of its own."""
        #: The view of the sheet that zones are found in.
        self.sheet = sheet
        self._ground = ground
        self._rules_at: dict[int, list[Rule]] = {}

    def zones(self, form: PageForm) -> tuple[Zone, ...]:
        """All zones of the form in its order."""
        return tuple(zone for part in form.zones for zone in self._find(form, part))

    def hanging(self, form: PageForm) -> float:
        """How far writing hangs from the form's ruled lines, -1 (it stands on them) to 1."""
        boxes = (
            _scaled(form.shares(part), self.sheet.size)
            for part in form.zones
            if part.find is Find.RULED
        )
        rules = [rule for box in boxes for rule in rules_in(self._rules(LEVELS[-1]), box)]
        return hanging(self.sheet, ruled_lines(rules))

    def filled(self, form: PageForm) -> int:
        """In how many of the form's boxes that have no print of their own something stands."""
        boxes = (
            _scaled(form.shares(part), self.sheet.size)
            for part in form.zones
            if part.find is Find.AREA and part.is_read
        )
        return sum(is_written(self.sheet, box) for box in boxes)

    def fitting(self, form: PageForm) -> float:
        """How much of the form's single rules and boxes lies as the form says, as a share."""
        parts = [part for part in form.zones if part.find in (Find.RULE, Find.BOX)]
        boxes = [_scaled(form.shares(part), self.sheet.size) for part in parts]
        places = (self._single(form, *both) for both in zip(parts, boxes, strict=True))
        fits = [
            overlap(rect, box) * (found is not self._ground)
            for (found, rect), box in zip(places, boxes, strict=True)
        ]
        return sum(fits) / max(len(fits), 1)

    def _find(self, form: PageForm, part: ZoneForm) -> Iterator[Zone]:
        box = _scaled(form.shares(part), self.sheet.size)
        if part.is_several:
            yield from self._several(part, box)
        else:
            found, rect = self._single(form, part, box)
            yield self._zone(part, part.name, rect, found)

    def _single(self, form: PageForm, part: ZoneForm, box: Rect) -> tuple[Found, Rect]:
        """What a part that is one zone is found by, and where it is."""
        found, rect = self._ground, box
        if part.find is Find.RULE and (rule := self._best_rule(box, form.patterned)):
            found, rect = Found.RULE, on_rule(rule, box)
        elif part.find is Find.BOX and (printed := best_box(self._boxes, box)):
            found, rect = Found.BOX, printed
        return found, rect

    def _several(self, part: ZoneForm, box: Rect) -> Iterator[Zone]:
        """The zones of a part that stands for any number of them; without print it is one."""
        if part.find is Find.RULED:
            inside = ruled_blocks(rules_in(self._rules(LEVELS[-1]), box))
        else:
            inside = dict.fromkeys(boxes_in(self._boxes, box), 0.0)
        found = Found.RULE if part.find is Find.RULED else Found.BOX
        for number, rect in enumerate(in_rows(list(inside)), 1):
            zone = self._zone(part, f"{part.name} {number}", rect, found)
            room = room_below(rect, inside, box[3])
            yield replace(zone, room_below=self._on_page(room)) if inside[rect] else zone
        if not inside:
            yield self._zone(part, part.name, box, self._ground)

    def _zone(self, part: ZoneForm, name: str, rect: Rect, found: Found) -> Zone:
        return Zone(
            name=name,
            polygon=self._on_page(rect),
            found=found,
            is_read=part.is_read,
            decoder=part.decoder,
            same_as=part.same_as,
            is_one_text=part.is_one_text,
            is_comb=part.is_comb,
        )

    def _on_page(self, rect: Rect) -> tuple[tuple[int, int], ...]:
        left, top, right, bottom = rect
        flat = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        return whole_pixels(mapped(flat, self.sheet.to_page))

    def _best_rule(self, box: Rect, patterned: bool) -> Rule | None:
        """The darkest rule that goes through the box; one that is only a part of it else.

        Its ends may be fainter than the rest, but a pattern's lines would be taken for them.
        """
        best: list[Rule] = []
        for level in LEVELS:
            if (rule := best_rule(self._rules(level), box)) is None:
                continue
            if rule.length >= LEAST_WHOLE * (box[2] - box[0]):
                return joined(rule, self._rules(level if patterned else FAINTER[level]), box)
            best.append(rule)
        return max(best, key=lambda rule: rule.length, default=None)

    def _rules(self, level: int) -> list[Rule]:
        if level not in self._rules_at:
            self._rules_at[level] = find_rules(self.sheet, level)
        return self._rules_at[level]

    @cached_property
    def _boxes(self) -> list[Rect]:
        return find_boxes(self.sheet)


def best_rule(rules: Sequence[Rule], box: Rect) -> Rule | None:
    """The rule that the text of a zone with this box stands on."""
    left, top, right, bottom = box
    height, expected = bottom - top, top + RULE_AT * (bottom - top)
    best, least = None, float("inf")
    for rule in rules:
        common = min(rule.right, right) - max(rule.left, left)
        away = abs(rule.y - expected) / height
        if away > FARTHEST_RULE or common < LEAST_COMMON * min(rule.length, right - left):
            continue
        cost = away - common / (right - left)
        if cost < least:
            best, least = rule, cost
    return best


def joined(rule: Rule, rules: Sequence[Rule], box: Rect) -> Rule:
    """A whole rule with those that go on with it in a zone's box: print has gaps in it."""
    left, _, right, _ = box
    pieces = [
        piece
        for piece in rules
        if abs(piece.y - rule.y) <= STRAIGHT
        and min(piece.right, right) - max(piece.left, left) > LEAST_INSIDE * piece.length
    ]
    ends = [rule, *pieces]
    return replace(rule, left=min(one.left for one in ends), right=max(one.right for one in ends))


def on_rule(rule: Rule, box: Rect) -> Rect:
    """The zone of that box, moved onto its rule and between its ends."""
    left, top, right, bottom = box
    height, beyond = bottom - top, WIDEST_BEYOND * (right - left)
    ends = max(rule.left, left - beyond), min(rule.right, right + beyond)
    return ends[0], rule.y - RULE_AT * height, ends[1], rule.y + (1 - RULE_AT) * height


def best_box(boxes: Sequence[Rect], box: Rect) -> Rect | None:
    """The printed box that has most in common with a zone's box."""
    best = max(boxes, key=lambda printed: overlap(printed, box), default=None)
    return best if best and overlap(best, box) >= LEAST_COMMON else None


def rules_in(rules: Sequence[Rule], box: Rect) -> list[Rule]:
    """The ruled lines in a box."""
    left, top, right, bottom = box
    return [
        rule
        for rule in rules
        if top < rule.y < bottom
        and rule.length >= LEAST_RULED * (right - left)
        and min(rule.right, right) - max(rule.left, left) > LEAST_INSIDE * rule.length
    ]


def boxes_in(boxes: Sequence[Rect], box: Rect) -> list[Rect]:
    """The printed boxes in a box, without those that hold others of them."""
    inside = [one for one in boxes if _common(one, box) > LEAST_INSIDE * _area(one)]
    return [one for one in inside if not any(_holds(one, other) for other in inside)]


def in_rows(rects: Sequence[Rect]) -> list[Rect]:
    """The same from left to right in rows from top to bottom: no scan is quite level."""
    rows: list[list[Rect]] = []
    for rect in sorted(rects, key=lambda one: one[1]):
        if rows and _is_beside(rect, rows[-1][0]):
            rows[-1].append(rect)
        else:
            rows.append([rect])
    return [rect for row in rows for rect in sorted(row)]


def room_below(block: Rect, blocks: Mapping[Rect, float], end: float) -> Rect:
    """The room below a block of ruled lines, of blocks and the distances of their rules.

    Below the last one it goes on to the row `end`; above others stand printed questions.
    """
    left, _, right, bottom = block
    is_last = all(top < bottom or other >= right for other, top, *_ in blocks)
    return left, bottom, right, max(end, bottom) if is_last else bottom + ROOM * blocks[block]


def overlap(one: Rect, other: Rect) -> float:
    """Intersection over union."""
    common = _common(one, other)
    return common / (_area(one) + _area(other) - common)


def _common(one: Rect, other: Rect) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def _area(rect: Rect) -> float:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def _is_beside(one: Rect, other: Rect) -> bool:
    return abs(one[1] - other[1]) < SAME_ROW * min(one[3] - one[1], other[3] - other[1])


def _holds(one: Rect, other: Rect) -> bool:
    return _area(one) > _area(other) and _common(one, other) > LEAST_HELD * _area(other)


def _scaled(shares: Rect, size: tuple[int, int]) -> Rect:
    left, top, right, bottom = shares
    return left * size[0], top * size[1], right * size[0], bottom * size[1]
