"""How the learning rate goes over a run."""

from typing import Protocol


class Schedule(Protocol):
    """The part of a recipe that says so."""

    @property
    def rate(self) -> float:
        """Peak learning rate."""

    @property
    def steps(self) -> int:
        """Steps of the run."""

    @property
    def warmup(self) -> int:
        """Steps of linear warm-up."""

    @property
    def cooldown(self) -> float:
        """Share of the steps, at the end, over which the rate falls linearly to zero."""


def rate_at(schedule: Schedule, step: int) -> float:
    """Learning rate of a step: warm-up, level, linear cool-down."""
    left = (schedule.steps - step) / max(1.0, schedule.steps * schedule.cooldown)
    return schedule.rate * max(0.0, min(1.0, (step + 1) / schedule.warmup, left))
