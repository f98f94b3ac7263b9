"""What is written on a form and is in no line that is read: a page must not lose it without a word.

Print outside of the zones is not told from writing. So only that is told which stands where forms
have none: in a margin, below the last ruled lines, across the start of a zone, and in zones what no
line holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import WritingOutside
from hwr.forms.cuts import height_of, is_in_word
from hwr.forms.print import Rect
from hwr.forms.sheet import FlatSheet
from hwr.forms.zone import Found, Zone, ZonedLine
from hwr.layout import Line
from hwr.layout.homography import Homography, mapped
from hwr.layout.ink import Grey, Ink
from hwr.layout.line import whole_pixels
from hwr.layout.margins import usual_height
from hwr.layout.rules import whole_level_rules

#: Decoders of fields whose letters stand apart.
FIELDS = ("digits", "amount", "date", "capitals")

#: The edge of a sheet is in this share of its sides: there is no writing.
EDGE = 0.015
#: Beside a zone without ruled lines is a margin if it has this share of the sheet's width and is so
#: many heights of a line high: labels stand beside others.
LEAST_TEXT = (0.6, 5.0)
#: Letters of a field are looked at in these rows, from the middle of its line as shares of its
#: height. What joins this share of them, and is so many heights long, is a stroke.
STRUCK_ROWS, STRUCK, LEAST_STRUCK = (-0.2, 0.2), 0.8, 1.2
#: Level runs so many times longer than what is written are printed.
LONGER_RULE = 2
#: What is written instead is so many heights from the middle of what is crossed out.
NEXT_ROW = (0.4, 1.2)
#: An answer goes on below where the next line is nearer than so many heights of a line.
NEXT_LINE = 1.8
#: Its next row is so many heights of a line lower at least.
NEXT_ROW_BELOW = 0.7
#: Ink is darker than its paper by this, of 255: what shines through is not.
LEVEL = 60
#: Level runs from so many pixels of the flat view on are rules, or strokes along a ruler.
RULE = 60
#: A line holds what is nearer to its outline than this share of a height, and strokes that are
#: nearer to each other than the other are one word.
NEAR, JOINED = 0.25, 0.5
#: A word is so many heights of a line long and high at least, and is crossed along it through so
#: many strokes: holes, edges and strokes through an empty space are crossed through fewer.
LEAST_LONG, LEAST_HIGH, LEAST_CROSSED = 1.2, 0.3, 5
#: Strokes of letters are so many heights high at least, also what two strokes along a ruler leave
#: of them: specks and what is left of rules are lower.
LEAST_STROKE = 0.1
#: Of what is as long as a word and is none, as a margin's rule, a brace or a wavy line, this share
#: of the columns crosses one stroke that is hardly wider than where it is thin: no upright one of
#: letters, which a stroke through them joins.
MOST_SINGLE, WIDENED = 0.9, 2.0


@dataclass(frozen=True, kw_only=True)
class Written:
    """Lines and zones on the flat view of a sheet."""

    sheet: FlatSheet
    #: The lines that are read, in pixels of the flat view, and those that are not.
    lines: Sequence[ZonedLine]
    lost: Sequence[Line]
    #: All zones and the boxes around them, in pixels of the flat view.
    zones: Sequence[tuple[Zone, Rect]]
    #: Usual height of a line, in pixels of the flat view.
    height: float

    @property
    def blocks(self) -> list[tuple[Zone, Rect]]:
        """The zones of ruled lines."""
        return [(zone, box) for zone, box in self.zones if zone.room_below]


def unread(
    image: Grey,
    sheet: FlatSheet,
    zones: Sequence[Zone],
    placed: Sequence[ZonedLine],
    read: Sequence[ZonedLine],
) -> WritingOutside | None:
    """Why a grey view (H, W) of a sheet is doubtful that has these zones and lines.

    `placed` are all lines, cut at the sides of zones, and `read` those that are read.
    """
    if not placed:
        return None
    written = _flat(sheet, zones, placed, read)
    places = [
        *_cut_words(image, placed),
        *_instead(written),
        *_below(written),
        *_squeezed_in(written),
        *_in_no_line(written),
        *_in_margins(written),
    ]
    if not places:
        return None
    return WritingOutside(
        f"What is written {', '.join(dict.fromkeys(places))} was not read, or not all of it. Look"
        " at the page. If that is print, give the profile a zone there that holds nothing; else"
        " draw its zones larger."
    )


def _flat(
    sheet: FlatSheet, zones: Sequence[Zone], placed: Sequence[ZonedLine], read: Sequence[ZonedLine]
) -> Written:
    to_flat = sheet.from_page
    # Outside of zones either all lines are read or none.
    lost = [] if any(one.zone is None for one in read) else [x for x in placed if x.zone is None]
    every = [*(one for one in placed if one.zone), *read]
    flat = [replace(one, line=_moved(one.line, to_flat)) for one in every]
    return Written(
        sheet=sheet,
        lines=flat,
        lost=[_moved(one.line, to_flat) for one in lost],
        zones=[(zone, _box(mapped(np.array(zone.polygon), to_flat))) for zone in zones],
        height=usual_height([_moved(one.line, to_flat) for one in placed]),
    )


def _moved(line: Line, transform: Homography) -> Line:
    outline, baseline = (mapped(np.array(x), transform) for x in (line.polygon, line.baseline))
    return replace(line, polygon=whole_pixels(outline), baseline=whole_pixels(baseline))


def _box(points: NDArray[np.float64]) -> Rect:
    left, top = points.min(axis=0).tolist()
    right, bottom = points.max(axis=0).tolist()
    return left, top, right, bottom


def _middle(line: Line) -> tuple[float, float]:
    """Of the letters of a line."""
    left, top, right, _ = line.box
    baseline = float(np.mean([y for _, y in line.baseline]))
    return (left + right) / 2, (min(top, baseline) + baseline) / 2


def _cut_words(image: Grey, lines: Sequence[ZonedLine]) -> Iterator[str]:
    """Zones whose start goes through a word; a printed frame or rule there looks like one."""
    for before, after in pairwise(lines):
        start, zone = after.line.baseline[0], after.zone
        if before.zone or zone is None or zone.found in (Found.BOX, Found.RULE):
            continue
        if before.line.baseline[-1] == start and is_in_word(image, after.line, start[0]):
            yield f"across the start of {zone.name!r}"


def _instead(written: Written) -> Iterator[str]:
    """Fields of one line that are crossed out and over or under which something else is written."""
    others = [*written.lost, *(one.line for one in written.lines)]
    ink = written.sheet.ink(LEVEL)
    for one in written.lines:
        # A printed frame joins figures as a stroke does.
        if one.zone is None or one.zone.found is Found.BOX or one.zone.decoder not in FIELDS:
            continue
        if _is_crossed_out(ink, one.line) and any(_is_near(one.line, line) for line in others):
            yield f"next to the crossed out {one.zone.name!r}"


def _is_crossed_out(ink: Ink, line: Line) -> bool:
    """Whether a stroke joins the letters of a line, which stand apart else."""
    left, right = line.box[0], line.box[2]
    baseline, height = _middle(line)[1], height_of(line)
    top, bottom = (max(round(baseline + share * height), 0) for share in STRUCK_ROWS)
    strip = ink[top:bottom].copy()
    if strip.size == 0:
        return False
    # Some write so low that the rule goes through their letters.
    strip[whole_level_rules(strip, LONGER_RULE * (right - left)) > 0] = 0
    letters = np.ascontiguousarray(strip[:, max(left, 0) : right])
    columns = np.flatnonzero(letters.any(axis=0))
    if len(columns) < LEAST_STRUCK * height:
        return False
    count, _, stats, _ = cv2.connectedComponentsWithStats(letters)
    longest = int(stats[1:count, cv2.CC_STAT_WIDTH].max())
    return longest >= STRUCK * float(columns[-1] - columns[0])


def _is_near(line: Line, other: Line) -> bool:
    """Whether another line is next above or below a line, on the whole."""
    (left, _, right, _), (start, _, end, _) = line.box, other.box
    away = abs(_middle(other)[1] - _middle(line)[1]) / height_of(line)
    common = min(right, end) - max(left, start)
    return NEXT_ROW[0] < away < NEXT_ROW[1] and common > (end - start) / 2


def _below(written: Written) -> Iterator[str]:
    """Blocks of ruled lines that are the last ones and below which an answer goes on."""
    for zone, (left, _, right, bottom) in written.blocks:
        if any(box[1] > bottom and box[0] < right and left < box[2] for _, box in written.blocks):
            continue
        room = _box(mapped(np.array(zone.room_below), written.sheet.from_page))
        own = [one.line for one in written.lines if one.zone and one.zone.name == zone.name]
        last = max((_middle(line)[1] for line in own), default=0.0)
        for line in sorted(written.lost, key=lambda line: _middle(line)[1]):
            x, y = _middle(line)
            if not (left < x < right and y > bottom):
                continue
            if y < room[3] or y - last < NEXT_LINE * written.height:
                last = y
                yield f"below {zone.name!r}"


def _squeezed_in(written: Written) -> Iterator[str]:
    """Blocks above others below which a second row stands, and more: a printed question."""
    nearest, farthest = (share * written.height for share in (NEXT_ROW_BELOW, NEXT_LINE))
    for zone, (left, _, right, bottom) in written.blocks:
        tops = [box[1] for _, box in written.blocks if box[1] > bottom]
        own = [one.line for one in written.lines if one.zone and one.zone.name == zone.name]
        last = max((_middle(line)[1] for line in own), default=0.0)
        if not tops or last <= bottom:
            continue
        places = (_middle(line) for line in written.lost)
        rows = sorted(y for x, y in places if left < x < right and last < y < min(tops))
        # Rows of one answer do not touch, and a question of one line is no row of it.
        if len(rows) > 1 and nearest < rows[0] - last < farthest:
            yield f"below {zone.name!r}"


def _in_no_line(written: Written) -> Iterator[str]:
    """Zones with writing that no line holds."""
    ink = _ink_outside([*written.lost, *(one.line for one in written.lines)], written)
    for zone, box in written.zones:
        if zone.is_read and not zone.is_comb and _is_written(ink, box, written.height):
            yield f"in {zone.name!r} and in no line"


def _in_margins(written: Written) -> Iterator[str]:
    """Margins of a page of text that are written in."""
    boxes = np.array([box for _, box in written.blocks or _large(written)])
    if not len(boxes):
        return
    ink = _ink_outside([one.line for one in written.lines], written)
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    edge = EDGE * written.sheet.size[0]
    margins = {
        "left": (edge, top, left, bottom),
        "right": (right, top, written.sheet.size[0] - edge, bottom),
    }
    for side, margin in margins.items():
        if _is_written(ink, margin, written.height):
            yield f"in the {side} margin"


def _large(written: Written) -> list[tuple[Zone, Rect]]:
    """The zones that take most of the sheet's width and room for several lines."""
    wide, high = LEAST_TEXT[0] * written.sheet.size[0], LEAST_TEXT[1] * written.height
    return [
        (zone, box)
        for zone, box in written.zones
        if box[2] - box[0] >= wide and box[3] - box[1] >= high
    ]


