"""Which lines stand in which zone; a line that runs through several is cut between them."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwr.forms.boxed import lone_line
from hwr.forms.comb import comb_line
from hwr.forms.cuts import NOWHERE, Piece, cut_between, height_of, over_rules
from hwr.forms.overflow import with_overflow
from hwr.forms.rows import one_text_each
from hwr.forms.zone import Found, Zone, ZonedLine
from hwr.layout import Line
from hwr.layout.ink import Grey
from hwr.layout.line import whole_pixels

#: A line is where its body is: so far above its baseline, as a share of its height.
BODY = 0.25
#: A line is looked at in steps of this share of its height.
STEP = 0.1
#: A line that is in a zone for less than this share of its height only touches it.
LEAST_PIECE = 0.7
#: A line is a zone's, with all that is between the zone's sides, if it is in it for this share of
#: that: writing slopes out over the top or the bottom, print runs along them.
LEAST_SHARE = 0.25

#: A line in a printed box goes over its frame by so much at most, as a share of the box's height.
OVER_FRAME = 0.1

#: A box without a line that is lower than so many lines holds one word or figure at most.
HIGHEST_LONE = 3.0

#: Upward on a page, on whose right hand the greater columns are.
UP = np.array([0.0, -1.0])
#: Where the corners of a frame lie from its middle: across, and down.
CORNERS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
#: The right and the left edge of a zone, of edges clockwise from the top.
SIDES = [1, 3]

Floats = NDArray[np.float64]


def placed_lines(
    image: Grey, lines: Sequence[Line], zones: Sequence[Zone]
) -> tuple[ZonedLine, ...]:
    """The lines of a grey page (H, W), cut at the sides of zones, with the zones they stand in."""
    parts = (part for line in lines for part in _parts(image, line, zones))
    found = [
        ZonedLine(line=part, zone=None if owner == NOWHERE else zones[owner])
        for owner, part in parts
    ]
    return tuple(with_overflow(found, zones))


def zoned_lines(
    image: Grey, placed: Sequence[ZonedLine], zones: Sequence[Zone], *, outside: bool
) -> tuple[ZonedLine, ...]:
    """Those of the placed lines of a grey page (H, W) that are read, in their order, numbered anew.

    Left out are those in zones that are not read, and without `outside` those in no zone. Those of
    a zone that is one text are one.
    """
    corners = {zone.name: np.array(zone.polygon, np.float64) for zone in zones}
    kept: list[ZonedLine] = []
    for one in placed:
        if one.zone is not None and one.zone.found is Found.BOX:
            one = replace(one, line=within(one.line, corners[one.zone.name]))
        if outside if one.zone is None else one.zone.is_read and not one.zone.is_comb:
            kept.append(one)
    return one_text_each(_with_lone(image, placed, zones, kept))


def _with_lone(
    image: Grey, placed: Sequence[ZonedLine], zones: Sequence[Zone], kept: Sequence[ZonedLine]
) -> list[ZonedLine]:
    """The lines and what is written in boxes without one, before those of later zones."""
    highest = HIGHEST_LONE * float(np.median([height_of(one.line) for one in placed] or [np.inf]))
    names = {found.zone.name for found in kept if found.zone}
    merged = list(kept)
    for place, zone in enumerate(zones):
        if zone.is_read and zone.name not in names and (line := _lone(image, zone, highest)):
            later = {one.name for one in zones[place + 1 :]}
            merged.insert(_first_of(merged, later), ZonedLine(line=line, zone=zone))
    return merged


def _lone(image: Grey, zone: Zone, highest: float) -> Line | None:
    """What a zone without a line holds: in a comb, or in a box lower than `highest` pixels."""
    frame = np.array(zone.polygon, np.float64)
    if zone.is_comb:
        return comb_line(image, frame)
    is_low = zone.found is Found.BOX and np.linalg.norm(frame[3] - frame[0]) < highest
    return lone_line(image, frame) if is_low else None


def _first_of(lines: Sequence[ZonedLine], names: Set[str]) -> int:
    """Where the first line in one of these zones stands; behind all if there is none."""
    places = (at for at, one in enumerate(lines) if one.zone and one.zone.name in names)
    return next(places, len(lines))


def _parts(image: Grey, line: Line, zones: Sequence[Zone]) -> Iterator[tuple[int, Line]]:
    corners = [np.array(zone.polygon, np.float64) for zone in zones]
    pieces = _joined(_pieces(line, corners), LEAST_PIECE * height_of(line))
    ruled = {place for place, zone in enumerate(zones) if zone.room_below}
    loose = {place for place, zone in enumerate(zones) if zone.found is Found.SHEET}
    cuts = [
        over_rules(image, line, before)
        if before.owner in ruled and after.owner == NOWHERE
        else cut_between(image, line, before, after, is_loose=after.owner in loose)
        for before, after in pairwise(pieces)
    ]
    ends = zip([-np.inf, *cuts], [*cuts, np.inf], strict=True)
    for piece, (left, right) in zip(pieces, ends, strict=True):
        part = line if len(pieces) == 1 else cut_out(line, left, right)
        if part is not None:
            yield piece.owner, part


def _pieces(line: Line, zones: Sequence[Floats]) -> list[Piece]:
    """The line from left to right, in pieces of one owner each."""
    baseline = np.array(line.baseline, np.float64)
    height = height_of(line)
    first, last = baseline[0, 0], baseline[-1, 0]
    count = max(int((last - first) / max(STEP * height, 1.0)), 1) + 1
    x = np.linspace(first, last, count)
    y = np.interp(x, baseline[:, 0], baseline[:, 1]) - BODY * height
    owners = owners_of(np.stack([x, y], axis=1), zones)
    half = (last - first) / (2 * (count - 1))
    runs = [list(run) for _, run in groupby(range(count), key=lambda index: int(owners[index]))]
    return [
        Piece(owner=int(owners[run[0]]), left=x[run[0]] - half, right=x[run[-1]] + half)
        for run in runs
    ]


def owners_of(points: Floats, zones: Sequence[Floats]) -> NDArray[np.int_]:
    """Index of the zone that holds each point (n, 2) of a line, NOWHERE for none.

    A line is parted by the sides of zones alone; between the same sides it belongs to the zone that
    holds most of it there, of zones that hold the same to the first. Zones are convex, (4, 2),
    clockwise from the top left.
    """
    owners = np.full(len(points), NOWHERE)
    most = np.full(len(points), LEAST_SHARE)
    for index, zone in enumerate(zones):
        inside = _inside_edges(points, zone)
        between = inside[:, SIDES].all(axis=1)
        share = inside.all(axis=1).sum() / max(between.sum(), 1)
        owners[between & (share > most)] = index
        most[between] = np.maximum(most[between], share)
    return owners


def _inside_edges(points: Floats, zone: Floats) -> NDArray[np.bool_]:
    """Whether points (n, 2) are inside of each edge of a zone: (n, 4), the top one first."""
    along = np.roll(zone, -1, axis=0) - zone
    away = points[:, None, :] - zone[None]
    return np.asarray(along[:, 0] * away[..., 1] - along[:, 1] * away[..., 0] >= 0)


def _joined(pieces: list[Piece], least: float) -> list[Piece]:
    """The pieces without those that only touch a zone; what lies between is one piece."""
    kept = [
        replace(piece, owner=NOWHERE) if piece.width < least and len(pieces) > 1 else piece
        for piece in pieces
    ]
    runs = [list(run) for _, run in groupby(kept, key=lambda piece: piece.owner)]
    return [replace(run[0], right=run[-1].right) for run in runs]


def cut_out(line: Line, left: float, right: float) -> Line | None:
    """The part of a line between two columns of the page; None where nothing is left."""
    outline = np.array(line.polygon, np.float64)
    outline = _beyond(_beyond(outline, (left, 0.0), UP), (right, 0.0), -UP)
    baseline = np.array(line.baseline, np.float64)
    left, right = max(left, baseline[0, 0]), min(right, baseline[-1, 0])
    if len(outline) < 3 or right - left < 1:
        return None
    between = (baseline[:, 0] > left) & (baseline[:, 0] < right)
    x = np.concatenate([[left], baseline[between, 0], [right]])
    y = np.interp(x, baseline[:, 0], baseline[:, 1])
    return replace(
        line, polygon=whole_pixels(outline), baseline=whole_pixels(np.stack([x, y], axis=1))
    )


def within(line: Line, frame: Floats) -> Line:
    """The part of a line in a printed frame (4, 2) and just over it; corners are clockwise.

    Beside a frame an outline has no neighbours that bound it, and goes far over the frame.
    """
    outline = np.array(line.polygon, np.float64)
    edge = _widened(frame)
    for start, end in zip(edge, np.roll(edge, -1, axis=0), strict=True):
        outline = _beyond(outline, start, end - start)
    if len(outline) < 3:
        return line
    framed = replace(line, polygon=whole_pixels(outline))
    return cut_out(framed, outline[:, 0].min(), outline[:, 0].max()) or line


def _widened(frame: Floats) -> Floats:
    """The frame, as much wider as it is higher."""
    top_left, top_right, _, bottom_left = frame
    across, down = top_right - top_left, bottom_left - top_left
    down_by = OVER_FRAME * down
    across_by = across * np.linalg.norm(down_by) / max(float(np.linalg.norm(across)), 1.0)
    return np.asarray(frame + CORNERS @ np.stack([across_by, down_by]), np.float64)


def _beyond(outline: Floats, start: ArrayLike, along: Floats) -> Floats:
    """The part of an outline that is on the right hand of a line from `start` `along` a direction.

    Sutherland and Hodgman, "Reentrant polygon clipping", CACM 1974, for one edge.
    """
    if not np.isfinite(start).all() or len(outline) == 0:
        return outline
    away = outline - np.asarray(start)
    sides = along[0] * away[:, 1] - along[1] * away[:, 0]
    kept: list[Floats] = []
    for place, side in enumerate(sides):
        before = sides[place - 1]
        if (side >= 0) != (before >= 0):
            share = before / (before - side)
            kept.append(outline[place - 1] + share * (outline[place] - outline[place - 1]))
        if side >= 0:
            kept.append(outline[place])
    return np.array(kept, np.float64).reshape(-1, 2)
