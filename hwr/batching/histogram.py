"""Counts of values by fixed ranges: cheap to add to, small to hand out."""

from bisect import bisect_left
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """What was counted up to a moment."""

    #: Upper ends of the ranges, each within its range; beyond the last there is one range more.
    bounds: tuple[float, ...]
    #: Values in each range, one more than there are bounds.
    counts: tuple[int, ...]
    #: Sum of all values.
    total: float

    @property
    def count(self) -> int:
        """How many values."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """Their mean, 0 without any."""
        return self.total / max(1, self.count)

    def quantile(self, share: float) -> float:
        """Upper end of the range below which `share` (0..1) of the values lie; 0 without any."""
        left = share * self.count
        for bound, count in zip(self.bounds, self.counts, strict=False):
            left -= count
            if left <= 0:
                return bound if self.count else 0.0
        return float("inf")


class Tally:
    """A histogram that grows; one thread at a time."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def snapshot(self) -> Histogram:
        """What was counted so far."""
        return Histogram(bounds=self._bounds, counts=tuple(self._counts), total=self._total)
