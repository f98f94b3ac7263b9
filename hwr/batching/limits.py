"""What a batcher is told: how urgent a line is, how large batches and queues may grow."""

from dataclasses import dataclass
from enum import IntEnum


class Lane(IntEnum):
    """Priority of a line; a lower number goes first."""

    #: Someone is waiting at a screen.
    HIGH = 0
    #: Ordinary work.
    NORMAL = 1
    #: Night runs, re-reading.
    LOW = 2


@dataclass(frozen=True, kw_only=True)
class BatcherLimits:
    """How large batches and the queue may grow."""

    #: Columns of a batch, padding included (64-pixel-high pixels of width).
    padded_columns: int = 16_384
    #: Width of a bucket in pixels: lines whose widths fall into one bucket share batches.
    bucket: int = 256
    #: Lines waiting in a lane at most; `submit` blocks beyond.
    waiting: int = 4_096
    #: Batches in a row that a lane may be passed over for a higher one.
    patience: int = 8
