"""What every stage works with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select

from workers.counts import Counting
from workers.database import Database, Document, State
from workers.dispatch import Dispatch
from workers.leases import LeaseLost
from workers.settings import Settings
from workers.shared_lock import SharedLock
from workers.storage import Storage


@dataclass(frozen=True, kw_only=True)
class Context:
    """The servers of a process, and its settings."""

    #: Where the rows are.
    database: Database
    #: Where originals, line packs and results are.
    storage: Storage
    #: Limits, deadlines and leases.
    settings: Settings
    #: Where finished work is handed on.
    dispatch: Dispatch
    #: Where what happened is counted.
    counts: Counting
    #: Held by the pages that the process reads: together, but alone by one that may kill it.
    pages: SharedLock = field(default_factory=SharedLock)


def page_name(page_id: int, number: int, document_id: str) -> str:
    """A page in the log, where it is found by its document."""
    return f"page {page_id} ({number} of document {document_id})"


@contextmanager
def taken_back(context: Context, document_id: str, key: str | None) -> Iterator[None]:
    """Write down in this block that the object was stored; it is removed if its job is called off.

    Who deletes a job may have looked before it was there, and nobody would find it afterwards.

    Raises:
        LeaseLost: as the block does.
    """
    try:
        yield
    except LeaseLost:
        if key is not None and _is_called_off(context.database, document_id):
            context.storage.delete(key)
        raise


def _is_called_off(database: Database, document_id: str) -> bool:
    """Whether it was cancelled or deleted; where another worker has it, the object is its own."""
    with database.reading() as session:
        state = session.scalar(select(Document.state).where(Document.id == document_id))
    return state in (None, State.CANCELLED)
