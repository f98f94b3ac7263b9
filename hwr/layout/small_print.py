"""Print too small for the scale at which a page is seen: its places are looked at once more.

The head of a letter or a form's captions may have letters half as high as the hand below them. The
network sees best at one height and runs such lines together.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwr.errors import TooManyLines
from hwr.layout.ink import Grey
from hwr.layout.line import LEAST_SIDE, MOST_LINES, BoxArray, Outline
from hwr.layout.view import network_outlines, weighted_median

#: Lines lower than this share of the page's usual line are small.
SMALL = 0.7
#: Small lines are in one place where their boxes are this close, in heights of a usual line.
CLOSE = 1.5
#: A place has so many small lines at least; no more places than these are looked at, the fullest.
LEAST_LINES, MOST_PLACES = 2, 6
#: A place takes at most this share of the page.
LARGEST = 0.25
#: A new line is none where a larger one covers this share of it.
COVERED = 0.5


def all_outlines(page: Grey) -> list[Outline]:
    """Outlines of the lines of a grey page, small ones too, in no order.

    Raises ``TooManyLines``.
    """
    outlines = network_outlines(page)
    usual = usual_height(outlines)
    small = [outline for outline in outlines if outline.height < SMALL * usual]
    for place in places_of(boxes_of(small), CLOSE * usual, LARGEST * page.size):
        again = looked_at_again(page, place, outlines, SMALL * usual)
        outlines = again if len(again) <= MOST_LINES else outlines
    return outlines


def looked_at_again(
    page: Grey, place: BoxArray, outlines: list[Outline], small: float
) -> list[Outline]:
    """The outlines with the small ones of a place as a look at it alone shows them, if more."""
    again = [outline.height < small and in_place(outline, place) for outline in outlines]
    known = [outline for outline, chosen in zip(outlines, again, strict=True) if chosen]
    others = [outline for outline, chosen in zip(outlines, again, strict=True) if not chosen]
    taken = boxes_of(others)
    found = [
        replace(outline, head=any(o.head for o in known))
        for outline in look_into(page, place)
        if outline.height < small and not is_covered(boxes_of([outline])[0], taken)
    ]
    return others + found if len(found) > len(known) else outlines


def look_into(page: Grey, place: BoxArray) -> list[Outline]:
    """Outlines of what stands in one place, in pixels of the page; none where it is a crowd."""
    height, width = page.shape
    left, top, right, bottom = np.clip(place, 0, (width, height) * 2).astype(int).tolist()
    view = np.ascontiguousarray(page[top:bottom, left:right])
    if min(view.shape) < LEAST_SIDE:
        return []
    try:
        seen = network_outlines(view)
    except TooManyLines:
        return []
    corner = np.array([left, top])
    return [
        replace(
            outline,
            polygon=outline.polygon + corner,
            baseline=outline.baseline + corner,
            column=(outline.column[0] + left, outline.column[1] + left),
        )
        for outline in seen
    ]


def places_of(small: BoxArray, apart: float, largest: float) -> list[BoxArray]:
    """Boxes around small lines less than ``apart`` pixels apart, those with most lines first."""
    places: list[tuple[int, BoxArray]] = []
    for box in small + np.array((-1, -1, 1, 1)) * apart / 2:
        near = [(count, other) for count, other in places if touch(box, other)]
        boxes = np.array([box, *(other for _, other in near)])
        around = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
        places = [place for place in places if not touch(box, place[1])]
        places.append((1 + sum(count for count, _ in near), around))
    full = [place for place in places if place[0] >= LEAST_LINES and area(place[1]) <= largest]
    return [box for _, box in sorted(full, key=lambda place: -place[0])[:MOST_PLACES]]


def usual_height(outlines: Sequence[Outline]) -> float:
    """Height of a line at the middle of all lines laid end to end, in pixels; 0 of none."""
    widths = [max(round(np.ptp(outline.polygon[:, 0])), 1) for outline in outlines]
    return weighted_median([outline.height for outline in outlines], widths)


def boxes_of(outlines: Sequence[Outline]) -> BoxArray:
    return np.array([outline.box for outline in outlines], np.float64).reshape(-1, 4)


def in_place(outline: Outline, place: BoxArray) -> bool:
    """Whether the middle of an outline's baseline is in a place."""
    point = outline.baseline.mean(axis=0)
    return bool((place[:2] <= point).all() and (point < place[2:]).all())


def is_covered(box: BoxArray, others: BoxArray) -> bool:
    """Whether one of the other boxes (n, 4) covers most of a box."""
    low, high = np.maximum(others[:, :2], box[:2]), np.minimum(others[:, 2:], box[2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    return bool((common > COVERED * area(box)).any())


def touch(one: BoxArray, other: BoxArray) -> bool:
    return bool((one[:2] <= other[2:]).all() and (other[:2] <= one[2:]).all())


def area(box: BoxArray) -> float:
    return float((box[2:] - box[:2]).prod())
