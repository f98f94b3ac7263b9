"""Deleting jobs that have ended: first what lies in storage, then their rows, a job at a time.

Who is interrupted in between, or meets a storage that is away, repairs it by doing it again. No
state leaves the final ones, so that nobody begins with a job while it is deleted; a worker that has
not noticed yet that its job was cancelled may still write an object, which stays without a row.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, literal, select, tuple_

from hwr.errors import JobUnfinished
from workers import jobs
from workers.database import FINAL_STATES, Database, Job, State, be_patient
from workers.folders import JOBS, job_folder
from workers.storage import Storage

DAY_S = 24 * 3600.0

#: Ids that one query asks for.
_AT_ONCE = 500

#: Ended jobs that one query asks for; each looks through all jobs.
_ENDED_AT_ONCE = 10_000


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A job that has ended."""

    #: Its id.
    id: str
    #: Whom it belongs to.
    tenant: str
    #: How it ended.
    state: State
    #: When its last document was closed.
    finished_at: float


def ended_before(database: Database, when: float, *, tenant: str | None = None) -> Iterator[Ended]:
    """Jobs that ended before that time, the oldest first; of one tenant, or of all.

    There may be millions: they are asked for some at a time, and may be deleted meanwhile.
    """
    query = select(Job.id, Job.tenant, Job.state, Job.finished_at).where(
        Job.state.in_(FINAL_STATES), Job.finished_at < when
    )
    if tenant is not None:
        query = query.where(Job.tenant == tenant)
    query = query.order_by(Job.finished_at, Job.id).limit(_ENDED_AT_ONCE)
    some = _ended(database, query)
    while some:
        yield from some
        told = tuple_(literal(some[-1].finished_at), literal(some[-1].id))
        some = _ended(database, query.where(tuple_(Job.finished_at, Job.id) > told))


def _ended(database: Database, query: Select[*tuple[Any, ...]]) -> list[Ended]:
    with database.reading() as session:
        be_patient(session.connection())
        return [Ended(**row._mapping) for row in session.execute(query)]


def delete_own(database: Database, storage: Storage, *, tenant: str, job_id: str) -> None:
    """Delete a job of the tenant that has ended.

    Raises:
        JobNotFound: the tenant has no such job.
        JobUnfinished: it has not ended.
        StorageUnavailable: its objects cannot be deleted now; its rows are all there.
    """
    if jobs.view(database, tenant=tenant, job_id=job_id).state not in FINAL_STATES:
        raise JobUnfinished(
            f"The job has not ended. Cancel it first: POST /v1/jobs/{job_id}/cancel"
        )
    delete_ended(database, storage, job_id)


def delete_ended(database: Database, storage: Storage, job_id: str) -> None:
    """Delete a job that has ended. Somebody else may be about it as well, or have done it."""
    storage.delete_below(job_folder(job_id))
    with database.writing() as session:
        be_patient(session.connection())
        # Its documents, pages and lines go with it, locked in this order as everywhere.
        session.execute(delete(Job).where(Job.id == job_id))


def has_jobs(database: Database) -> bool:
    """Whether the database has any job, ended or not."""
    with database.reading() as session:
        return session.scalar(select(Job.id).limit(1)) is not None


def abandoned(database: Database, storage: Storage) -> list[str]:
    """Ids under which something lies in storage without a row, written more than a day ago.

    Originals are there before their job is written down, so that younger ones may yet become one.
    """
    # Names before rows: a job that is written down in between has its row.
    names = storage.names(JOBS)
    known = _known(database, names)
    return [name for name in names if name not in known and _is_old(storage, name)]


def delete_abandoned(storage: Storage, name: str) -> None:
    """Delete what lies under such an id."""
    storage.delete_below(job_folder(name))


def _known(database: Database, names: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(names), _AT_ONCE):
        query = select(Job.id).where(Job.id.in_(names[start : start + _AT_ONCE]))
        with database.reading() as session:
            known.update(session.scalars(query))
    return known


def _is_old(storage: Storage, name: str) -> bool:
    return 0 < storage.last_written(job_folder(name)) < time.time() - DAY_S
