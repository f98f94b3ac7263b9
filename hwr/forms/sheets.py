"""Sheets of one form that lie on a page beside each other, each found by its printed rules.

Edges are not asked for: a scanner's white lid shows none, and sheets that touch have one together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.forms.place import RULE_AT, in_rows
from hwr.forms.print import LEVELS, Rect, find_rules
from hwr.forms.sheet import flat_sheet
from hwr.layout.homography import Quad, corners, mapped
from hwr.layout.ink import Grey
from hwr.profiles import Find, PageForm
from hwr.profiles.profile import LEAST_RULES

#: Rules are found up to 2° off level, so that the page is looked at with each of these slopes, from
#: below and from its side.
SLOPES = (-0.07, 0.0, 0.07)
#: A page turned so far goes over the edges of its view, which is larger by this factor.
ROOM = 1.08
#: Rules are looked for among what is darker than the paper by each of these: at the last they are
#: whole where they are pale, at the first where a pattern runs into them.
INKS = LEVELS[1:]
#: Most rules of a page, parts of a form, guesses and sheets that are looked at, the best each: a
#: picture of stripes has thousands.
MOST_RULES, MOST_PARTS, MOST_GUESSES, MOST_SHEETS = 150, 12, 400, 12
#: A sheet's longer side is at least this share of the page's.
LEAST_SIDE = 0.2
#: A rule is as long as its zone is wide, times something between these: a label has its place too.
SHORTEST, LONGEST = 0.6, 1.25
#: Two rules that a guess is from lie apart by this share of the sheet's height at least, and say
#: the same of its left edge but for this share of its width.
LEAST_APART, MOST_ASIDE = 0.06, 0.11
#: Rules lie nearer to where a sheet expects them than these shares of its height, one fit after
#: the other.
NEAR = (0.05, 0.03, 0.02)
#: A sheet's slope in a view of nearly its own, and how its size may change from guess to fit.
MOST_ASKEW, MOST_GROWN = 0.06, 1.25
#: Of the rules that a form has so many are found, as a share.
LEAST_FOUND = 0.75
#: Of the rules on a sheet that are as long as the form's more than this share are the form's: on
#: ruled paper and in tables some have the distances of any form.
LEAST_OWN = 0.5
#: Two sheets have less than this share of the smaller one in common.
MOST_COMMON = 0.2

#: float64 (n, 3): left, right and y of rules, in pixels, or of a form's zones, in millimetres.
Rules = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a form may lie in a view, without its slope: pixels of what is at 0, and of 1 mm."""

    scale: float
    left: float
    top: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """A sheet that shows the form's rules."""

    #: How many of them, and how far the worst is off its place, as a share of the sheet's height.
    rules: int
    off: float
    #: Its corners, from the top left as it is read.
    sheet: Quad


def find_sheets(image: Grey, form: PageForm) -> list[Quad]:
    """Corners of the form's sheets on a grey page (H, W), top left as it is read first.

    They are in reading order, at most `MOST_SHEETS`, and do not overlap. A form without `size_mm`
    or with too few rules is not found.
    """
    parts = _parts(form)
    if form.size_mm is None or not form.may_be_several:
        return []
    views = [np.roll(_turned(image, slope), side, axis=0) for side in (0, 1) for slope in SLOPES]
    seen = [one for view in views for one in _in_view(image, view, parts, form.size_mm)]
    kept: list[_Seen] = []
    for one in sorted(seen, key=lambda one: (-one.rules, one.off)):
        if len(kept) < MOST_SHEETS and not any(_overlap(one.sheet, x.sheet) for x in kept):
            kept.append(one)
    by_place = {_around(one.sheet): one.sheet for one in kept}
    return [by_place[rect] for rect in in_rows(list(by_place))]


def _parts(form: PageForm) -> Rules:
    """Where the form has its longest rules, in millimetres."""
    wide, high = form.size_mm or (1.0, 1.0)
    boxes = [form.shares(zone) for zone in form.zones if zone.find is Find.RULE]
    parts = [(x * wide, z * wide, (y + RULE_AT * (w - y)) * high) for x, y, z, w in boxes]
    return _longest(np.array(parts, np.float64).reshape(-1, 3), MOST_PARTS)


def _longest(rules: Rules, most: int) -> Rules:
    return rules[np.argsort(rules[:, 0] - rules[:, 1], kind="stable")[:most]]


def _in_view(image: Grey, view: Quad, parts: Rules, size: tuple[float, float]) -> Iterator[_Seen]:
    """The sheets of that size in mm that are about level in a view, also those on their heads."""
    flat = flat_sheet(image, view)
    for level in INKS:
        rules = [(rule.left, rule.right, rule.y) for rule in find_rules(flat, level)]
        found = _longest(np.array(rules, np.float64).reshape(-1, 3), MOST_RULES)
        for one in _seen(found, parts, size, max(flat.size)):
            yield replace(one, sheet=mapped(one.sheet, flat.to_page))
        for one in _seen(_on_head(found, flat.size), parts, size, max(flat.size)):
            yield replace(one, sheet=mapped(flat.size - one.sheet, flat.to_page))


def _seen(found: Rules, parts: Rules, size: tuple[float, float], side: int) -> Iterator[_Seen]:
    """The sheets in a view of that longer side that show the form's rules, perhaps many times."""
    for guess in _guesses(found, parts, size, side):
        if (fit := _fitted(found, parts, guess, size)) is not None:
            yield fit


def _turned(image: Grey, slope: float) -> Quad:
    """Corners of a view of the page in which what has this slope is level."""
    page = corners(image.shape[1], image.shape[0])
    middle = page.mean(axis=0)
    turn = np.array([(1.0, slope), (-slope, 1.0)]) / np.hypot(1.0, slope)
    return np.asarray(ROOM * (page - middle) @ turn + middle, np.float64)


