"""A read worker whose engine breaks once it is ready and stays broken.

Run it with `python breaking_worker.py read`.

It stands in for a GPU after an error that only a new process is rid of.
"""

from hwr.engines import LineBatch, Logits
from hwr.engines.onnx_engine import OnnxEngine
from workers import worker

#: The warm-up, and the line that shows that the engine reads.
UNTIL_READY = 2

logits = OnnxEngine.logits
batches: list[LineBatch] = []


def breaking(self: OnnxEngine, batch: LineBatch) -> Logits:
    """Read the batches before the worker is ready, and no other."""
    batches.append(batch)
    if len(batches) > UNTIL_READY:
        raise RuntimeError("an illegal memory access was encountered")
    return logits(self, batch)


if __name__ == "__main__":
    OnnxEngine.logits = breaking  # type: ignore[method-assign]
    worker.main()
