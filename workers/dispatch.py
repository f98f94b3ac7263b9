"""Send work to the queues: one message an id, and nothing else in it.

The database has the work already when a message is sent. So a message that cannot be sent is no
error: the work is made due, and the reaper sends it as soon as Redis is back.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import Row, select

from workers import leases
from workers.database import Database, Document, Job, Lane, Page, Stage

log = logging.getLogger(__name__)

#: What sending raises when Redis is away.
_UNSENT = (OperationalError, RedisError, OSError)

#: The queue of all documents whose pages have been read, whatever their lane.
PUBLISH_QUEUE = "publish"

#: Where version 0.1.0 put documents of every lane.
UNLANED_SPLIT_QUEUE = "split"


def split_queue(lane: Lane) -> str:
    """The queue of a lane's documents."""
    return f"split.{lane.value}"


def read_queue(lane: Lane) -> str:
    """The queue of a lane's pages."""
    return f"read.{lane.value}"


def split_worker_queues() -> tuple[str, ...]:
    """What a split worker takes from, first things first."""
    high, *others = map(split_queue, Lane)
    # What an update has left behind is older than what came since, and may be urgent.
    return (high, UNLANED_SPLIT_QUEUE, *others)


def read_worker_queues() -> tuple[str, ...]:
    """What a read worker takes from: results go out before new pages come in."""
    return (PUBLISH_QUEUE, *map(read_queue, Lane))


class Dispatch(Protocol):
    """Where the stages hand on their work."""

    def split(self, document_id: str, lane: Lane) -> None:
        """Have the document split."""

    def read(self, page_id: int, lane: Lane) -> None:
        """Have the page read."""

    def publish(self, document_id: str) -> None:
        """Have the document's result published."""


class QueueDispatch:
    """Hands work on through Celery's queues; raises OperationalError when Redis is away."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def split(self, document_id: str, lane: Lane) -> None:
        """Have the document split."""
        self._send("hwr.split", split_queue(lane), Document, document_id)

    def read(self, page_id: int, lane: Lane) -> None:
        """Have the page read."""
        self._send("hwr.read", read_queue(lane), Page, page_id)

    def publish(self, document_id: str) -> None:
        """Have the document's result published."""
        self._send("hwr.publish", PUBLISH_QUEUE, Document, document_id)

    def _send(self, task: str, queue: str, _work: leases.Work, row_id: str | int) -> None:
        self._app.send_task(task, args=[row_id], queue=queue)


class CeleryDispatch(QueueDispatch):
    """The same for those who cannot wait: what cannot be sent now is left to the reaper."""

    def __init__(self, app: Celery, database: Database) -> None:
        super().__init__(app)
        self._database = database

    def _send(self, task: str, queue: str, work: leases.Work, row_id: str | int) -> None:
        try:
            super()._send(task, queue, work, row_id)
        except _UNSENT as error:
            log.warning("%s %s cannot be sent now: %s", task, row_id, error)
            with self._database.writing() as session:
                leases.make_due(session, work, work.id == row_id)


def send_documents(database: Database, dispatch: Dispatch, job_id: str) -> None:
    """Have every document of the job split that was not yet.

    A Redis that is away takes its time to say so: what cannot be sent is left to the reaper, with
    all that comes after it.
    """
    query = select(Document.id, Job.lane).join(Job)
    waiting = query.where(Document.job_id == job_id, Document.stage == Stage.SPLIT)
    with database.reading() as session:
        documents = session.execute(waiting.order_by(Document.position)).all()
    try:
        send_all(database, Document, documents, dispatch.split)
    except _UNSENT as error:
        log.warning("job %s: its documents cannot be sent now: %s", job_id, error)


def send_all(
    database: Database,
    work: leases.Work,
    rows: Sequence[Row[*tuple[Any, ...]]],
    send: Callable[..., None],
) -> None:
    """Call `send` with each row of work, whose first column is its id, outside of a transaction.

    Nobody else can write to SQLite beside one while Redis stalls. Where a row cannot be sent, it
    and all that come after it are due again, and what `send` raised is raised.
    """
    for position, row in enumerate(rows):
        try:
            send(*row)
        except Exception:
            unsent = [row.id for row in rows[position:]]
            with database.writing() as session:
                leases.make_due(session, work, work.id.in_(unsent))
            raise