def _ink_outside(lines: Sequence[Line], written: Written) -> Ink:
    """The ink of the sheet (h, w) that is no rule, in none of the lines and in no unread zone."""
    ink = written.sheet.ink(LEVEL)
    ink[whole_level_rules(ink, RULE) > 0] = 0
    held = np.zeros_like(ink)
    for line in lines:
        cv2.fillPoly(held, [np.array(line.polygon, np.int32)], 1)
    side = 2 * round(NEAR * written.height) + 1
    ink[cv2.dilate(held, np.ones((side, side), np.uint8)) > 0] = 0
    for left, top, right, bottom in (box for zone, box in written.zones if not zone.is_read):
        ink[max(round(top), 0) : round(bottom), max(round(left), 0) : round(right)] = 0
    return ink


def _is_written(ink: Ink, box: Rect, height: float) -> bool:
    """Whether ink in a box is like a word, level or turned, of lines of that height."""
    left, top, right, bottom = (max(round(side), 0) for side in box)
    part = ink[top:bottom, left:right]
    if part.size == 0:
        return False
    side = max(round(JOINED * height), 1)
    words = cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(words)
    places = stats[1:count, :4].tolist()
    pieces = (part[y : y + high, x : x + wide] for x, y, wide, high in places)
    return any(_is_word(piece, height) or _is_word(piece.T, height) for piece in pieces)


