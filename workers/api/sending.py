"""Messages of jobs, sent behind the answers to their clients: a Redis that stalls holds up none."""

import asyncio
import logging

from celery import Celery

from hwr.errors import DatabaseUnavailable
from workers.api.threads import Threads
from workers.database import Database
from workers.dispatch import QueueDispatch, send_documents

log = logging.getLogger(__name__)

#: Jobs whose messages are sent at once, further ones wait: a Redis that stalls holds each for half
#: a minute. Celery opens so many connections to it.
_SENDERS = 10

#: Jobs whose messages may wait to be sent; each takes some 25 kB.
_MOST_UNSENT = 1000

#: Seconds that what waits to be sent gets at the end: a Redis that is well needs less.
_LAST_S = 5.0


class Sending:
    """Sends the messages of jobs; what it does not send is left to the reaper."""

    def __init__(self, celery: Celery, database: Database) -> None:
        self._dispatch = QueueDispatch(celery)
        self._database = database
        self._threads = Threads(_SENDERS)
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, job_id: str) -> None:
        """Send the messages of a job soon, unless Redis has stalled for long."""
        if self._threads.waiting < _MOST_UNSENT:
            task = asyncio.create_task(self._threads.run(self._send, job_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def over(self) -> None:
        """End: what has begun is awaited, what still waits after a while is not sent."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_S)
        if unsent := self._threads.waiting:
            log.warning("Redis stalls: %d jobs are left to the reaper, which sends them", unsent)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _send(self, job_id: str) -> None:
        try:
            with self._database.outages_named():
                send_documents(self._database, self._dispatch, job_id)
        except DatabaseUnavailable as error:
            log.warning("job %s: its documents cannot be sent now: %s", job_id, error)
