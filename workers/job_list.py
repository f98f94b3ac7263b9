"""A tenant's jobs in a list: found by what its client knows of them where that is not their ids."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Row, and_, or_, select

from hwr.errors import BadRequest
from workers.database import Database, Job, State, table_of

_JOBS = table_of(Job)

#: A cursor before it is encoded. Neither NaN nor a zero character, of which SQLite and PostgreSQL
#: make different things.
_CURSOR = re.compile(r"(\d{1,11}\.\d{1,17}) ([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The last job of a page; the next begins after it, also when that job is deleted meanwhile."""

    #: When the job came in: seconds since 1970, as its row has it.
    created_at: float
    #: Its id, which tells jobs of the same moment apart.
    id: str

    def __str__(self) -> str:
        """What clients hand back; they are not to read it."""
        return base64.urlsafe_b64encode(f"{self.created_at!r} {self.id}".encode()).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cursor that was told as this text.

        Raises:
            BadRequest: no list ended with it.
        """
        try:
            told = _CURSOR.fullmatch(base64.urlsafe_b64decode(text).decode())
        except ValueError:
            told = None
        if told is None:
            raise BadRequest(
                "query.cursor: no list ended with it. Take the whole address `next` of a list."
            )
        return cls(created_at=float(told[1]), id=told[2])


@dataclass(frozen=True, kw_only=True)
class ListedJob:
    """A job without its documents."""

    #: Its id.
    id: str
    #: Where it stands.
    state: State
    #: When it came in.
    created: datetime
    #: The client's name for its submission, if it gave one.
    idempotency_key: str | None


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """Some jobs of a list."""

    #: Newest first.
    jobs: tuple[ListedJob, ...]
    #: Where the next page begins; None: this is the last.
    next: Cursor | None


def newest(
    database: Database,
    *,
    tenant: str,
    limit: int,
    idempotency_key: str | None = None,
    state: State | None = None,
    after: Cursor | None = None,
) -> JobPage:
    """The tenant's newest jobs of that key and state, where these are given, newest first.

    Args:
        limit: How many at most.
        after: Only those that follow it.
    """
    query = (
        select(_JOBS)
        .where(_JOBS.c.tenant == tenant, *_conditions(idempotency_key, state, after))
        .order_by(_JOBS.c.created_at.desc(), _JOBS.c.id.desc())
        .limit(limit + 1)
    )
    with database.reading() as session:
        rows = session.execute(query).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return JobPage(
        jobs=tuple(map(_listed, rows[:limit])),
        next=Cursor(created_at=last.created_at, id=last.id) if last else None,
    )


def _conditions(
    idempotency_key: str | None, state: State | None, after: Cursor | None
) -> list[ColumnElement[bool]]:
    conditions = []
    if idempotency_key is not None:
        conditions.append(_JOBS.c.idempotency_key == idempotency_key)
    if state is not None:
        conditions.append(_JOBS.c.state == state)
    if after is not None:
        conditions.append(_follows(after))
    return conditions


def _follows(cursor: Cursor) -> ColumnElement[bool]:
    created_at = _JOBS.c.created_at
    older = or_(created_at < cursor.created_at, _JOBS.c.id < cursor.id)
    # The first condition alone is one that the index can begin at.
    return and_(created_at <= cursor.created_at, older)


def _listed(job: Row[Any]) -> ListedJob:
    return ListedJob(
        id=job.id,
        state=job.state,
        created=datetime.fromtimestamp(job.created_at, UTC),
        idempotency_key=job.idempotency_key,
    )
