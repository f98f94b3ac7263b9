"""How many lines are read at once is for the engine to say."""

from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pipeline import small_model

from hwr.engines import ENGINES, LineBatch, Logits
from hwr.engines.protocol import CPU_COLUMNS
from hwr.engines.torch_engine import columns_on
from hwr.model.weights import Model, load_model
from hwr.reader import LineReader

GIB = 2**30


class Small:
    """Reads nothing, three narrow lines at a time, and only once it may."""

    identity = "small"
    columns = 3 * 64

    def __init__(self, model: Model) -> None:
        self._classes = model.config.classes
        self.may = Event()
        self.sizes: list[int] = []

    def logits(self, batch: LineBatch) -> Logits:
        assert self.may.wait(30)
        self.sizes.append(len(batch.widths))
        steps = batch.widths // 4
        values = np.zeros((len(steps), steps.max(), self._classes), np.float32)
        return Logits(values=values, lengths=steps)

    def warm_up(self) -> None:
        """Nothing is to be done."""


def test_batches_are_as_large_as_suits_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small_model(tmp_path / "small.safetensors")
    engine = Small(load_model(model))
    monkeypatch.setitem(ENGINES, "small", lambda _model, _threads: engine)
    with LineReader(model=model, engine="small", decoder="best-path") as reader:
        line = np.full((64, 64), 255, np.uint8)
        promises = [reader.submit(line) for _ in range(10)]
        engine.may.set()
        for promise in promises:
            promise.result(30)
    assert sum(engine.sizes) == 10
    assert max(engine.sizes) == 3


@pytest.mark.parametrize(
    ("free", "columns"), [(70 * GIB, 262_144), (2 * GIB, 2 * GIB // 40_960), (0, CPU_COLUMNS)]
)
def test_a_gpu_is_given_what_its_memory_holds(
    monkeypatch: pytest.MonkeyPatch, free: int, columns: int
) -> None:
    monkeypatch.setattr(torch, "cuda", SimpleNamespace(mem_get_info=lambda _: (free, 80 * GIB)))
    assert columns_on(torch.device("cuda")) == columns
    assert columns_on(torch.device("cpu")) == CPU_COLUMNS
