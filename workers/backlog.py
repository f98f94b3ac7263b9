"""How much of a tenant's work may wait, so that one tenant fills neither disks nor queues."""

from sqlalchemy import func, literal, select

from hwr.errors import TooManyWaiting
from workers.database import OPEN, Database, Document, Job, table_of
from workers.settings import Settings

_JOBS, _DOCUMENTS = table_of(Job), table_of(Document)


def check_room(database: Database, settings: Settings, *, tenant: str) -> None:
    """Refuse what is submitted while too much waits.

    Submissions that arrive at the same time do not see each other, and may all be taken.

    Raises:
        TooManyWaiting: as many documents of the tenant have no result as may be.
    """
    most = settings.max_waiting_documents
    if not most or _waiting(database, tenant, most) < most:
        return
    raise TooManyWaiting(
        f"Your documents without a result are as many as may be ({most}). Submit more when some"
        " have been read, or cancel jobs that are not needed."
    )


def _waiting(database: Database, tenant: str, most: int) -> int:
    """How many documents have no result; no more than `most` are counted."""
    open_ones = (
        select(literal(1))
        .select_from(_DOCUMENTS.join(_JOBS))
        .where(OPEN, _JOBS.c.tenant == tenant)
        .limit(most)
    )
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(open_ones.subquery())).one()
