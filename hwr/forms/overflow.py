"""Writing that goes on below a block of ruled lines: who runs out of rules goes on without them."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from hwr.forms.zone import Zone, ZonedLine
from hwr.layout import Line

#: The last rule is written on where so many heights of a line at most are from the lowest
#: baseline to the zone's end. The rule before it is a pitch farther.
ON_LAST_RULE = 0.9


def with_overflow(found: Sequence[ZonedLine], zones: Sequence[Zone]) -> list[ZonedLine]:
    """The lines; of those in no zone, what stands in the room below a full block is the block's."""
    given = list(found)
    for zone in zones:
        if zone.room_below and _is_full([one.line for one in found if one.zone == zone], zone):
            given = [replace(one, zone=zone) if _goes_on(one, zone) else one for one in given]
    return given


def _goes_on(one: ZonedLine, zone: Zone) -> bool:
    room = np.array(zone.room_below, np.int32)
    return one.zone is None and cv2.pointPolygonTest(room, _middle(one.line), False) >= 0


def _is_full(rows: Sequence[Line], zone: Zone) -> bool:
    """Whether the last rule of a zone with these rows is written on."""
    if not rows:
        return False
    height = float(np.median([np.ptp(np.array(row.polygon)[:, 1]) for row in rows]))
    above_end = min(_end(zone, x) - y for x, y in map(_middle, rows))
    return above_end < ON_LAST_RULE * height


def _end(zone: Zone, x: float) -> float:
    """Row of a zone's lower edge at a column."""
    _, _, right, left = zone.polygon
    return float(np.interp(x, (left[0], right[0]), (left[1], right[1])))


def _middle(line: Line) -> tuple[float, float]:
    """Of its baseline."""
    (left, top), (right, bottom) = line.baseline[0], line.baseline[-1]
    return (left + right) / 2, (top + bottom) / 2
