"""Measures a model on labelled lines."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import torch

from hwr.decoding.best_path import read_best_path
from hwr.model.alphabet import Alphabet
from hwr.model.line_image import normalise_line
from hwr.model.network import Crnn
from hwr.training.batches import stack_ink
from hwr.training.metrics import ErrorRates, error_rates
from hwr.training.samples import Grey, LineSample

_LINES_AT_ONCE = 8

#: Reads normalised line images, in their order.
ReadLines = Callable[[Sequence[Grey]], Sequence[str]]


def evaluate(
    samples: Iterable[LineSample], read: ReadLines, alphabet: Alphabet
) -> dict[str, ErrorRates]:
    """Error rates per data set; truth is folded to the model's alphabet."""
    by_set: dict[str, list[LineSample]] = defaultdict(list)
    for sample in samples:
        by_set[sample.dataset].append(sample)
    return {
        name: error_rates(_pairs(lines, read, alphabet)) for name, lines in sorted(by_set.items())
    }


def network_reader(network: Crnn, alphabet: Alphabet) -> ReadLines:
    """Reads with the bare network in bfloat16: quick enough to run amid training."""

    @torch.inference_mode()
    def read(images: Sequence[Grey]) -> list[str]:
        widths = torch.tensor([image.shape[1] for image in images])
        with torch.autocast("cpu", torch.bfloat16):
            logits, lengths = network.eval()(stack_ink(images), widths)
        rows = zip(logits.float().numpy(), lengths.tolist(), strict=True)
        return [read_best_path(row[:length], alphabet).text for row, length in rows]

    return read


def curve_validation(
    samples: Sequence[LineSample], alphabet: Alphabet
) -> Callable[[Crnn], dict[str, float]]:
    """A validation for the trainer: CER per data set."""

    def validate(network: Crnn) -> dict[str, float]:
        rates = evaluate(samples, network_reader(network, alphabet), alphabet)
        return {name: round(rate.cer, 4) for name, rate in rates.items()}

    return validate


def _pairs(
    lines: list[LineSample], read: ReadLines, alphabet: Alphabet
) -> Iterable[tuple[str, str]]:
    ordered = sorted(lines, key=lambda sample: sample.width)
    for start in range(0, len(ordered), _LINES_AT_ONCE):
        group = ordered[start : start + _LINES_AT_ONCE]
        readings = read([normalise_line(sample.load()) for sample in group])
        yield from ((alphabet.fold(s.text), r) for s, r in zip(group, readings, strict=True))
