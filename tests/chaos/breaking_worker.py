"""A read worker whose engine breaks after its first batch and stays broken.

Run it with `python breaking_worker.py read`.

It stands in for a GPU after an error that only a new process is rid of.
"""

from hwr.engines import LineBatch, Logits, torch_engine
from workers import worker

logits = torch_engine.TorchEngine.logits
batches: list[LineBatch] = []


def breaking(self: torch_engine.TorchEngine, batch: LineBatch) -> Logits:
    """Read the batch of the warm-up, and no other."""
    batches.append(batch)
    if len(batches) > 1:
        raise RuntimeError("an illegal memory access was encountered")
    return logits(self, batch)


if __name__ == "__main__":
    torch_engine.TorchEngine.logits = breaking  # type: ignore[method-assign]
    worker.main()
