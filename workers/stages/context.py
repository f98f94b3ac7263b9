"""What every stage works with."""

from dataclasses import dataclass, field

from workers.counts import Counting
from workers.database import Database
from workers.dispatch import Dispatch
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


def document_folder(job_id: str, document_id: str) -> str:
    """The part of the storage that belongs to one document."""
    return f"jobs/{job_id}/{document_id}"


def page_name(page_id: int, number: int, document_id: str) -> str:
    """A page in the log, where it is found by its document."""
    return f"page {page_id} ({number} of document {document_id})"
