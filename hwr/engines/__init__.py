"""Engines turn batches of line images into logits; all follow one protocol."""

from hwr.engines.protocol import Engine, LineBatch, Logits
from hwr.engines.registry import ENGINES, open_engine

__all__ = ["ENGINES", "Engine", "LineBatch", "Logits", "open_engine"]
