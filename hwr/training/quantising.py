"""`hwr quantise`: finds the ranges that a model's activations need in 8 bits, and proves them.

Ranges are measured on training lines; which share of the values they hold is tried out, the one
that disturbs the logits of further training lines least first. What is measured holds on all CPUs:
every session adds 8-bit products exactly (`open_session`). A quantisation is accepted when no
validation set loses more than is allowed, or more than one character: in a set of a few lines, one
is more than a tenth of a point.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from hwr.decoding.best_path import read_best_path
from hwr.decoding.reading import LineReading
from hwr.engines.onnx_engine import OnnxEngine, open_session
from hwr.engines.onnx_graph import INK, LOGITS, ink_of, write_graph
from hwr.engines.protocol import LineBatch
from hwr.errors import BadLineImage, ModelError, TrainingDataError
from hwr.model.line_image import normalise_line
from hwr.model.line_views import view
from hwr.model.quantisation import Quantisation, Ranges
from hwr.model.weights import Model
from hwr.training import metrics
from hwr.training.evaluation import LineResult, ReadLines, read_samples
from hwr.training.report import by_set
from hwr.training.samples import Grey, LineSample, shown
from hwr.training.splits import MORE_TO_VALIDATE

log = logging.getLogger(__name__)

#: Shares of a line's values that a range may hold.
SHARES = (1.0, 0.99999, 0.9999, 0.9998, 0.9995, 0.999)
#: Training lines at most: two thirds to measure ranges on, the others to compare them on.
_LINES = 180
#: Highest value of a range at least: an activation that is always zero needs a scale too.
_LEAST = 1e-6

#: Error rates are kept to six decimals.
_ROUNDING = 2e-6

#: Data set → (lines, CER).
ErrorRates = dict[str, tuple[int, float]]


def quantise(
    model: Model, training: Sequence[LineSample], validation: Sequence[LineSample], allowed: float
) -> Quantisation:
    """A quantisation of `model` that adds at most `allowed` to the CER of any validation set.

    One character may be lost in any case.

    Raises:
        ModelError: there is none.
        TrainingDataError: there are too few lines.
    """
    drawn = _draw(training, _LINES)
    measured, compared = drawn[::3] + drawn[1::3], drawn[2::3]
    if not compared or not validation:
        raise TrainingDataError(
            "Quantising takes three lines to train and one to validate with; there are"
            f" {len(training)} and {len(validation)}. {MORE_TO_VALIDATE}"
        )
    ranges = measure_ranges(model, measured)
    exact = error_rates(OnnxEngine(model), model, validation)
    allowances = _allowances(validation, model, allowed)
    for share in _by_disturbance(model, ranges, compared):
        quantisation = Quantisation(
            model=model.hash, ranges=ranges[share], share=share, lines=len(measured), cer={}
        )
        reached = error_rates(OnnxEngine(model, quantisation=quantisation), model, validation)
        cer = {name: (lines, rate, reached[name][1]) for name, (lines, rate) in exact.items()}
        losses = {name: rounded - full for name, (_, full, rounded) in cer.items()}
        worst = max(losses, key=lambda name: losses[name] - allowances[name])
        log.info("ranges with %g: %+.2f points on %s", share, 100 * losses[worst], worst)
        if losses[worst] <= allowances[worst]:
            return replace(quantisation, cer=cer)
    raise ModelError(
        f"With none of the ranges 8 bits cost at most {100 * allowed:g} points of CER on every"
        " validation set. Allow more, or read with this model in float32."
    )


def _allowances(samples: Sequence[LineSample], model: Model, allowed: float) -> dict[str, float]:
    """What each data set may lose."""
    characters: Counter[str] = Counter()
    for sample in samples:
        characters[sample.dataset] += len(model.alphabet.fold(sample.text))
    return {name: max(allowed, 1 / max(count, 1) + _ROUNDING) for name, count in characters.items()}


def measure_ranges(model: Model, lines: Sequence[Grey]) -> dict[float, Ranges]:
    """For every share the ranges that hold it of each line."""
    session = open_session(write_graph(model, watched=True))
    names = [output.name for output in session.get_outputs()][1:]
    found = {share: dict.fromkeys(names, (0.0, _LEAST)) for share in SHARES}
    for line in lines:
        answers = session.run(names, {INK: ink_of(line)})
        for name, values in zip(names, answers, strict=True):
            for share, span in _spans(values):
                low, high = found[share][name]
                found[share][name] = min(low, span[0]), max(high, span[1])
    return found


def _spans(values: NDArray[np.float32]) -> Iterator[tuple[float, tuple[float, float]]]:
    """For every share the lowest and the highest value that it leaves."""
    highest = np.quantile(values, SHARES)
    lowest = np.quantile(values, 1 - np.array(SHARES))
    for share, low, high in zip(SHARES, lowest, highest, strict=True):
        yield share, (float(low), float(high))


def _by_disturbance(
    model: Model, ranges: dict[float, Ranges], lines: Sequence[Grey]
) -> list[float]:
    """The shares, the one first whose logits differ least from those in float32."""
    exact = _logits(open_session(write_graph(model)), lines)

    def disturbance(share: float) -> float:
        rounded = _logits(open_session(write_graph(model, ranges[share])), lines)
        return float(np.mean([np.abs(a - b).mean() for a, b in zip(exact, rounded, strict=True)]))

    return sorted(ranges, key=disturbance)


def _logits(session: InferenceSession, lines: Sequence[Grey]) -> list[NDArray[np.float32]]:
    return [session.run([LOGITS], {INK: ink_of(line)})[0] for line in lines]


def error_rates(engine: OnnxEngine, model: Model, samples: Sequence[LineSample]) -> ErrorRates:
    """Lines and CER of every data set, read by best path."""
    results = by_set(read_samples(samples, _reader(engine, model), model.alphabet))
    return {name: (len(lines), _cer(lines)) for name, lines in sorted(results.items())}


def _cer(lines: Sequence[LineResult]) -> float:
    return round(metrics.error_rates(line.pair for line in lines).cer, 6)


def _reader(engine: OnnxEngine, model: Model) -> ReadLines:
    def read(images: Sequence[Grey]) -> list[LineReading]:
        batch = LineBatch.stack([view(image, 0) for image in images])
        return [read_best_path(row, model.alphabet) for row in engine.logits(batch).rows(batch)]

    return read


def _draw(samples: Sequence[LineSample], count: int) -> list[Grey]:
    """Pictures of `count` lines, as many of each data set as there are."""
    shuffled = Random(0).sample(samples, len(samples))  # noqa: S311 (the same lines every time)
    turns: Counter[str] = Counter()
    order = []
    for sample in shuffled:
        order.append((turns[sample.dataset], sample))
        turns[sample.dataset] += 1
    order.sort(key=lambda entry: entry[0])
    return list(_pictures([sample for _, sample in order[:count]]))


def _pictures(samples: Sequence[LineSample]) -> Iterator[Grey]:
    for sample in samples:
        try:
            yield view(normalise_line(sample.load()), 0)
        except (TrainingDataError, BadLineImage) as error:
            log.warning(
                "%s: %s left out: %s", sample.dataset, shown(sample.name), shown(str(error))
            )
