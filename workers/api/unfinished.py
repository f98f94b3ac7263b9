"""Requests that have to clean up behind them, which the end of the process waits for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Unfinished:
    """The requests that are in such a part of their work."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """The request that calls this is one of them."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (requests are tasks)
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def over(self) -> None:
        """Wait until there is none."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
