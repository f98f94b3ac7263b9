"""The TensorRT engine with compilers that need no GPU: what it reads, and what it falls back to."""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from memory_models import model_of
from tensorrt_doubles import EagerCompiler, ExportingCompiler, RefusingCompiler, small_network

from hwr.engines import LineBatch, open_engine
from hwr.engines.tensorrt_buckets import BUCKETS
from hwr.engines.tensorrt_cache import EngineCache
from hwr.engines.tensorrt_compiler import Compiler
from hwr.engines.tensorrt_engine import TensorRtEngine, open_tensorrt
from hwr.engines.tensorrt_probe import TOLERANCE
from hwr.engines.tensorrt_supply import EngineSupply
from hwr.engines.torch_engine import TorchEngine
from hwr.errors import EngineError
from hwr.model.line_image import LINE_HEIGHT, MAX_WIDTH
from hwr.model.network import fold_norms
from hwr.model.weights import load_model

NARROW = BUCKETS[:1]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineCache:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return EngineCache(tmp_path / "hwr" / "engines")


def lines(*widths: int) -> LineBatch:
    noise = np.random.default_rng(sum(widths))
    return LineBatch.stack([noise.integers(0, 256, (LINE_HEIGHT, w), np.uint8) for w in widths])


def exact(compiler: Compiler, cache: EngineCache, *, cuda_graphs: bool = False) -> TensorRtEngine:
    """In float32, so that it can be compared closely."""
    network = small_network()
    return TensorRtEngine(
        network,
        EngineSupply(compiler, cache),
        TorchEngine(network),
        device="cpu",
        dtype=torch.float32,
        cuda_graphs=cuda_graphs,
        buckets=BUCKETS[:2],
    )


def opened(compiler: Compiler) -> str:
    """The identity of the engine that serves when `compiler` compiles."""
    return open_tensorrt(
        small_network(), 1, make_compiler=lambda graphs: compiler, buckets=NARROW
    ).identity


BATCHES = [(8,), (16, 8), (256,), (264,), (96, 512, 40), tuple(range(8, 250, 8)), (40,) * 150]


@pytest.mark.parametrize("cuda_graphs", [False, True])
def test_it_reads_as_the_torch_engine_does(cache: EngineCache, cuda_graphs: bool) -> None:
    reference = TorchEngine(small_network())
    engine = exact(EagerCompiler(), cache, cuda_graphs=cuda_graphs)
    for widths in BATCHES:
        batch = lines(*widths)
        rows = zip(
            engine.logits(batch).rows(batch), reference.logits(batch).rows(batch), strict=True
        )
        for ours, theirs in rows:
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_its_exported_graphs_read_as_the_torch_engine_does(cache: EngineCache) -> None:
    reference = TorchEngine(small_network())
    first = exact(ExportingCompiler(), cache)
    for engine in (first, exact(RefusingExporter(), cache)):  # the second takes the kept graphs
        for widths in BATCHES[:5]:
            batch = lines(*widths)
            np.testing.assert_allclose(
                engine.logits(batch).rows(batch)[0],
                reference.logits(batch).rows(batch)[0],
                atol=1e-5,
            )


class RefusingExporter(RefusingCompiler, ExportingCompiler):
    """It loads exported graphs and builds none."""


def test_a_line_reads_the_same_alone_and_in_any_batch(cache: EngineCache) -> None:
    engine = exact(EagerCompiler(), cache)
    batch = lines(40, 8, 504, 264)
    for row, image, width in zip(
        engine.logits(batch).rows(batch), batch.images, batch.widths, strict=True
    ):
        alone = LineBatch.stack([image[:, :width]])
        np.testing.assert_allclose(engine.logits(alone).rows(alone)[0], row, atol=1e-5)


def test_graphs_see_one_shape_a_bucket(cache: EngineCache) -> None:
    compiler = EagerCompiler()
    engine = exact(compiler, cache, cuda_graphs=True)
    for widths in BATCHES:
        engine.logits(lines(*widths))
    ink = {shape for shape in compiler.shapes if len(shape) == 4}
    assert ink == {(64, 1, LINE_HEIGHT, 256), (32, 1, LINE_HEIGHT, 512)}
    assert len(compiler.shapes) == 4


def test_a_batch_wider_than_any_line_is_refused(cache: EngineCache) -> None:
    with pytest.raises(EngineError, match="normalise_line"):
        exact(EagerCompiler(), cache).logits(lines(MAX_WIDTH + 8))


def test_half_precision_stays_far_within_the_tolerance() -> None:
    network = fold_norms(load_model().network)
    batch = lines(160, 96)
    ink = (255 - torch.from_numpy(batch.images)).unsqueeze(1) / 255
    widths = torch.from_numpy(batch.widths)
    with torch.inference_mode():
        exact_values, _ = network(ink, widths)
        half_values, _ = network.half()(ink.half(), widths)
    for exact_row, half_row, width in zip(exact_values, half_values, widths, strict=True):
        off = (exact_row - half_row.float())[: width // network.config.stride].abs().max()
        assert 0 < off < TOLERANCE / 4


def test_what_it_is_stands_in_its_identity() -> None:
    identity = opened(EagerCompiler())
    for word in ("tensorrt float16", "tensorrt 11.0.0", "driver 580.82.07", "H100"):
        assert word in identity


def test_the_second_start_builds_nothing() -> None:
    first, second = EagerCompiler(), EagerCompiler()
    assert opened(first) == opened(second)
    assert (first.built, second.built) == (["backbone", "head"], [])


def fails_to_start(graphs: bool) -> Compiler:
    raise EngineError("no driver")


@pytest.mark.parametrize(
    ("make_compiler", "reason"),
    [
        (fails_to_start, "EngineError"),
        (lambda graphs: RefusingCompiler(), "RuntimeError"),
        (lambda graphs: EagerCompiler(off=2 * TOLERANCE), "EngineError"),
        (lambda graphs: EagerCompiler(off=math.nan), "EngineError"),
    ],
)
def test_what_goes_wrong_at_the_start_ends_in_the_eager_engine(
    make_compiler: Callable[[bool], Compiler], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    network, batch = small_network(), lines(96, 40)
    engine = open_tensorrt(network, 1, make_compiler=make_compiler, buckets=NARROW)
    engine.warm_up()
    assert engine.identity.startswith("torch ")
    assert engine.identity.endswith(f"in place of tensorrt ({reason})")
    assert "TensorRT does not serve" in caplog.text
    np.testing.assert_array_equal(
        engine.logits(batch).values, TorchEngine(network).logits(batch).values
    )


def test_a_kept_engine_that_reads_wrong_is_built_again(caplog: pytest.LogCaptureFixture) -> None:
    assert "in place of" in opened(EagerCompiler(off=1.0))
    compiler = EagerCompiler()
    assert opened(compiler).startswith("tensorrt ")
    assert compiler.built == ["backbone", "head"]
    assert "building them again" in caplog.text
    assert "in place of" not in opened(RefusingCompiler())


def test_a_cache_that_cannot_be_written_costs_only_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "hwr").write_text("a file where the folder ought to be")
    assert opened(EagerCompiler()).startswith("tensorrt ")
    assert "The next start will build" in caplog.text


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-graphs"])
def test_without_torch_tensorrt_the_registered_engine_is_eager(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch_tensorrt", None)
    engine = open_engine(name, model_of(small_network()))
    assert engine.identity.endswith("in place of tensorrt (EngineError)")