def _on_head(rules: Rules, size: tuple[int, int]) -> Rules:
    """The same rules in a view that is turned on its head."""
    wide, high = size
    left, right, y = rules.T
    return np.stack([wide - right, wide - left, high - y], axis=1)


def _guesses(found: Rules, parts: Rules, size: tuple[float, float], side: int) -> Iterator[_Place]:
    """Where the form may lie so that two of its rules are found, the likeliest first."""
    scales = LEAST_SIDE * side / max(size), side / max(size)
    pairs = [
        _pairs(found, one, other, size, scales)
        for one in parts
        for other in parts
        if other[2] - one[2] > LEAST_APART * size[1]
    ]
    likely = np.concatenate([np.zeros((0, 4)), *pairs])
    for _, scale, left, top in likely[np.argsort(likely[:, 0], kind="stable")][:MOST_GUESSES]:
        yield _Place(scale=scale, left=left, top=top)


def _pairs(
    found: Rules,
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    size: tuple[float, float],
    scales: tuple[float, float],
) -> NDArray[np.float64]:
    """Cost, scale, left and top, float64 (m, 4), of places where two rules are these two parts."""
    scale = (found[None, :, 2] - found[:, None, 2]) / (other[2] - one[2])
    first, second = np.nonzero((scale > scales[0]) & (scale < scales[1]))
    scale = scale[first, second]
    stretched = [
        (found[at, 1] - found[at, 0]) / (scale * (part[1] - part[0]))
        for at, part in ((first, one), (second, other))
    ]
    left, same = (
        found[at, :2].mean(axis=1) - scale * part[:2].mean()
        for at, part in ((first, one), (second, other))
    )
    cost = np.abs(np.log(np.maximum(stretched, 1e-3))).sum(axis=0)
    fits = np.abs(left - same) < MOST_ASIDE * size[0] * scale
    for length in stretched:
        fits &= (length > SHORTEST) & (length < LONGEST)
    top = found[first, 2] - scale * one[2]
    places = np.stack([cost, scale, (left + same) / 2, top], axis=1)
    return np.asarray(places[fits], np.float64)


def _fitted(found: Rules, parts: Rules, guess: _Place, size: tuple[float, float]) -> _Seen | None:
    """The sheet of that place once all rules of the form that are near theirs say where it is."""
    place, slope, middles = guess, 0.0, parts[:, :2].mean(axis=1)
    for near in NEAR:
        at, which = _matched(found, parts, place, slope, near * size[1])
        if len(at) < max(LEAST_RULES, LEAST_FOUND * len(parts)):
            return None
        equations = np.stack([parts[at, 2], middles[at], np.ones(len(at))], axis=1)
        scale, rise, top = np.linalg.lstsq(equations, found[which, 2])[0].tolist()
        if not 1 / MOST_GROWN < scale / guess.scale < MOST_GROWN or abs(rise / scale) > MOST_ASKEW:
            return None
        left = float(np.median(found[which, :2] - scale * parts[at, :2]))
        place, slope = _Place(scale=scale, left=left, top=top), rise / scale
    if len(at) <= LEAST_OWN * _count_on(found, parts, place, slope, size):
        return None
    off = np.abs(equations @ (scale, rise, top) - found[which, 2]).max() / (scale * size[1])
    return _Seen(rules=len(at), off=float(off), sheet=_sheet(place, slope, size))


def _matched(
    found: Rules, parts: Rules, place: _Place, slope: float, near: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which parts are found, and the rules that they are; `near` is in millimetres."""
    left, right = (place.left + place.scale * parts[:, side, None] for side in (0, 1))
    y = place.top + place.scale * (parts[:, 2] + slope * parts[:, :2].mean(axis=1))
    common = np.minimum(right, found[:, 1]) - np.maximum(left, found[:, 0])
    away = np.abs(y[:, None] - found[:, 2]) / place.scale
    long = found[:, 1] - found[:, 0] < LONGEST * (right - left)
    away[~(long & (common > SHORTEST * (right - left)) & (away < near))] = np.inf
    at = np.flatnonzero(np.isfinite(away).any(axis=1))
    return at, away[at].argmin(axis=1)


def _count_on(
    found: Rules, parts: Rules, place: _Place, slope: float, size: tuple[float, float]
) -> int:
    """How many rules as long as one of the form's lie on a sheet, off its own edges."""
    wide, high = size
    x = (found[:, :2].mean(axis=1) - place.left) / place.scale
    y = (found[:, 2] - place.top) / place.scale - slope * x
    long = found[:, 1] - found[:, 0] > SHORTEST * place.scale * np.ptp(parts[:, :2], axis=1).min()
    edge = NEAR[-1] * high
    return int((long & (x > 0) & (x < wide) & (y > edge) & (y < high - edge)).sum())


def _sheet(place: _Place, slope: float, size: tuple[float, float]) -> Quad:
    across, down = place.scale * corners(*size).T
    return np.stack([place.left + across - slope * down, place.top + down + slope * across], axis=1)


def _overlap(one: Quad, other: Quad) -> bool:
    first, second = (np.array(cv2.convexHull(x.astype(np.float32))) for x in (one, other))
    common, _ = cv2.intersectConvexConvex(first, second)
    return bool(common > MOST_COMMON * min(cv2.contourArea(first), cv2.contourArea(second)))


def _around(sheet: Quad) -> Rect:
    left, top = sheet.min(axis=0).tolist()
    right, bottom = sheet.max(axis=0).tolist()
    return left, top, right, bottom
