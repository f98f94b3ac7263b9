"""`hwr purge`: deletes jobs that ended long ago, and says so, for those who run the service."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.engine import make_url

from hwr.errors import HwrError, ServiceError
from workers import retention
from workers.database import Database, short_lived_database
from workers.folders import JOBS
from workers.migrations import require_current
from workers.retention import DAY_S, Ended
from workers.settings import Settings
from workers.storage import Storage, open_storage

#: Tells the user something.
Say = Callable[[str], None]


@dataclass(frozen=True)
class _Found:
    """Something to delete."""

    #: Its id.
    name: str
    #: Deletes it.
    delete: Callable[[], None]
    #: What else is said of it.
    about: str = ""


def purge(
    settings: Settings,
    say: Say,
    complain: Say,
    *,
    days: int,
    tenant: str | None = None,
    abandoned: bool = False,
    dry_run: bool = False,
) -> bool:
    """Delete what ended more than so many days ago, and what lies abandoned in storage.

    Returns:
        Whether all of it was deleted; if not, the next call does the rest.

    Raises:
        ServiceError: the database looks like a wrong one; nothing was deleted.
        DatabaseUnavailable, StorageUnavailable: it broke off; the next call does the rest.
    """
    _require_file(settings)
    storage = open_storage(settings)
    deletion = _Deletion(say, complain, dry_run)
    with short_lived_database(settings) as database, database.outages_named():
        require_current(database)
        say(f"jobs of {database.address} and {storage.url(JOBS)}")
        if abandoned:
            _require_jobs(database)
        before = time.time() - days * DAY_S
        _purge_ended(database, storage, deletion, before, tenant)
        if abandoned:
            _purge_abandoned(database, storage, deletion)
    return deletion.failed == 0


def _require_file(settings: Settings) -> None:
    """Opening a SQLite file that is not there would make it, and its folder."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ServiceError(f"There is no database {url.database}. Correct HWR_DATABASE_URL.")


def _require_jobs(database: Database) -> None:
    """To a database without a job, all that the storage has is abandoned."""
    if not retention.has_jobs(database):
        raise ServiceError(
            f"The database {database.address} has no job at all, so that --abandoned would delete "
            "all of the storage. Correct HWR_DATABASE_URL, or leave out --abandoned."
        )


@dataclass
class _Deletion:
    """Deletes one after the other, and says what became of each."""

    say: Say
    complain: Say
    dry_run: bool
    #: How many could not be deleted.
    failed: int = 0

    def of_all(self, kind: str, found: Iterable[_Found]) -> None:
        """Delete them all; one that cannot be deleted costs no other."""
        gone = Counter(map(self._of_one, found))
        self.say(f"{gone[True]} {kind} {'would be deleted' if self.dry_run else 'deleted'}")
        self.failed += gone[False]

    def _of_one(self, found: _Found) -> bool:
        try:
            if not self.dry_run:
                found.delete()
        except HwrError as error:
            self.complain(f"{found.name} was not deleted. {error.code}: {error}")
            return False
        self.say(f"  {found.name}{found.about}")
        return True


def _purge_ended(
    database: Database, storage: Storage, deletion: _Deletion, before: float, tenant: str | None
) -> None:
    found = (
        _Found(job.id, partial(retention.delete_ended, database, storage, job.id), _about(job))
        for job in retention.ended_before(database, before, tenant=tenant)
    )
    deletion.of_all("ended", found)


def _about(job: Ended) -> str:
    day = datetime.fromtimestamp(job.finished_at, UTC)
    return f"  {day:%Y-%m-%d}  {job.state}  {job.tenant}"


def _purge_abandoned(database: Database, storage: Storage, deletion: _Deletion) -> None:
    found = [
        _Found(name, partial(retention.delete_abandoned, storage, name))
        for name in retention.abandoned(database, storage)
    ]
    deletion.of_all("abandoned", found)
