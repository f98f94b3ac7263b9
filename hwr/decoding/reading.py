"""What a decoder makes of a line's logits."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LineReading:
    """What a line says."""

    #: The text in the model's alphabet; empty where nothing was found.
    text: str
    #: Geometric mean of the best path's probabilities, 0..1; not calibrated.
    confidence: float
