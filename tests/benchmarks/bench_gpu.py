"""What a GPU does with the network: `python tests/benchmarks/bench_gpu.py`, on one, by hand.

Three tables: how far logits are from those of the CPU in float32; how far a line's logits move with
what shares its batch; and how fast lines of 1024 pixels are read, with the share of each part. The
engine "halves" is that of TensorRT with PyTorch in the place of what TensorRT compiles: float16,
and the LSTM in half precision on cuDNN. The copies to and from the GPU count.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch

from hwr.engines.protocol import Engine, LineBatch
from hwr.engines.tensorrt_buckets import BUCKETS
from hwr.engines.tensorrt_cache import EngineCache, default_folder
from hwr.engines.tensorrt_compiler import Compiled
from hwr.engines.tensorrt_engine import TensorRtEngine
from hwr.engines.tensorrt_parts import Part
from hwr.engines.tensorrt_probe import probes
from hwr.engines.tensorrt_supply import EngineSupply
from hwr.engines.torch_engine import TorchEngine
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.network import Crnn, fold_norms
from hwr.model.weights import load_model

WIDTH = 1024
BATCHES = (16, 64, 256, 1024)
#: Times that a batch is read; the median counts.
TIMES = 7


class Uncompiled:
    """Leaves every part as it is."""

    platform: Mapping[str, str] = {"compiler": "none"}

    def build(self, part: Part) -> bytes:
        return part.name.encode()

    def load(self, part: Part, engine: bytes) -> Compiled:
        return part.module


def main() -> None:
    """Print the tables."""
    network = load_model().network
    say(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    engines = dict(engines_of(network))
    reference = TorchEngine(network, threads=torch.get_num_threads())
    say(f"{'largest difference to the CPU in float32':44} " + " ".join(f"{n:>9}" for n in engines))
    for bucket in BUCKETS:
        row = worst(list(probes(bucket)), engines, reference)
        say(f"up to {bucket.widest:4} pixels{'':27} " + " ".join(f"{d:9.2g}" for d in row))
    say(f"{'alone and in a batch':44} " + " ".join(f"{alone(e):9.2g}" for e in engines.values()))
    for lines in BATCHES:
        rates = [lines / seconds(reads(engine, lines)) for engine in engines.values()]
        title = f"lines/s, {lines} lines of {WIDTH} pixels"
        say(f"{title:44} " + " ".join(f"{rate:9,.0f}" for rate in rates))
    for lines in BATCHES:
        say(f"milliseconds in float16, {lines} lines: {parts(network, lines)}")


def engines_of(network: Crnn) -> Iterator[tuple[str, Engine]]:
    """Every way of reading on a GPU that needs no TensorRT."""
    yield "float32", TorchEngine(network, device="cuda")
    yield "bfloat16", TorchEngine(network, device="cuda", dtype=torch.bfloat16)
    yield "float16", TorchEngine(network, device="cuda", dtype=torch.float16)
    supply = EngineSupply(Uncompiled(), EngineCache(default_folder() / "uncompiled"))
    yield "halves", TensorRtEngine(network, supply, TorchEngine(network, device="cuda"))


def worst(
    batches: list[LineBatch], engines: Mapping[str, Engine], reference: Engine
) -> list[float]:
    """The largest difference of a logit, for each engine."""
    truth = [row for batch in batches for row in reference.logits(batch).rows(batch)]
    return [
        largest([row for batch in batches for row in engine.logits(batch).rows(batch)], truth)
        for engine in engines.values()
    ]


def largest(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The largest difference between two lists of arrays."""
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))


def alone(engine: Engine) -> float:
    """The largest difference of a logit between a line alone and in a batch of many."""
    batch = next(b for b in probes(BUCKETS[2]) if len(b.widths) > 1)
    together = engine.logits(batch).rows(batch)
    singles = [
        LineBatch.stack([image[:, :width]])
        for image, width in zip(batch.images, batch.widths, strict=True)
    ]
    return largest(together, [engine.logits(s).rows(s)[0] for s in singles])


def reads(engine: Engine, lines: int) -> Callable[[], object]:
    """Reads as many lines at once."""
    noise = np.random.default_rng(lines)
    images = noise.integers(0, 256, (lines, LINE_HEIGHT, WIDTH), np.uint8)
    batch = LineBatch(images=images, widths=np.full(lines, WIDTH, np.int64))
    return lambda: engine.logits(batch)


def seconds(run: Callable[[], object]) -> float:
    """The median of several runs, after two to warm up."""
    taken = []
    for _ in range(TIMES + 2):
        torch.cuda.synchronize()
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken[2:]))


@torch.inference_mode()
def parts(network: Crnn, lines: int) -> str:
    """What backbone, LSTM and classifier take of a batch."""
    half = fold_norms(network).to("cuda", torch.float16)
    half.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves it out
    ink = torch.rand(lines, 1, LINE_HEIGHT, WIDTH, device="cuda", dtype=torch.float16)
    ink = ink.contiguous(memory_format=torch.channels_last)
    widths = torch.full((lines,), WIDTH)
    features = half.backbone(ink, widths.cuda())
    lengths = widths // network.config.stride
    sequence = half.sequence(features, lengths)
    rows = {
        "backbone": lambda: half.backbone(ink, widths.cuda()),
        "LSTM": lambda: half.sequence(features, lengths),
        "classifier": lambda: half.head(sequence),
    }
    return ", ".join(f"{name} {1000 * seconds(run):.2f}" for name, run in rows.items())


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
