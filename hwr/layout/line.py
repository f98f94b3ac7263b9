"""What the line finder finds."""

from dataclasses import dataclass

#: (x, y) in page pixels.
Point = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of writing on a page."""

    #: Place in reading order, from 0.
    order: int
    #: Outline of the ink, ascenders and descenders included; closed, first point not repeated.
    polygon: tuple[Point, ...]
    #: What the letters stand on, from left to right; at least two points.
    baseline: tuple[Point, ...]
