"""What the network is to say about a view: maps drawn from its known lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.maps import ACROSS
from hwr.layout.outlines import smooth
from hwr.training.layout.pages import KnownLine, Points

#: Baselines are drawn as soft as this (standard deviation, rows).
_SOFTNESS = 1.2
#: Ends reach so many rows and columns of the maps (standard deviation).
_END_ROWS, _END_COLUMNS = 3.0, 0.8
#: So many rows and columns around an end count so much more than others: whether a word belongs to
#: the line is decided there (as Ronneberger et al. weigh the borders between cells).
_END_REACH, _END_WEIGHT = 7, 4.0
#: Heights are learned within so many rows of the baseline.
_HEIGHT_ROWS = 3
#: Heights are means over so many columns of the maps: outlines are ragged.
_HEIGHT_COLUMNS = 15
#: Heights lie between these, in rows.
_LEAST_HEIGHT, _MOST_HEIGHT = 1.0, 200.0

Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Maps of a view of H rows and W columns of maps."""

    #: Baselines and ends, (2, H, W), 0 to 1.
    marks: Map
    #: Logarithms of how far lines reach up and down, in rows, (2, H / 2, W / 2).
    heights: Map
    #: 1 where heights are known, (H / 2, W / 2).
    known: Map
    #: How much a place counts, (H, W): 0 where nothing is known, most where lines end.
    counted: Map


def targets_of(lines: Sequence[KnownLine], shape: tuple[int, int], unknown: int) -> Targets:
    """Maps of lines in pixels of a view of ``shape``, above ``unknown`` of which none is known."""
    height, width = shape[0], shape[1] // ACROSS
    half = (height // 2, width // 2)
    targets = Targets(
        marks=np.zeros((2, height, width), np.float32),
        heights=np.zeros((2, *half), np.float32),
        known=np.zeros(half, np.float32),
        counted=np.ones((height, width), np.float32),
    )
    for line in lines:
        _draw(targets, line)
    targets.counted[:unknown][targets.marks[0, :unknown] == 0] = 0
    return targets


def _draw(targets: Targets, line: KnownLine) -> None:
    columns, rows = sampled(line.baseline, targets.marks.shape[2])
    if not len(columns):
        return
    _draw_baseline(targets.marks[0], columns, rows)
    start, end = line.baseline[line.baseline[:, 0].argsort()][[0, -1]]
    for x, y in (start, end):
        _draw_end(targets, x / ACROSS - 0.5, y)
    if line.polygon is not None:
        _draw_heights(targets, line.polygon, columns, rows)


def sampled(baseline: Points, width: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Columns of the maps that the baseline crosses, and its row in each."""
    ordered = baseline[baseline[:, 0].argsort(kind="stable")]
    low, high = np.clip(ordered[[0, -1], 0] / ACROSS, 0, width)
    columns = np.arange(int(low), int(np.ceil(high)))
    centres = (columns + 0.5) * ACROSS - 0.5
    return columns, np.interp(centres, ordered[:, 0], ordered[:, 1])


def _draw_baseline(marks: Map, columns: NDArray[np.intp], rows: NDArray[np.float64]) -> None:
    near = np.rint(rows)[:, None].astype(np.intp) + np.arange(-4, 5)  # (n, 9)
    value = np.exp(-0.5 * ((near - rows[:, None]) / _SOFTNESS) ** 2)
    inside = (near >= 0) & (near < marks.shape[0])
    across = np.broadcast_to(columns[:, None], near.shape)[inside]
    np.maximum.at(marks, (near[inside], across), value[inside].astype(np.float32))


def _draw_end(targets: Targets, column: float, row: float) -> None:
    height, width = targets.counted.shape
    top, bottom = max(int(row) - _END_REACH, 0), min(int(row) + _END_REACH + 1, height)
    left, right = max(int(column) - _END_REACH, 0), min(int(column) + _END_REACH + 1, width)
    if top >= bottom or left >= right or not 0 <= column <= width - 1:
        return
    down = np.exp(-0.5 * ((np.arange(top, bottom) - row) / _END_ROWS) ** 2)
    over = np.exp(-0.5 * ((np.arange(left, right) - column) / _END_COLUMNS) ** 2)
    part = targets.marks[1, top:bottom, left:right]
    np.maximum(part, np.outer(down, over).astype(np.float32), out=part)
    targets.counted[top:bottom, left:right] = _END_WEIGHT


def _draw_heights(
    targets: Targets, polygon: Points, columns: NDArray[np.intp], rows: NDArray[np.float64]
) -> None:
    top, bottom = edges(polygon, columns)
    up, down = (
        smooth(np.clip(values, _LEAST_HEIGHT, _MOST_HEIGHT), _HEIGHT_COLUMNS)
        for values in (rows - top, bottom - rows)
    )
    near = np.rint(rows / 2)[:, None].astype(np.intp) + np.arange(-_HEIGHT_ROWS // 2, 2)
    inside = (near >= 0) & (near < targets.known.shape[0])
    inside &= columns[:, None] // 2 < targets.known.shape[1]
    across = np.broadcast_to(columns[:, None] // 2, near.shape)
    places = near[inside], across[inside]
    for place, values in enumerate((up, down)):
        targets.heights[place][places] = np.log(
            np.broadcast_to(values[:, None], near.shape)[inside]
        )
    targets.known[places] = 1


def edges(
    polygon: Points, columns: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last row of a polygon in columns of the maps; the nearest where it has none."""
    shrunk = np.rint(polygon / (ACROSS, 1)).astype(np.int32)
    low = shrunk.min(axis=0)
    width, height = np.minimum(shrunk.max(axis=0) - low + 1, 4000)
    mask = cv2.fillPoly(np.zeros((int(height), int(width)), np.uint8), [shrunk - low], 1)
    places = np.clip(columns - low[0], 0, width - 1)
    top = mask.argmax(axis=0)
    bottom = height - 1 - mask[::-1].argmax(axis=0)
    return (top + low[1])[places].astype(float), (bottom + low[1])[places].astype(float)
