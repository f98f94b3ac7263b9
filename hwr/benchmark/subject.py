"""An engine under test, with the work that a batcher gives it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from hwr.benchmark.material import Grey
from hwr.decoding.decoders import BestPathDecoder
from hwr.decoding.reading import LineReading
from hwr.engines import ENGINES, open_engine
from hwr.errors import HwrError
from hwr.model.weights import Model
from hwr.reader import reading_work

#: What the words of an engine's identity say about its arithmetic; the first that is found.
_DTYPES = {
    "int8": r"int8|qint8|quint8",
    "bfloat16": r"bf16|bfloat16",
    "float16": r"fp16|float16|half",
}

Work = Callable[[Sequence[Grey]], list[LineReading]]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An engine that has started and is warm."""

    name: str
    #: As it goes into results.
    identity: str
    work: Work

    @classmethod
    def start(cls, name: str, model: Model, threads: int) -> Self:
        """Open the engine and warm it up.

        Raises:
            EngineError: it cannot be used on this machine.
        """
        engine = open_engine(name, model, threads)
        engine.warm_up()
        return cls(
            name=name,
            identity=engine.identity,
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
        on_gpu = re.search("cuda|tensorrt", f"{self.name} {self.identity}".lower())
        return "cuda" if on_gpu else "cpu"


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Something that cannot be measured here."""

    name: str
    #: In the words of its error.
    reason: str


def start_all(
    names: Sequence[str], model: Model, threads: int
) -> tuple[list[Subject], list[Skipped]]:
    """The engines of these names that start, and why the others do not."""
    subjects, skipped = [], []
    for name in names:
        try:
            subjects.append(Subject.start(name, model, threads))
        except HwrError as error:
            skipped.append(Skipped(name=name, reason=str(error)))
    return subjects, skipped


def engine_names(asked: Sequence[str]) -> list[str]:
    """Those asked for, else all that there are; `auto` is another name of one of them."""
    return list(asked) or [name for name in ENGINES if name != "auto"]
