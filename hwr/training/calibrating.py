"""`hwr calibrate`: fits the scales that make a model's confidences true.

Three numbers for lines and two for characters (hwr.model.confidence), by maximum likelihood on the
validation lines. The figures that come with them are cross-validated by writer: each writer's
confidences are scaled by what was fitted on all others, for the sets are small.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hwr.decoding.confidence import WeighedReading, scaled
from hwr.decoding.decoders import Decoder
from hwr.engines import Engine
from hwr.errors import TrainingDataError
from hwr.line_work import decode
from hwr.model.confidence import CharacterScale, ConfidenceScale, LineScale, log_odds, sigmoid
from hwr.training.edits import right_characters
from hwr.training.evaluation import LineResult, ReadLines
from hwr.training.samples import Grey
from hwr.training.splits import MORE_TO_VALIDATE

Floats = NDArray[np.float64]

#: Pulls the scale to the network's own probabilities where the lines say nothing against them.
_PRIOR = 0.1
_NEWTON_STEPS = 50
_CONVERGED = 1e-9
_FEWEST_WRITERS = 2


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """Scales with the results that show what they are worth."""

    #: Fitted on all lines.
    scale: ConfidenceScale
    #: Every line with confidences scaled by what the other writers taught.
    results: list[LineResult]


def weighing_reader(engine: Engine, decoder: Decoder) -> ReadLines:
    """Reads lines as `WeighedReading`s, which is what scales are fitted on."""

    def read(images: Sequence[Grey]) -> list[WeighedReading]:
        return decode(engine, images, [decoder] * len(images))

    return read


def calibrate(results: Sequence[LineResult]) -> Calibrated:
    """The scales of results that a weighing reader read.

    Raises:
        TrainingDataError: they are by fewer than two writers.
    """
    writers = sorted({_writer(result) for result in results})
    if len(writers) < _FEWEST_WRITERS:
        raise TrainingDataError(
            f"The validation lines are by {len(writers)} writer(s); calibration takes at least"
            f" {_FEWEST_WRITERS}, so that it can be checked. {MORE_TO_VALIDATE}"
        )
    return Calibrated(
        scale=fit_scales(results),
        results=[line for writer in writers for line in _held_out(results, writer)],
    )


def fit_scales(results: Sequence[LineResult]) -> ConfidenceScale:
    """The scales of lines and characters that make `results` likeliest."""
    readings = [_weighed(result) for result in results]
    lines = [[r.network, float(log_odds(r.confidence))] for r in readings]
    exact = [result.truth == result.reading.text for result in results]
    characters = log_odds(np.array([p for reading in readings for p in reading.characters]))
    right = [r for result in results for r in right_characters(*result.pair)]
    network, decoder, line_offset = fit(np.array(lines), np.array(exact, float))
    slope, offset = fit(characters[:, None], np.array(right, float))
    return ConfidenceScale(
        line=LineScale(network=network, decoder=decoder, offset=line_offset),
        character=CharacterScale(slope=slope, offset=offset),
    )


def fit(odds: Floats, right: Floats) -> list[float]:
    """Weights of the columns of (n, k) log-odds, and an offset, that make (n,) outcomes likeliest.

    Logistic regression by Newton's method; a step that makes it worse is halved.
    """
    features = np.column_stack([odds, np.ones(len(right))])
    weights = start = np.eye(1, features.shape[1])[0]  # the first column as it is
    for _ in range(_NEWTON_STEPS):
        expected = sigmoid(features @ weights)
        gradient = features.T @ (expected - right) + _PRIOR * (weights - start)
        spread = (expected * (1.0 - expected))[:, None]
        curvature = (features * spread).T @ features + _PRIOR * np.eye(len(start))
        step = np.linalg.solve(curvature, gradient)
        while _loss(features, right, weights - step) > _loss(features, right, weights):
            step = step / 2
            if np.abs(step).max() < _CONVERGED:
                return [float(weight) for weight in weights]
        weights = weights - step
    return [float(weight) for weight in weights]


def _loss(features: Floats, right: Floats, weights: Floats) -> float:
    scores = features @ weights
    start = np.eye(1, len(weights))[0]
    return float(
        np.logaddexp(0.0, scores).sum()
        - right @ scores
        + _PRIOR / 2 * np.square(weights - start).sum()
    )


def _weighed(result: LineResult) -> WeighedReading:
    if not isinstance(result.reading, WeighedReading):
        raise TypeError("scales are fitted on what a weighing reader read")
    return result.reading


def _held_out(results: Sequence[LineResult], writer: str) -> Iterator[LineResult]:
    scale = fit_scales([result for result in results if _writer(result) != writer])
    for result in results:
        if _writer(result) == writer:
            yield replace(result, reading=scaled(_weighed(result), scale))


def _writer(result: LineResult) -> str:
    return f"{result.sample.dataset}/{result.sample.writer}"
