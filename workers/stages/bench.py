"""What every stage works with."""

from dataclasses import dataclass

from workers.database import Database
from workers.dispatch import Dispatch
from workers.settings import Settings
from workers.storage import Storage


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The servers of a worker, and its settings."""

    #: Where the rows are.
    database: Database
    #: Where originals, line packs and results are.
    storage: Storage
    #: Limits, deadlines and leases.
    settings: Settings
    #: Where finished work is handed on.
    dispatch: Dispatch


def document_folder(job_id: str, document_id: str) -> str:
    """The part of the storage that belongs to one document."""
    return f"jobs/{job_id}/{document_id}"
