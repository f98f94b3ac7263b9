"""Answers of a server that are kept for a while, so that asking often costs it nothing."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from workers.api.threads import Threads

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds that an answer is good for.
FRESH_S = 10.0

#: Seconds that whoever asks waits: below the 10 that Prometheus gives a scrape.
PATIENCE_S = 5.0


class Latest(Generic[T]):
    """The latest answer to one question; None: the server does not answer."""

    def __init__(self, server: str, ask: Callable[[], T], outage: type[Exception]) -> None:
        self._server = server
        self._ask = ask
        self._outage = outage
        self._threads = Threads(1)
        self._asking: asyncio.Task[T | None] | None = None
        self._asked_at = 0.0

    async def get(self) -> T | None:
        """The answer. A server that hangs is asked once, however many wait for it."""
        asking = self._asking
        if asking is None or (asking.done() and self._is_old()):
            asking = self._asking = asyncio.create_task(self._threads.run(self._answer))
            self._asked_at = time.monotonic()
        answered, _ = await asyncio.wait({asking}, timeout=PATIENCE_S)
        return asking.result() if answered else None

    def _answer(self) -> T | None:
        try:
            return self._ask()
        except self._outage as error:
            log.warning("%s tells no metrics: %s", self._server, error)
            return None

    def _is_old(self) -> bool:
        return time.monotonic() - self._asked_at >= FRESH_S
