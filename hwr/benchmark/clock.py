"""Time that passed and time that processors worked."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(kw_only=True)
class Clock:
    """Seconds of a block; several blocks add up."""

    #: By the clock on the wall.
    wall_s: float = 0.0
    #: Of all processors, in this process and in the children that it waited for (poppler is one).
    cpu_s: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add the time of the block."""
        wall, cpu = time.perf_counter(), _cpu_s()
        try:
            yield
        finally:
            self.wall_s += time.perf_counter() - wall
            self.cpu_s += _cpu_s() - cpu


def _cpu_s() -> float:
    children = os.times()
    return time.process_time() + children.children_user + children.children_system
