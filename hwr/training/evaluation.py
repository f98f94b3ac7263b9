"""Reads labelled lines, so that what was read can be compared with what stands there."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from hwr.decoding.best_path import read_best_path
from hwr.decoding.reading import LineReading
from hwr.errors import BadLineImage, TrainingDataError
from hwr.model.alphabet import Alphabet
from hwr.model.line_image import normalise_line
from hwr.model.network import Crnn
from hwr.training.compute import Compute
from hwr.training.samples import Grey, LineSample, shown, stack_ink

log = logging.getLogger(__name__)

_LINES_AT_ONCE = 8

#: Reads normalised line images, in their order.
ReadLines = Callable[[Sequence[Grey]], Sequence[LineReading]]


@dataclass(frozen=True, kw_only=True)
class LineResult:
    """A labelled line that was read."""

    sample: LineSample
    #: Its text folded to the model's alphabet, which is all that a reading can say.
    truth: str
    reading: LineReading

    @property
    def pair(self) -> tuple[str, str]:
        """(truth, reading)"""
        return self.truth, self.reading.text


def read_samples(
    samples: Iterable[LineSample], read: ReadLines, alphabet: Alphabet
) -> list[LineResult]:
    """Every line with its reading; one whose picture is broken is logged by name and left out."""
    results: list[LineResult] = []
    for group, images in pictured(samples):
        for sample, reading in zip(group, read(images), strict=True):
            truth = alphabet.fold(sample.text)
            results.append(LineResult(sample=sample, truth=truth, reading=reading))
    return results


def network_reader(network: Crnn, alphabet: Alphabet) -> ReadLines:
    """Reads with the bare network where it is, in its fastest arithmetic: for use amid training."""
    compute = Compute(next(network.parameters()).device)

    @torch.inference_mode()
    def read(images: Sequence[Grey]) -> list[LineReading]:
        widths = torch.tensor([image.shape[1] for image in images], device=compute.device)
        with compute.autocast():
            logits, lengths = network.eval()(stack_ink(images).to(compute.device), widths)
        rows = zip(logits.float().cpu().numpy(), lengths.tolist(), strict=True)
        return [read_best_path(row[:length], alphabet) for row, length in rows]

    return read


def pictured(samples: Iterable[LineSample]) -> Iterator[tuple[list[LineSample], list[Grey]]]:
    """Lines of about one width with their normalised pictures, narrow ones first.

    One whose picture is broken is logged by name and left out.
    """
    ordered = sorted(samples, key=lambda sample: sample.width)
    for start in range(0, len(ordered), _LINES_AT_ONCE):
        loaded = [(s, _picture(s)) for s in ordered[start : start + _LINES_AT_ONCE]]
        whole = [(sample, image) for sample, image in loaded if image is not None]
        if whole:
            yield [sample for sample, _ in whole], [image for _, image in whole]


def _picture(sample: LineSample) -> Grey | None:
    try:
        return normalise_line(sample.load())
    except (TrainingDataError, BadLineImage) as error:
        log.warning("%s: %s left out: %s", sample.dataset, shown(sample.name), shown(str(error)))
        return None