def _is_word(ink: Ink, height: float) -> bool:
    """Whether ink (h, w) that is near each other is that of letters side by side."""
    high, wide = ink.shape
    if wide < LEAST_LONG * height or high < LEAST_HIGH * height:
        return False
    strokes = np.diff(_letters(ink, height), axis=1, prepend=0) == 1
    return bool(strokes.sum(axis=1).max() >= LEAST_CROSSED)


def _letters(ink: Ink, height: float) -> NDArray[np.int8]:
    """Ink (h, w) without what is too low for letters of that height, and without long curves."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(ink))
    is_letter = stats[:, cv2.CC_STAT_HEIGHT] >= LEAST_STROKE * height
    is_letter[0] = False
    is_long = stats[:, cv2.CC_STAT_WIDTH] >= LEAST_LONG * height
    for part in np.flatnonzero(is_letter & is_long):
        is_letter[part] = not _is_curve(parts == part)
    return np.asarray(is_letter[parts], np.int8)


def _is_curve(part: NDArray[np.bool_]) -> bool:
    """Whether ink (h, w) that hangs together is one stroke from its left to its right."""
    inside = part[:, part.any(axis=0)].astype(np.int8)
    strokes = (np.diff(inside, axis=0, prepend=0) == 1).sum(axis=0)
    ink = inside.sum(axis=0, dtype=np.int64)
    is_single = (strokes == 1) & (ink <= WIDENED * np.percentile(ink, 25))
    return bool(is_single.mean() >= MOST_SINGLE)
