"""What is done with the lines of a batch: logits by the engine, text by each line's own decoder."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwr.decoding.confidence import WeighedReading, scaled, weigh
from hwr.decoding.decoders import Decoder, open_decoder
from hwr.decoding.fields import BOUNDED, COMB_FIELDS, FIELDS, Pattern
from hwr.decoding.names import LEXICON
from hwr.decoding.reading import LineReading
from hwr.engines import Engine, LineBatch
from hwr.errors import DecoderError, LineFailed, ModelError
from hwr.model.confidence import FIELD_SCALE, ConfidenceScale, load_scales, scales_path
from hwr.model.line_image import Grey
from hwr.model.line_ink import has_writing
from hwr.model.line_views import view
from hwr.model.weights import Model

log = logging.getLogger(__name__)

#: Names no calibration: confidence is the network's own probability. Fields of forms have none.
UNCALIBRATED = "none"


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How logits become text, and how sure that is."""

    decoder: Decoder
    #: Puts the decoder's readings on the scale of probabilities.
    scale: ConfidenceScale = field(default_factory=ConfidenceScale)
    #: What names the calibration.
    calibration: str = UNCALIBRATED
    #: Bounds that a reading was found in; None: it may be anything.
    bounds: Pattern | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LineTask:
    """A line and what it is decoded with: an item of a batcher."""

    #: uint8 (64, w).
    image: Grey
    decoding: Decoding

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the image."""
        return self.image.shape


class Decodings:
    """The decoders of a model by name, opened when they are first asked for."""

    def __init__(self, model: Model, name: str, language_model: Path | None) -> None:
        """`name` is the decoder of lines that ask for none.

        Raises:
            DecoderError, ModelError: it cannot be used.
        """
        self._model, self._language_model = model, language_model
        self._lock = threading.Lock()
        #: By name, with the age of what it was opened from: one of another age takes its place.
        self._opened: dict[str, tuple[int, Decoding]] = {}
        self.usual = self._open(name)
        if self.usual.calibration == UNCALIBRATED:
            log.warning("Confidence with decoder %r is not calibrated: run hwr calibrate.", name)

    def named(self, name: str | None) -> Decoding:
        """The decoder called `name` (`hwr.decoding.decoders.open_decoder`); None: the usual one.

        Raises:
            LineFailed: it cannot be used; a line that asks for it fails alone. Tenants see it, so
                it names no folder.
        """
        if name is None:
            return self.usual
        try:
            age = _age(name)
            with self._lock:
                known = self._opened.get(name)
                if known is None or known[0] != age:
                    known = self._opened[name] = age, self._open(name)
                return known[1]
        except (DecoderError, ModelError, OSError) as error:
            log.warning("decoder %s cannot be used: %s", name, error)
            raise LineFailed(
                f"The decoder {_shown(name)} of the line's zone cannot be used. The log of the read"
                " worker says why; it needs the profile's files where the split worker has them."
            ) from error

    def _open(self, name: str) -> Decoding:
        decoder = open_decoder(name, self._model.alphabet, self._language_model)
        bounds = (FIELDS | COMB_FIELDS).get(name)
        scales = load_scales(scales_path(self._model.path), self._model.hash)
        if scales and decoder.identity in scales.decoders:
            scale = scales.decoders[decoder.identity]
            return Decoding(decoder=decoder, scale=scale, calibration=scales.hash, bounds=bounds)
        return Decoding(decoder=decoder, scale=_unfitted(name), bounds=bounds)


def _unfitted(name: str) -> ConfidenceScale:
    """The scale of a decoder that none was fitted for."""
    is_bounded = name in BOUNDED or name.startswith(LEXICON)
    return FIELD_SCALE if is_bounded else ConfidenceScale()


def _shown(name: str) -> str:
    """The decoder's name without the folder of its lexicon."""
    file = name.removeprefix(LEXICON)
    return name if file == name else f"{LEXICON}{Path(file).name}"


def _age(name: str) -> int:
    """When a lexicon was written: a reader that runs for months follows its changes."""
    if not name.startswith(LEXICON):
        return 0
    return Path(name.removeprefix(LEXICON)).stat().st_mtime_ns


def read_tasks(engine: Engine, tasks: Sequence[LineTask]) -> list[LineReading]:
    """The readings of lines, one engine batch for all of them, and one more for each other view.

    Raises:
        LineFailed: the engine's answer to one of them is no number.
    """
    decoders = [task.decoding.decoder for task in tasks]
    weighed = decode(engine, [task.image for task in tasks], decoders)
    return [_finished(reading, task) for reading, task in zip(weighed, tasks, strict=True)]


def _finished(reading: WeighedReading, task: LineTask) -> LineReading:
    finished = scaled(reading, task.decoding.scale)
    return replace(finished, confidence=0.0) if _is_doubtful(finished.text, task) else finished


def _is_doubtful(text: str, task: LineTask) -> bool:
    """Whether a person has to look, however sure the network is of what it sees."""
    if not text:
        # It is sure of its blanks also where it cannot read, as on a line that stands upright.
        return has_writing(task.image)
    bounds = task.decoding.bounds
    return bounds is not None and bounds.meaning(text) is None


def decode(
    engine: Engine, images: Sequence[Grey], decoders: Sequence[Decoder]
) -> list[WeighedReading]:
    """What each decoder makes of its line, and what the network says of that.

    Raises:
        LineFailed: the engine's answer to one of them is no number.
    """
    seen = _see(engine, images, [decoder.views for decoder in decoders])
    if not all(np.isfinite(row).all() for views in seen for row in views):
        # Its confidence would be no number either, and so never be below a threshold.
        raise LineFailed("The engine's answer is no number. Report it with the line's image.")
    seen = [
        [decoder.prepared(row) for row in views]
        for decoder, views in zip(decoders, seen, strict=True)
    ]
    readings = [decoder.read(*views) for decoder, views in zip(decoders, seen, strict=True)]
    return weigh([views[0] for views in seen], readings, decoders[0].alphabet)


def _see(
    engine: Engine, images: Sequence[Grey], counts: Sequence[int]
) -> list[list[NDArray[np.float32]]]:
    """The logits (T, C) of so many views of each image; a batch holds one view of a line."""
    seen: list[list[NDArray[np.float32]]] = [[] for _ in images]
    for number in range(max(counts)):
        chosen = [index for index, count in enumerate(counts) if count > number]
        batch = LineBatch.stack([view(images[index], number) for index in chosen])
        for index, row in zip(chosen, engine.logits(batch).rows(batch), strict=True):
            seen[index].append(row)
    return seen


def reading_work(engine: Engine, decoder: Decoder) -> Callable[[Sequence[Grey]], list[LineReading]]:
    """The work of a batcher of line images that are all decoded alike."""
    decoding = Decoding(decoder=decoder)

    def work(images: Sequence[Grey]) -> list[LineReading]:
        return read_tasks(engine, [LineTask(image=image, decoding=decoding) for image in images])

    return work
