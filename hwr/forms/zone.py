"""A zone found on a page."""

from dataclasses import dataclass
from enum import StrEnum

from hwr.layout import Line


class Found(StrEnum):
    """What a zone's place is known from."""

    SHEET = "sheet"  # its box, on the sheet whose edges or slope were found
    RULE = "rule"  # the printed rule under it, or the block of rules in it
    BOX = "box"  # the printed box around it
    TEMPLATE = "template"  # its box, on the blank form that the page was laid on


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A zone on a page."""

    #: As the profile calls it; of several with a number behind it.
    name: str
    #: Corners in page pixels, clockwise from the top left.
    polygon: tuple[tuple[int, int], ...]
    #: What its place is known from.
    found: Found
    #: Whether its lines are read.
    is_read: bool = True
    #: Name of the decoder of its lines; None for the reader's own.
    decoder: str | None = None
    #: Name of the zone that says the same amount; None where there is none.
    same_as: str | None = None
    #: Whether its lines are one text.
    is_one_text: bool = False
    #: Whether each character in it has a box of its own.
    is_comb: bool = False
    #: Corners, as those of `polygon`, of the room below ruled lines in which writing may go on.
    room_below: tuple[tuple[int, int], ...] = ()
    #: Number of its sheet, from 1; None where the page is one.
    sheet: int | None = None


@dataclass(frozen=True, kw_only=True)
class ZonedLine:
    """A line and the zone it stands in."""

    #: Of several rows the outline around them all, and their baselines one after the other.
    line: Line
    #: None outside of all zones.
    zone: Zone | None = None
    #: The rows of a text that goes on over several; none where it is one line.
    rows: tuple[Line, ...] = ()
    #: Number of its sheet, from 1; None where the page is one.
    sheet: int | None = None
