"""What the line finder finds."""

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

#: More lines than this are no page of handwriting.
MOST_LINES = 1000
#: Pages, and places on them, with fewer rows or columns of pixels than this hold no line.
LEAST_SIDE = 8

#: (x, y) in page pixels.
Point = tuple[int, int]
#: Left, top, right, bottom.
Box = tuple[float, float, float, float]
#: The same of one box, shape (4,), or of several, (n, 4).
BoxArray = NDArray[np.float64]


def whole_pixels(points: NDArray[np.float64]) -> tuple[Point, ...]:
    """The pixels nearest to points (n, 2)."""
    return tuple((x, y) for x, y in np.rint(points).astype(int).tolist())


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of writing on a page."""

    #: Place in reading order, from 0.
    order: int
    #: Outline of the ink, its longest ascenders and descenders left out; closed, first point not
    #: repeated.
    polygon: tuple[Point, ...]
    #: What the letters stand on, as it is read: from left to right, or up or down the page; at
    #: least two points.
    baseline: tuple[Point, ...]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the polygon."""
        x, y = zip(*self.polygon, strict=True)
        return min(x), min(y), max(x), max(y)


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A line that has no place in an order yet; points (n, 2) in page pixels, perhaps beyond it."""

    polygon: NDArray[np.float64]
    baseline: NDArray[np.float64]
    #: Usual height of the line, ascenders to descenders, in pixels.
    height: float
    #: The column of a table that it stands in: x of the rules to its left and right.
    column: tuple[float, float] = (-inf, inf)
    #: Whether it stands in the head of a table.
    head: bool = False
    #: Row and column of the grid that it stands in, if any.
    cell: tuple[int, int] | None = None

    @property
    def box(self) -> Box:
        """Left, top, right and bottom of the polygon."""
        left, top = self.polygon.min(axis=0).tolist()
        right, bottom = self.polygon.max(axis=0).tolist()
        return left, top, right, bottom
