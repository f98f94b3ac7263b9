"""How well baselines were found, as the competition cBAD measures it.

T. Grüning, R. Labahn, M. Diem, F. Kleber, S. Fiel: "READ-BAD: A New Dataset and Evaluation Scheme
for Baseline Detection in Archival Documents", 2017, arXiv:1705.03311. A point counts fully within a
tolerance of the other side's baseline, not at all beyond three times that, and in part between. The
tolerance of a true line is a quarter of the distance to its neighbours. Recall takes all found
baselines together, so that it says whether text was found, not how it was cut; precision matches
them one to one, so that a line found in two parts costs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwr.layout import Line
from hwr.training.pages.matching import matches

#: Pixels between the points that stand for a baseline.
_TICK = 5.0
#: Part of the distance between lines that is tolerated.
_TOLERANCE = 0.25
#: Lines further apart than this (pixels) are no neighbours.
_FARTHEST = 250.0

Points = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Baselines:
    """The scores of one page, 0 to 1."""

    recall: float
    precision: float


def score_baselines(true: Sequence[Line], found: Sequence[Line]) -> Baselines:
    """Score found baselines against true ones; where there are none on a side, nothing is wrong."""
    wanted, given = ([_ticks(line) for line in lines] for lines in (true, found))
    if not wanted or not given:
        return Baselines(recall=float(not wanted), precision=float(not given))
    tolerances = _tolerances(wanted)
    every = np.concatenate(given)
    starts = np.cumsum([0, *map(len, given)])[:-1]
    covered = np.zeros(len(wanted))
    shares = np.zeros((len(wanted), len(given)))
    for index, (points, tolerance) in enumerate(zip(wanted, tolerances, strict=True)):
        near = _near(every, points, 3 * max(tolerance, 1.0))
        distances = np.linalg.norm(points[:, None] - every[None, near], axis=2)
        covered[index] = _credit(distances.min(axis=1, initial=np.inf), tolerance).mean()
        credit = np.zeros(len(every))
        credit[near] = _credit(distances.min(axis=0), tolerance)
        shares[index] = np.add.reduceat(credit, starts) / np.array([*map(len, given)])
    right = sum(shares[pair] for pair in matches(shares, least=1e-9))
    return Baselines(recall=float(covered.mean()), precision=float(right / len(given)))


def _ticks(line: Line) -> Points:
    """Points along the baseline, about a tick apart, shape (n, 2)."""
    corners = np.array(line.baseline, float)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    places = np.linspace(0, along[-1], max(round(along[-1] / _TICK), 1) + 1)
    return np.stack([np.interp(places, along, corners[:, axis]) for axis in (0, 1)], axis=1)


def _tolerances(lines: Sequence[Points]) -> list[float]:
    """Pixels tolerated at each line; lines without a neighbour take the mean of the others."""
    distances = [_to_neighbour(place, lines) for place in range(len(lines))]
    known = [distance for distance in distances if distance < _FARTHEST]
    mean = float(np.mean(known)) if known else _FARTHEST
    return [_TOLERANCE * min(distance, mean) for distance in distances]


def _to_neighbour(place: int, lines: Sequence[Points]) -> float:
    """Least distance across the line to another one that runs beside it, in pixels."""
    own = lines[place]
    along = own[-1] - own[0]
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    across = np.array([-along[1], along[0]])
    others = [line for index, line in enumerate(lines) if index != place]
    every = np.concatenate([*others, np.empty((0, 2))])
    apart = own[:, None] - every[None, _near(every, own, _FARTHEST)]
    beside = np.abs(apart @ along) <= _TICK / 2
    return float(np.abs(apart @ across)[beside].min(initial=_FARTHEST))


def _near(points: Points, line: Points, reach: float) -> NDArray[np.bool_]:
    """Which points are in the box around the line that is so much larger on each side."""
    low, high = line.min(axis=0) - reach, line.max(axis=0) + reach
    return np.asarray(((points >= low) & (points <= high)).all(axis=1), np.bool_)


def _credit(distance: Points, tolerance: float) -> Points:
    """1 within the tolerance, 0 beyond three times that, falling in between."""
    reach = max(tolerance, 1.0)
    return np.clip((3 * reach - distance) / (2 * reach), 0.0, 1.0)
