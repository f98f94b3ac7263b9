"""The last stage: a document's result is written to storage, then document and job are closed."""

import io
import logging
import tempfile
from dataclasses import dataclass

from hwr.errors import DatabaseUnavailable, JobNotFound, StorageUnavailable
from workers import fan_in, leases
from workers.counts import Event
from workers.database import Document, Stage, State, table_of
from workers.folders import document_folder
from workers.leases import Keeper, Lease, LeaseLost
from workers.results import result_chunks
from workers.scratch import disk_errors
from workers.stages.context import Context, taken_back

log = logging.getLogger(__name__)

_DOCUMENTS = table_of(Document)


@dataclass(frozen=True, kw_only=True)
class PublishWork:
    """A document that was claimed."""

    #: The right to publish it.
    lease: Lease
    #: Keeps it.
    keeper: Keeper
    #: The document.
    document_id: str
    #: Where its result goes.
    result_key: str
    #: What it is once its result is there.
    state: State
    #: Why, if it failed: name of the error.
    error_code: str | None
    #: How often it was begun, this time included.
    attempts: int


class _KeptFile(io.BufferedRandom):
    """A temporary file that keeps a lease while it is read: an upload takes it part by part.

    A long document may take longer than a lease, and would be begun again and again.
    """

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 (closed with us)
        self._keeper = keeper

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        self._keeper.keep()
        return super().read(size)


def publish_document(context: Context, document_id: str, message_id: str) -> None:
    """Publish the document's result, unless somebody else does or it is not complete.

    It is tried again until it works: the result is whole in the database, and a storage that is
    down comes back.
    """
    work = _claim(context, document_id, message_id)
    if work is None:
        log.info("document %s: nothing to publish for message %s", document_id, message_id)
        return
    try:
        with context.database.outages_named():
            _publish(context, work)
    except (LeaseLost, JobNotFound):
        log.info("document %s: published by another worker, cancelled or deleted", document_id)
    except Exception as error:
        _try_again_later(context, work, error)


def _try_again_later(context: Context, work: PublishWork, error: Exception) -> None:
    outage = isinstance(error, StorageUnavailable | DatabaseUnavailable)
    say = log.warning if outage else log.exception
    say("document %s: cannot be published now: %s", work.document_id, error)
    due_at = leases.retry_at(context.settings, work.attempts)
    patience_s = work.lease.duration_s if outage else 0.0
    leases.hand_back(context.database, work.lease, due_at=due_at, patience_s=patience_s)


def _claim(context: Context, document_id: str, message_id: str) -> PublishWork | None:
    with context.database.writing() as session:
        lease = leases.claim(
            session,
            Document,
            document_id,
            _DOCUMENTS.c.stage == Stage.PUBLISH,
            message_id=message_id,
            duration_s=context.settings.lease_s,
            attempts=_DOCUMENTS.c.attempts + 1,
        )
        if lease is None:
            return None
        document = session.get_one(Document, document_id)
        fan_in.tell_why(session, document)
        return PublishWork(
            lease=lease,
            keeper=Keeper(context.database, lease),
            document_id=document_id,
            result_key=f"{document_folder(document.job_id, document_id)}/result.json",
            state=fan_in.final_state(document),
            error_code=document.error_code,
            attempts=document.attempts,
        )


def _publish(context: Context, work: PublishWork) -> None:
    with disk_errors(), _KeptFile(work.keeper) as file:
        for chunk in result_chunks(context.database, {work.document_id: work.state}):
            file.write(chunk.encode())
            work.keeper.keep()
        file.seek(0)
        context.storage.put(work.result_key, file)
    stored = taken_back(context, work.document_id, work.result_key)
    with stored, context.database.writing() as session:
        ended = fan_in.close_document(session, work.lease, work.state, work.result_key)
    log.info("document %s: published, %s", work.document_id, work.state)
    if ended:
        log.info("job %s: ended, %s", ended.id, ended.state)
    context.counts.add(Event.DOCUMENTS_FINISHED, work.state, work.error_code or "")
