"""Where the time of a batcher goes: waiting and working apart, how full and how padded batches are.

Long waiting beside short working asks for more engines; small batches beside long working ask for
more pages at once; much padding asks for narrower buckets.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hwr.batching.histogram import Histogram, Tally

#: Upper ends in seconds: 1 ms, doubled up to 131 s.
SECONDS = tuple(0.001 * 2**power for power in range(18))
#: Upper ends in lines.
LINES = tuple(float(2**power) for power in range(11))
#: Upper ends as a share of a batch's columns.
PADDING = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75)


@dataclass(frozen=True, kw_only=True)
class BatcherStatistics:
    """What a batcher did since it was made."""

    #: Seconds from `submit` until a line was taken into a batch.
    waiting: Histogram
    #: Seconds that the engine worked on a batch.
    working: Histogram
    #: Lines of a batch.
    lines: Histogram
    #: Share of a batch's columns that were padding, 0..1.
    padding: Histogram

    def __str__(self) -> str:
        return (
            f"{self.waiting.count} lines waited {_ms(self.waiting)};"
            f" {self.working.count} batches of {self.lines.mean:.1f} lines worked"
            f" {_ms(self.working)}; padding {self.padding.mean:.1%}"
        )


def _ms(seconds: Histogram) -> str:
    half, most = seconds.quantile(0.5), seconds.quantile(0.99)
    return f"{1e3 * seconds.mean:.0f} ms (half ≤ {1e3 * half:.0f}, 99 % ≤ {1e3 * most:.0f})"


class StatisticsTally:
    """Statistics that grow; safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting, self._working = Tally(SECONDS), Tally(SECONDS)
        self._lines, self._padding = Tally(LINES), Tally(PADDING)

    def add_waiting(self, seconds: Iterable[float]) -> None:
        """Count lines that were taken into a batch."""
        with self._lock:
            for waited in seconds:
                self._waiting.add(waited)

    def add_batch(self, widths: Sequence[int], seconds: float) -> None:
        """Count a batch that the engine has worked on, of lines so many columns wide."""
        with self._lock:
            self._working.add(seconds)
            self._lines.add(len(widths))
            self._padding.add(padding_share(widths))

    def snapshot(self) -> BatcherStatistics:
        """What was counted so far."""
        with self._lock:
            return BatcherStatistics(
                waiting=self._waiting.snapshot(),
                working=self._working.snapshot(),
                lines=self._lines.snapshot(),
                padding=self._padding.snapshot(),
            )


def padding_share(widths: Sequence[int]) -> float:
    """Share of the columns that are padding when lines of these widths make a batch, 0..1."""
    columns = len(widths) * max(widths)
    return 1 - sum(widths) / columns if columns else 0.0
