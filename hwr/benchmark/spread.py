"""A figure that was measured several times, and the order in which that is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

Thing = TypeVar("Thing")


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Rounds of one measurement."""

    #: The middle one, or the mean of the two middle ones.
    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(median=median(values), low=min(values), high=max(values), rounds=len(values))


def rounds(things: Sequence[Thing], count: int) -> Iterator[Thing]:
    """All things `count` times over, each round beginning with another: none is always first."""
    for turn in range(count):
        first = turn % max(1, len(things))
        yield from [*things[first:], *things[:first]]
