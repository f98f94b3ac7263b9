"""The dynamic batcher: lines of many pages share the engine's batches.

Guarantees: every submitted line is answered exactly once, with its reading or with an error; an
idle engine never waits for a fuller batch (work-conserving); each lane's queue is bounded and
`submit` blocks when it is full, first come first served; a batch holds lines of one width bucket
within a budget of padded area; lines of one lane, tenant and bucket are read in the order they
came; no line waits for ever behind others; a line past its deadline never reaches the engine; when
a batch fails it is bisected, so that a poisoned line fails alone; `close` answers what is left with
ReaderClosed, for another worker to read.
"""

from hwr.batching.batcher import Batcher
from hwr.batching.histogram import Histogram
from hwr.batching.limits import BatcherLimits, Lane
from hwr.batching.statistics import BatcherStatistics

__all__ = ["Batcher", "BatcherLimits", "BatcherStatistics", "Histogram", "Lane"]
