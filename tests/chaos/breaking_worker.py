"""A read worker whose engine breaks after its first batch and stays broken.

Run it with `python breaking_worker.py read`.

It stands in for a GPU after an error that only a new process is rid of.
"""

from hwr.engines import LineBatch, Logits
from hwr.engines.onnx_engine import OnnxEngine
from workers import worker

logits = OnnxEngine.logits
batches: list[LineBatch] = []


def breaking(self: OnnxEngine, batch: LineBatch) -> Logits:
    """Read the batch of the warm-up, and no other."""
    batches.append(batch)
    if len(batches) > 1:
        raise RuntimeError("an illegal memory access was encountered")
    return logits(self, batch)


if __name__ == "__main__":
    OnnxEngine.logits = breaking  # type: ignore[method-assign]
    worker.main()
