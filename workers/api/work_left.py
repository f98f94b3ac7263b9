"""What is left to do, asked of database and Redis for GET /metrics.

It costs as much as is left, however much is kept: the statements read indexes of unfinished rows.
Every API asks the same servers, and so tells the same.
"""

from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Connection, func, select, text

from workers import counts
from workers.app import queue_names
from workers.counts import Event
from workers.database import OPEN, UNFINISHED, Database, Document, Job, Lane, Page, State, table_of

_JOBS, _DOCUMENTS, _PAGES = table_of(Job), table_of(Document), table_of(Page)

#: Milliseconds that PostgreSQL gets for a statement: nobody waits longer for the answer.
_MOST_MS = 4000

_DOCUMENTS_LEFT = (
    select(_JOBS.c.lane, _DOCUMENTS.c.state, func.count(), func.min(_JOBS.c.created_at))
    .join_from(_DOCUMENTS, _JOBS)
    .where(OPEN)
    .group_by(_JOBS.c.lane, _DOCUMENTS.c.state)
)

_PAGES_LEFT = select(_PAGES.c.state, func.count()).where(UNFINISHED).group_by(_PAGES.c.state)


@dataclass(frozen=True, kw_only=True)
class DocumentsLeft:
    """The documents of a lane and a state that are not closed yet."""

    #: How many.
    count: int
    #: When the job of the oldest came in; None: there is none.
    oldest: float | None


#: What the database does not name.
NONE_LEFT = DocumentsLeft(count=0, oldest=None)


@dataclass(frozen=True, kw_only=True)
class WorkLeft:
    """What the database knows."""

    #: Those of which there is one.
    documents: dict[tuple[Lane, State], DocumentsLeft]
    #: How many pages are split and not read, by state.
    pages: dict[State, int]


@dataclass(frozen=True, kw_only=True)
class Queues:
    """What Redis knows."""

    #: Messages that nobody has taken, by queue.
    waiting: dict[str, int]
    #: What has happened, by event and labels.
    counts: dict[Event, dict[tuple[str, ...], int]]


def work_left(database: Database) -> WorkLeft:
    """What is left to do."""
    with database.reading() as session:
        _hurry(session.connection())
        documents = session.execute(_DOCUMENTS_LEFT).all()
        pages = session.execute(_PAGES_LEFT).all()
    return WorkLeft(
        documents={
            (lane, state): DocumentsLeft(count=count, oldest=oldest)
            for lane, state, count, oldest in documents
        },
        pages=dict(iter(pages)),
    )


def queues(redis: Redis) -> Queues:
    """The queues, and what was counted."""
    names = queue_names()
    with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.llen(name)
        pipeline.hgetall(counts.KEY)
        *lengths, fields = pipeline.execute()
    waiting = dict(zip(names, lengths, strict=True))
    return Queues(waiting=waiting, counts=counts.parse(fields))


def _hurry(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL statement_timeout = {_MOST_MS:d}"))
