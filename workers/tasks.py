# mypy: disable-error-code="misc, untyped-decorator"
# Celery has no types.
"""The three Celery tasks. Each is told an id, looks into the database, and does what is left to do.

They return nothing and raise nothing that matters: how work ended is a row, not a result.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from celery import Task
from celery.worker import state

from hwr.errors import DatabaseUnavailable, EngineBroken
from workers import leases
from workers.app import HARD_LIMIT_PART, SOFT_LIMIT_PART, app
from workers.counts import open_counts
from workers.database import Database, Document, get_database, short_lived_database
from workers.dispatch import CeleryDispatch
from workers.models.readers import Readers
from workers.models.rolling import Follower, open_readers
from workers.settings import get_settings
from workers.stages.context import Context
from workers.stages.publish import publish_document
from workers.stages.read import read_page
from workers.stages.split import split_document
from workers.storage import open_storage

log = logging.getLogger(__name__)

_visibility_s = get_settings().visibility_timeout_s
#: Exit status of a worker that ends because its engine does not read any more.
ENGINE_BROKEN = 3

_making_readers = threading.Lock()


@cache
def get_context() -> Context:
    """The process's servers. A split worker's main process must not ask: its children inherit."""
    settings, database = get_settings(), get_database()
    return Context(
        database=database,
        storage=open_storage(settings),
        settings=settings,
        dispatch=CeleryDispatch(app, database),
        counts=open_counts(settings),
    )


def get_readers() -> Readers:
    """The process's line readers, loaded by whoever asks first."""
    with _making_readers:
        return _make_readers()[0]


def get_follower() -> Follower | None:
    """What brings the current version of the model into the readers, if the settings say so."""
    with _making_readers:
        return _make_readers()[1]


@cache
def _make_readers() -> tuple[Readers, Follower | None]:
    return open_readers(get_settings())


def close_readers() -> None:
    """Finish the batches at work and hand the other lines' pages back."""
    with _making_readers:
        if _make_readers.cache_info().currsize:
            _make_readers()[0].close()


@contextmanager
def _outages_logged(work: str, database: Database) -> Iterator[None]:
    """A database that is away is a line in the log: the reaper sends the work again."""
    try:
        with database.outages_named():
            yield
    except DatabaseUnavailable as error:
        log.warning("%s: %s", work, error)


class SplitTask(Task):
    """Takes a document back at once when the process that split it has died."""

    def on_retry(self, _error: Exception, task_id: str, args: Any, *_: Any) -> None:
        """Called in the main process when a child is lost or was cut off from Redis."""
        _take_back(task_id, args)

    def on_failure(self, _error: Exception, task_id: str, args: Any, *_: Any) -> None:
        """Called in the main process when a child was killed at the hard time limit."""
        _take_back(task_id, args)


def _take_back(message_id: str, args: Any) -> None:
    """Must not raise: Celery calls it amid a lost connection, and the worker would end of it."""
    with (
        short_lived_database(get_settings()) as database,
        _outages_logged(f"document {args[0]}", database),
        database.writing() as session,
    ):
        leases.release_dead(session, Document, args[0], message_id)


@app.task(
    name="hwr.split",
    base=SplitTask,
    bind=True,
    max_retries=None,
    default_retry_delay=0,
    soft_time_limit=_visibility_s * SOFT_LIMIT_PART,
    time_limit=_visibility_s * HARD_LIMIT_PART,
)
def split(self: Any, document_id: str) -> None:
    """Split a document into pages."""
    with _outages_logged(f"document {document_id}", get_database()):
        split_document(get_context(), document_id, self.request.id)


@app.task(name="hwr.read", bind=True)
def read(self: Any, page_id: int) -> None:
    """Read the lines of a page."""
    try:
        with (
            _outages_logged(f"page {page_id}", get_database()),
            get_readers().held() as reader,
        ):
            read_page(get_context(), reader, page_id, self.request.id)
    except EngineBroken as error:
        log.critical("%s: %s", error.code, error, exc_info=True)
        state.should_stop = ENGINE_BROKEN


@app.task(name="hwr.publish", bind=True)
def publish(self: Any, document_id: str) -> None:
    """Write a document's result."""
    with _outages_logged(f"document {document_id}", get_database()):
        publish_document(get_context(), document_id, self.request.id)
