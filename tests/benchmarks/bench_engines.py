"""Lines a second of each CPU engine, side by side in one run: `python bench_engines.py`.

Sixteen lines of about 1024 pixels, noise in place of writing (an engine's work does not depend on
it), one thread, CPU seconds; the first batch is not counted.
"""

import sys
import time

import numpy as np

from hwr.engines import Engine, LineBatch, open_engine
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.weights import load_model

LINES, WIDTH, BATCHES = 16, 1024, 3
ENGINES = ("torch", "torch-bf16")


def main() -> None:
    """Print one row an engine, the first one being the baseline."""
    batch = draw_batch()
    baseline = 0.0
    for name in ENGINES:
        speed = lines_per_second(open_engine(name, load_model()), batch)
        baseline = baseline or speed
        sys.stdout.write(f"{name:12} {speed:6.1f} lines/s  {speed / baseline:4.2f} times\n")


def draw_batch() -> LineBatch:
    """Lines whose widths differ, so that masks and lengths have work to do."""
    noise = np.random.default_rng(0)
    widths = [WIDTH - 8 * number for number in range(LINES)]
    return LineBatch.stack([noise.integers(0, 256, (LINE_HEIGHT, w), np.uint8) for w in widths])


def lines_per_second(engine: Engine, batch: LineBatch) -> float:
    """Lines a CPU second."""
    engine.logits(batch)
    start = time.process_time()
    for _ in range(BATCHES):
        engine.logits(batch)
    return LINES * BATCHES / (time.process_time() - start)


if __name__ == "__main__":
    main()
