"""The CPU engines side by side in one run: `python tests/benchmarks/bench_engines.py`.

Speed: sixteen lines of about 1024 pixels, noise in place of writing (an engine's work does not
depend on it), one thread, CPU seconds. The engines take turns and the best turn of each counts, so
that other work on the machine disturbs their ratios least.

Start: what a process takes from nothing to its first line read, imports included, and its memory.
"""

import subprocess
import sys
import time

import numpy as np

from hwr.engines import Engine, LineBatch, open_engine
from hwr.engines.onnx_engine import OnnxEngine
from hwr.errors import EngineError
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.weights import load_model

LINES, WIDTH, TURNS = 16, 1024, 5

START = """
import sys, time
start = time.perf_counter()
from pathlib import Path
from hwr.engines import open_engine
from hwr.model.weights import load_model
open_engine(sys.argv[1], load_model()).warm_up()
status = Path("/proc/self/status").read_text()
memory = int(status.split("VmHWM:")[1].split()[0]) // 1024
print(f"{sys.argv[1]:16} {time.perf_counter() - start:6.2f} s to the first line {memory:6} MiB")
"""


def main() -> None:
    """Print one row an engine, the first one being the baseline."""
    batch, engines = draw_batch(), open_engines()
    best = dict.fromkeys(engines, float("inf"))
    for turn in range(TURNS + 1):
        for name, engine in engines.items():
            seconds = cpu_seconds(engine, batch)
            best[name] = min(best[name], seconds) if turn else best[name]  # the first one warms up
    baseline = best["torch"]
    for name, seconds in best.items():
        speed, ratio = LINES / seconds, baseline / seconds
        sys.stdout.write(f"{name:16} {speed:6.1f} lines/s  {ratio:4.2f} times\n")
    sys.stdout.flush()
    for name in ("torch", "onnx"):
        subprocess.run([sys.executable, "-c", START, name], check=True)


def open_engines() -> dict[str, Engine]:
    """The shipped model in every engine that this CPU has the instructions for."""
    model = load_model()
    engines = {"torch": open_engine("torch", model)}
    try:
        engines["torch-bf16"] = open_engine("torch-bf16", model)
    except EngineError as error:
        sys.stdout.write(f"torch-bf16       left out: {error}\n")
    return engines | {"onnx, float32": OnnxEngine(model), "onnx": open_engine("onnx", model)}


def draw_batch() -> LineBatch:
    """Lines whose widths differ, so that masks and lengths have work to do."""
    noise = np.random.default_rng(0)
    widths = [WIDTH - 8 * number for number in range(LINES)]
    return LineBatch.stack([noise.integers(0, 256, (LINE_HEIGHT, w), np.uint8) for w in widths])


def cpu_seconds(engine: Engine, batch: LineBatch) -> float:
    """CPU seconds for one batch."""
    start = time.process_time()
    engine.logits(batch)
    return time.process_time() - start


if __name__ == "__main__":
    main()
