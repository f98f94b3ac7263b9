"""Where a line is cut at the side of a zone: in a gap between words."""

from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np

from hwr.layout import Line
from hwr.layout.ink import Grey

#: Writing that goes over a zone's end is followed so far for the end of its word, as a share of the
#: line's height; between two zones a gap is looked for so near.
FOLLOWED, BETWEEN = 2.5, 0.8
#: A zone begins so much too early at most, as a share of the line's height: what is before a gap
#: between words is print then.
EARLY = 0.3
#: Narrowest gap before a zone and between two, and between words where writing goes on behind a
#: zone, as shares of the line's height: letters stand apart too.
LEAST_GAP, WORD_GAP = 0.12, 0.3
#: A zone that hangs on the edges of its sheet begins so much too late at most, and its label ends
#: in a gap so wide at least, as shares of the line's height: 0.3 to 0.4 on drawn exams, whose
#: figures stand apart by 0.21 at most.
LATE, LABEL_GAP = 1.5, 0.25
#: Behind ruled lines nothing is printed nearer than this: what follows is more of the answer.
OVER_RULES_GAP = 1.0
#: Rows of a line in which a gap is white, as shares of its height above the baseline: a rule lies
#: below them.
GAP_ROWS = (0.6, 0.1)
#: Gaps are lighter than the mean of the darkest and the usual grey beside the cut.
GAP_LEVEL = 0.5

#: Dust of a pixel or two closes no gap in lines of so many pixels' height: strokes are wider there.
LEAST_CLEANED = 40

#: No zone.
NOWHERE = -1


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a line in one zone."""

    #: Index of the zone, or NOWHERE.
    owner: int
    #: Ends in page pixels.
    left: float
    right: float

    @property
    def width(self) -> float:
        """In pixels."""
        return self.right - self.left


def cut_between(
    image: Grey, line: Line, before: Piece, after: Piece, *, is_loose: bool = False
) -> float:
    """Where a line of a grey page (H, W) is cut between two pieces, as a column of it, in pixels.

    It is cut in a gap, so that no word is: one that goes over the end of a zone belongs to it. With
    `is_loose` the zone behind the cut hangs on the edges of its sheet and may begin too late.
    """
    if is_loose and before.owner == NOWHERE and (starts := _starts(image, line, before.right)):
        return min(starts, key=lambda place: abs(place - before.right))
    x, height = before.right, height_of(line)
    left = FOLLOWED if before.owner == NOWHERE else 0.0 if after.owner == NOWHERE else BETWEEN
    right = FOLLOWED if after.owner == NOWHERE else EARLY if before.owner == NOWHERE else BETWEEN
    # A gap that begins or ends on the other side is seen whole. Beyond the line's ends there may be
    # print, which is darker than any letter.
    first, last = float(line.baseline[0][0]), float(line.baseline[-1][0])
    start = max(x - max(left, BETWEEN) * height, first)
    end = min(x + max(right, BETWEEN) * height, last)
    if after.owner == NOWHERE:
        gaps = [*gaps_in(image, line, start, end, WORD_GAP), (last, last)]
    else:
        gaps = gaps_in(image, line, start, end, LEAST_GAP)
    if before.owner == NOWHERE:
        gaps = [gap for gap in gaps if gap[0] <= x] + gaps_in(image, line, start, end, WORD_GAP)
    near = [
        min(max(x, low), high)
        for low, high in gaps
        if high >= x - left * height and low <= x + right * height
    ]
    return min(near, key=lambda place: abs(place - x), default=x)


def _starts(image: Grey, line: Line, x: float) -> list[float]:
    """Where writing may begin that the start `x` of a zone cuts: in the gaps between words near it.

    The letters of a number stand apart by less than it stands from its label.
    """
    height, first = height_of(line), float(line.baseline[0][0])
    low, high = x - LATE * height, x + EARLY * height
    gaps = gaps_in(image, line, max(low, first), high + LABEL_GAP * height, LABEL_GAP)
    # A gap is known by its width, and then its edges count as those of any gap do.
    room = (LABEL_GAP - LEAST_GAP) * height / 2
    starts = [min(max(x, left - room), right + room) for left, right in gaps if left <= high]
    return [*starts, first] if first >= low else starts


def over_rules(image: Grey, line: Line, before: Piece) -> float:
    """Where a line is cut that goes on behind ruled lines: where a gap is wider than any in it."""
    last = float(line.baseline[-1][0])
    gaps = gaps_in(image, line, before.right, last, OVER_RULES_GAP)
    return next((low for low, _ in gaps), last)


def is_in_word(image: Grey, line: Line, x: int) -> bool:
    """Whether a column of a grey page (H, W) parts two letters of a line, and not two words."""
    room = LABEL_GAP * height_of(line)
    gaps = gaps_in(image, line, x - 2 * room, x + 2 * room, LABEL_GAP)
    return not any(low - room / 2 <= x <= high + room / 2 for low, high in gaps)


def gaps_in(
    image: Grey, line: Line, start: float, end: float, least: float
) -> list[tuple[float, float]]:
    """Gaps of so many heights at least from one column of the page to another: their ends."""
    height = height_of(line)
    baseline = np.array(line.baseline, np.float64)
    y = float(np.interp((start + end) / 2, baseline[:, 0], baseline[:, 1]))
    top, bottom = (max(round(y - share * height), 0) for share in GAP_ROWS)
    left = max(round(start), 0)
    strip = image[top:bottom, left : max(round(end), 0) + 1]
    if strip.size == 0:
        return []
    if height >= LEAST_CLEANED:
        strip = np.asarray(cv2.medianBlur(np.ascontiguousarray(strip), 3), np.uint8)
    darkest, usual = float(strip.min()), float(np.median(strip))
    light = strip.min(axis=0) > darkest + GAP_LEVEL * (usual - darkest)
    runs = [list(run) for white, run in groupby(range(len(light)), key=light.__getitem__) if white]
    margin = least * height / 2
    gaps = ((left + run[0] + margin, left + run[-1] - margin) for run in runs)
    return [gap for gap in gaps if gap[0] <= gap[1]]


def height_of(line: Line) -> float:
    """Usual distance of the outline's top from its bottom along the line, in pixels."""
    outline = np.array(line.polygon, np.float64)
    baseline = np.array(line.baseline, np.float64)
    level = outline[:, 1] - np.interp(outline[:, 0], baseline[:, 0], baseline[:, 1])
    return max(float(np.ptp(level)), 1.0)
