"""Calls that wait in threads: those of storage and Redis have their own, for these may hang."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """Threads for calls that may take long, so that other requests find theirs free."""

    def __init__(self, count: int) -> None:
        self._limiter = CapacityLimiter(count)
        # Else each call would take one of the threads that all other work shares.
        self._unlimited = CapacityLimiter(math.inf)

    @property
    def waiting(self) -> int:
        """Calls that wait for a thread."""
        return self._limiter.statistics().tasks_waiting

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in one of the threads. What has begun ends before it is cancelled."""
        call = partial(function, *args, **kwargs)
        async with self._limiter:
            return await ended(to_thread.run_sync(call, limiter=self._unlimited))


async def ended(work: Coroutine[Any, Any, T]) -> T:
    """Await the work; when cancelled meanwhile, let it end first, for no thread can be stopped."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    finally:
        await asyncio.wait([task])
