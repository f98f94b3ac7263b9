"""An engine under test, with the work that a batcher gives it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from hwr.batching import BatcherLimits
from hwr.decoding.decoders import BestPathDecoder
from hwr.decoding.reading import LineReading
from hwr.engines import ENGINES, Engine, open_engine
from hwr.errors import EngineError, HwrError
from hwr.line_work import reading_work
from hwr.model.line_image import Grey
from hwr.model.weights import Model

#: What the words of an engine's identity say about its arithmetic; the first that is found.
_DTYPES = {
    "int8": r"int8|qint8|quint8",
    "bfloat16": r"bf16|bfloat16",
    "float16": r"fp16|float16|half",
}

#: Names one of the others.
_ANOTHER_NAME = "auto"

Work = Callable[[Sequence[Grey]], list[LineReading]]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An engine that has started and is warm."""

    name: str
    #: As it goes into results.
    identity: str
    engine: Engine
    #: Reads with the likeliest class of each step, which costs next to nothing.
    work: Work

    @property
    def limits(self) -> BatcherLimits:
        """What the batcher makes of the lines in production."""
        return BatcherLimits(padded_columns=self.engine.columns)

    @classmethod
    def start(cls, name: str, model: Model, threads: int) -> Self:
        """Open the engine and warm it up.

        Raises:
            EngineError: it cannot be used on this machine, or another serves in its place.
        """
        engine = open_engine(name, model, threads)
        if "in place of" in engine.identity:
            raise EngineError(f"It does not serve here, {engine.identity}. See the log.")
        engine.warm_up()
        return cls(
            name=name,
            identity=engine.identity,
            engine=engine,
            work=reading_work(engine, BestPathDecoder(model.alphabet)),
        )

    @property
    def dtype(self) -> str:
        """What most of its arithmetic is done in, as a name of PyTorch."""
        found = (n for n, words in _DTYPES.items() if re.search(words, self.identity.lower()))
        return next(found, "float32")

    @property
    def device(self) -> str:
        """cpu or cuda."""
        return "cuda" if re.search("cuda|tensorrt", self.identity.lower()) else "cpu"


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Something that cannot be measured here."""

    name: str
    #: In the words of its error.
    reason: str


def start_all(
    asked: Sequence[str], model: Model, threads: int
) -> tuple[list[Subject], list[Skipped]]:
    """The engines of these names, or all, that start; and why the others do not."""
    subjects, skipped = [], []
    for name in asked or (name for name in ENGINES if name != _ANOTHER_NAME):
        try:
            subjects.append(Subject.start(name, model, threads))
        except HwrError as error:
            skipped.append(Skipped(name=name, reason=str(error)))
    return subjects, skipped
