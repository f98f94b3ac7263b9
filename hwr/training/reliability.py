"""Whether confidence keeps its word: calibration error, and risk against coverage.

A confidence is calibrated where, of all things said with confidence p, the share p is right. The
expected calibration error (ECE) is after Guo et al., "On calibration of modern neural networks"
(ICML 2017); risk–coverage after El-Yaniv and Wiener, "On the foundations of noise-free selective
classification" (JMLR 2010): take what is surest first, how much is wrong in the share taken?
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwr.training.edits import right_characters
from hwr.training.evaluation import LineResult
from hwr.training.report import by_set

Floats = NDArray[np.float64]

_BINS = 10
_ROUNDS = 200
_SEED = 1
#: Shares of wrong lines that a user may put up with; coverage is reported at each.
RISKS = (0.01, 0.05, 0.1)
#: Points of a curve in a report.
_POINTS = 100


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How far confidences and outcomes of a set are apart."""

    #: Things judged: lines or characters.
    count: int
    #: Share of them that is right.
    accuracy: float
    #: Expected calibration error over ten bins of equal width.
    ece: float
    #: What the ECE of a perfectly calibrated confidence would be here: chance alone, in few lines.
    ece_by_chance: float


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """What the confidences of a set are worth."""

    lines: Calibration
    characters: Calibration
    #: By share of wrong lines put up with (RISKS): the largest share of lines that can be taken.
    coverage: dict[str, float]
    #: (coverage, risk) of lines, the surest first.
    curve: tuple[tuple[float, float], ...]


def reliability(results: Sequence[LineResult]) -> Reliability:
    """The reliability of the confidences of lines that were read."""
    lines = [result.reading.confidence for result in results]
    exact = [result.truth == result.reading.text for result in results]
    characters = [p for result in results for p in result.reading.characters]
    right = [r for result in results for r in right_characters(*result.pair)]
    return reliability_of(lines, exact, characters, right)


def by_set_and_all(results: Sequence[LineResult]) -> dict[str, Reliability]:
    """The reliability of each set, and under "all sets" that of all lines together."""
    sets = {name: reliability(lines) for name, lines in by_set(results).items()}
    return {**sets, "all sets": reliability(results)}


def reliability_of(
    lines: ArrayLike, exact: ArrayLike, characters: ArrayLike, right: ArrayLike
) -> Reliability:
    """The same from (n,) confidences and outcomes of lines and (m,) of characters."""
    sure, outcomes = _arrays(lines, exact)
    coverage, risk = risk_coverage(sure, outcomes)
    picked = np.unique(np.linspace(0, len(coverage) - 1, _POINTS).astype(int))
    return Reliability(
        lines=calibration(sure, outcomes),
        characters=calibration(*_arrays(characters, right)),
        coverage={f"{r:g}": _coverage_at(coverage, risk, r) for r in RISKS},
        curve=tuple((float(coverage[i]), float(risk[i])) for i in picked),
    )


def calibration(confidences: Floats, right: Floats) -> Calibration:
    """The calibration of (n,) confidences against (n,) outcomes, 1 right and 0 wrong."""
    rng = np.random.default_rng(_SEED)
    by_chance = [
        calibration_error(confidences, rng.random(len(confidences)) < confidences)
        for _ in range(_ROUNDS)
    ]
    return Calibration(
        count=len(right),
        accuracy=float(right.mean()) if len(right) else 0.0,
        ece=calibration_error(confidences, right),
        ece_by_chance=float(np.mean(by_chance)),
    )


def calibration_error(confidences: Floats, right: NDArray[np.generic]) -> float:
    """Expected calibration error: mean distance of confidence and accuracy, by bins."""
    differences = [
        abs(float(confidences[inside].sum()) - float(right[inside].sum()))
        for inside in bins(confidences)
    ]
    return sum(differences) / max(1, len(confidences))


def bins(confidences: Floats) -> list[NDArray[np.bool_]]:
    """Masks of the confidences in each of ten bins of equal width."""
    places = np.minimum((confidences * _BINS).astype(int), _BINS - 1)
    return [places == place for place in range(_BINS)]


def risk_coverage(confidences: Floats, right: Floats) -> tuple[Floats, Floats]:
    """(k,) coverage and risk of taking all down to each of the k different confidences.

    No threshold parts what is equally sure.
    """
    order = np.argsort(-confidences, kind="stable")
    ends = np.flatnonzero(np.diff(confidences[order], append=-1.0))
    wrong = np.cumsum(1.0 - right[order])
    return (ends + 1) / max(1, len(right)), wrong[ends] / (ends + 1)


def _coverage_at(coverage: Floats, risk: Floats, most: float) -> float:
    within = coverage[risk <= most]
    return float(within.max()) if len(within) else 0.0


def _arrays(confidences: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    return np.asarray(confidences, np.float64), np.asarray(right, np.float64)
