"""`hwr purge`: deletes jobs that ended long ago, and says so, for those who run the service."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from hwr.errors import ServiceUnavailable
from workers import retention
from workers.database import Database, short_lived_database
from workers.migrations import upgrade
from workers.retention import DAY_S
from workers.settings import Settings
from workers.storage import Storage, open_storage

#: Tells the user something.
Say = Callable[[str], None]


def purge(
    settings: Settings,
    say: Say,
    *,
    days: int,
    tenant: str | None = None,
    abandoned: bool = False,
    dry_run: bool = False,
) -> None:
    """Delete what ended more than so many days ago, and what lies abandoned in storage.

    Raises:
        ServiceUnavailable, StorageUnavailable: not all was deleted; the next call does the rest.
    """
    storage = open_storage(settings)
    try:
        with short_lived_database(settings) as database:
            upgrade(database)
            _say_where(database, storage, say)
            _purge_ended(database, storage, say, days, tenant, dry_run)
            if abandoned:
                _purge_abandoned(database, storage, say, dry_run)
    except SQLAlchemyError as error:
        raise ServiceUnavailable(
            f"The database failed ({error}). Check HWR_DATABASE_URL, then run it again."
        ) from error


def _say_where(database: Database, storage: Storage, say: Say) -> None:
    say(f"jobs of {database.address} and {storage.url('jobs')}")


def _purge_ended(
    database: Database, storage: Storage, say: Say, days: int, tenant: str | None, dry_run: bool
) -> None:
    before = time.time() - days * DAY_S
    ended = retention.ended_before(database, before, tenant=tenant)
    for job in ended:
        if not dry_run:
            retention.delete_ended(database, storage, job.id)
        day = datetime.fromtimestamp(job.finished_at, UTC)
        say(f"  {job.id}  {day:%Y-%m-%d}  {job.state}  {job.tenant}")
    _say_how_many(say, "ended", ended, dry_run)


def _purge_abandoned(database: Database, storage: Storage, say: Say, dry_run: bool) -> None:
    names = retention.abandoned(database, storage)
    for name in names:
        if not dry_run:
            retention.delete_abandoned(storage, name)
        say(f"  {name}")
    _say_how_many(say, "abandoned", names, dry_run)


def _say_how_many(say: Say, kind: str, found: Sequence[object], dry_run: bool) -> None:
    say(f"{len(found)} {kind} {'would be deleted' if dry_run else 'deleted'}")
