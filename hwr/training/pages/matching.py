"""Which found lines are which true ones: overlap of their outlines, matched one to one."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout import Line

#: Least intersection over union of a match.
LEAST_OVERLAP = 0.5

Table = NDArray[np.float64]
Corners = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Overlaps:
    """How the outlines of two sets of lines overlap, in pixels."""

    #: Common area, shape (true, found).
    common: Table
    #: Areas of the true lines, shape (true,).
    true: Table
    #: Areas of the found lines, shape (found,).
    found: Table

    @property
    def union_share(self) -> Table:
        """Intersection over union, shape (true, found)."""
        union = self.true[:, None] + self.found[None, :] - self.common
        return np.asarray(self.common / np.maximum(union, 1), np.float64)

    def inside(self, true: Sequence[int]) -> Table:
        """Share of each found line that lies on these true ones, 0 to 1, shape (found,)."""
        covered = self.common[list(true)].sum(axis=0) / np.maximum(self.found, 1)
        return np.asarray(np.minimum(covered, 1.0), np.float64)


def overlaps(true: Sequence[Line], found: Sequence[Line]) -> Overlaps:
    """The overlaps of true lines with found ones."""
    rows, columns = [_corners(line) for line in true], [_corners(line) for line in found]
    common = np.zeros((len(rows), len(columns)))
    for i, one in enumerate(rows):
        for j, other in enumerate(columns):
            common[i, j] = _common_area(one, other)
    return Overlaps(
        common=common,
        true=np.array([_area(corners) for corners in rows], np.float64),
        found=np.array([_area(corners) for corners in columns], np.float64),
    )


def matches(shares: Table, least: float = LEAST_OVERLAP) -> list[tuple[int, int]]:
    """Pairs (row, column) of at least this share, best first, each row and column once."""
    rows, columns = np.nonzero(shares >= least)
    best = np.argsort(-shares[rows, columns], kind="stable")
    taken: tuple[set[int], set[int]] = set(), set()
    pairs = []
    for row, column in zip(rows[best].tolist(), columns[best].tolist(), strict=True):
        if row not in taken[0] and column not in taken[1]:
            pairs.append((row, column))
            taken[0].add(row)
            taken[1].add(column)
    return pairs


def _corners(line: Line) -> Corners:
    return np.array(line.polygon, np.int32)


def _area(corners: Corners) -> int:
    return int(np.count_nonzero(_filled(corners, corners.min(axis=0), corners.max(axis=0))))


def _common_area(one: Corners, other: Corners) -> int:
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    if (low > high).any():
        return 0
    return int(np.count_nonzero(_filled(one, low, high) & _filled(other, low, high)))


def _filled(corners: Corners, low: Corners, high: Corners) -> NDArray[np.uint8]:
    """1 inside the outline, of the box from `low` to `high`."""
    width, height = (high - low + 1).tolist()
    canvas = np.zeros((height, width), np.uint8)
    return np.asarray(cv2.fillPoly(canvas, [corners - low], 1), np.uint8)
