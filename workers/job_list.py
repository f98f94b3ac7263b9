"""A tenant's jobs in a list: found by what its client knows of them where that is not their ids."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from workers.database import Database, Job, State, table_of

_JOBS = table_of(Job)


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


def newest(
    database: Database,
    *,
    tenant: str,
    limit: int,
    idempotency_key: str | None = None,
    state: State | None = None,
) -> list[ListedJob]:
    """The tenant's newest jobs of that key and state, where these are given, newest first."""
    query = (
        select(_JOBS)
        .where(_JOBS.c.tenant == tenant, *_conditions(idempotency_key, state))
        .order_by(_JOBS.c.created_at.desc())
        .limit(limit)
    )
    with database.reading() as session:
        return [_listed(job) for job in session.execute(query)]


def _conditions(idempotency_key: str | None, state: State | None) -> list[ColumnElement[bool]]:
    conditions = []
    if idempotency_key is not None:
        conditions.append(_JOBS.c.idempotency_key == idempotency_key)
    if state is not None:
        conditions.append(_JOBS.c.state == state)
    return conditions


def _listed(job: Row[Any]) -> ListedJob:
    return ListedJob(
        id=job.id,
        state=job.state,
        created=datetime.fromtimestamp(job.created_at, UTC),
        idempotency_key=job.idempotency_key,
    )
