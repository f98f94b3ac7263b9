"""The probe that an engine must read as the reference does before it serves anybody."""

from collections.abc import Iterator

import numpy as np

from hwr.engines.protocol import Engine, LineBatch
from hwr.engines.tensorrt_buckets import Bucket
from hwr.errors import EngineError
from hwr.model.line_image import LINE_HEIGHT, WIDTH_STEP

#: How far a logit, 15 or so at its highest, may be off. Half precision alone moves the shipped
#: model's by less than a quarter of it, which a test holds; a wrong mask or kernel by whole units.
TOLERANCE = 0.25


def check_parity(engine: Engine, reference: Engine, bucket: Bucket) -> None:
    """Let both read probes of `bucket`: one narrow line, one wide one, a full batch of all widths.

    Raises:
        EngineError: they differ by more than TOLERANCE, or the engine says what is no number.
    """
    for batch in probes(bucket):
        ours, theirs = engine.logits(batch).rows(batch), reference.logits(batch).rows(batch)
        worst = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
        if not worst <= TOLERANCE:  # written so that NaN fails
            raise EngineError(
                f"TensorRT's logits are off by {worst:.3g} at {batch.images.shape}, more than"
                f" {TOLERANCE}. Set HWR_ENGINE=torch-cuda, and report this with the GPU's name."
            )


def probes(bucket: Bucket) -> Iterator[LineBatch]:
    """Batches that try a bucket: one narrow line, one wide one, a full batch of all widths."""
    noise = np.random.default_rng(bucket.widest)
    lines = bucket.usual_lines
    spread = np.linspace(WIDTH_STEP, bucket.widest, lines).astype(int) // WIDTH_STEP * WIDTH_STEP
    for widths in ([bucket.narrowest], [bucket.widest], [*spread[:-1], bucket.widest]):
        yield LineBatch.stack([_drawn(int(width), noise) for width in widths])


def _drawn(
    width: int, noise: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Paper with upright strokes of ink, nearer to writing than noise is."""
    line = np.full((LINE_HEIGHT, width), 250, np.uint8)
    for left in range(2, width, 12):
        top, bottom = sorted(noise.integers(8, LINE_HEIGHT - 8, 2))
        line[top : bottom + 4, left : left + 3] = noise.integers(0, 120)
    return line
