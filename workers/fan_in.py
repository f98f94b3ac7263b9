"""Counting in: the last page calls for its document's result, the last document ends its job.

Counters change in the transaction of the row they count. Every transaction locks job before
document before page, so that no two wait for each other.
"""

import time

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from hwr.errors import HwrError
from hwr.failure import Failure
from workers import leases
from workers.database import FINAL_STATES, Document, Job, Page, Stage, State, table_of
from workers.leases import Lease, LeaseLost
from workers.settings import Settings

_JOBS, _DOCUMENTS = table_of(Job), table_of(Document)


def start(session: Session, document_id: str) -> None:
    """Say that somebody begins with the document's job."""
    job, document = _JOBS.c, _DOCUMENTS.c
    job_id = select(document.job_id).where(document.id == document_id).scalar_subquery()
    session.execute(
        update(_JOBS).where(job.id == job_id, job.state == State.QUEUED).values(state=State.RUNNING)
    )


def lock_document(session: Session, condition: ColumnElement[bool]) -> Document:
    """The row of the document, locked until the end of the transaction.

    Raises:
        LeaseLost: there is no document that meets the condition.
    """
    document = session.scalar(select(Document).where(condition).with_for_update())
    if document is None:
        raise LeaseLost
    return document


def count_page(
    session: Session,
    settings: Settings,
    document_id: str,
    *,
    failed: bool = False,
    lines: int = 0,
    lines_failed: int = 0,
) -> bool:
    """Count a page that is finished; True: it was the last, have the result published.

    Locks the document; the page's row must be written after it, in the same transaction.
    """
    column = _DOCUMENTS.c
    complete = session.scalar(
        update(_DOCUMENTS)
        .where(column.id == document_id)
        .values(
            pages_failed=column.pages_failed + int(failed),
            pages_done=column.pages_done + int(not failed),
            lines_done=column.lines_done + lines,
            lines_failed=column.lines_failed + lines_failed,
        )
        .returning(column.pages_done + column.pages_failed == column.page_count)
    )
    if complete:
        _call_for_result(session, settings, document_id)
    return bool(complete)


def fail_document(
    session: Session, settings: Settings, document: Document, error: HwrError
) -> None:
    """Refuse a locked document by name; what was read of it stays, waiting pages are given up."""
    document.error_code, document.error_message = error.code, str(error)
    given_up = session.scalars(
        update(Page)
        .where(Page.document_id == document.id, Page.state.not_in(FINAL_STATES))
        .values(
            state=State.FAILED,
            lease_token=None,
            due_at=None,
            error_code=error.code,
            error_message=str(error),
        )
        .returning(Page.id)
    )
    document.pages_failed += len(given_up.all())
    session.flush()
    _call_for_result(session, settings, document.id)


def final_state(document: Document) -> State:
    """What the document will be once its result is there."""
    if document.error_code or document.pages_failed == document.page_count:
        return State.FAILED
    if document.pages_failed or document.lines_failed:
        return State.DONE_WITH_ERRORS
    return State.DONE


def tell_why(session: Session, document: Document) -> None:
    """Give a document that failed page by page the error of its first page."""
    if final_state(document) is not State.FAILED or document.error_code:
        return
    pages = select(Page).where(Page.document_id == document.id)
    first = session.scalars(pages.order_by(Page.number).limit(1)).one()
    error = Failure(code=first.error_code or "", message=first.error_message or "")
    told = Failure.of_pages(document.pages_failed, error)
    document.error_code, document.error_message = told.code, told.message


def close_document(session: Session, lease: Lease, state: State, result_key: str) -> Job | None:
    """Close a document whose result is there, and the job with its last document.

    Returns:
        The job, if it ended with that.

    Raises:
        LeaseLost: the document is no longer held.
    """
    job_id = select(Document.job_id).where(Document.id == lease.id).scalar_subquery()
    job = session.scalars(select(Job).where(Job.id == job_id).with_for_update()).one_or_none()
    if job is None:  # cancelled, and deleted since
        raise LeaseLost
    closed = {"stage": Stage.CLOSED, "state": state, "result_key": result_key}
    leases.release(session, lease, due_at=None, **closed)
    job.documents_left -= 1
    if job.documents_left > 0:
        return None
    job.state = _job_state(session, job.id)
    job.finished_at = time.time()
    return job


def _call_for_result(session: Session, settings: Settings, document_id: str) -> None:
    session.execute(
        update(_DOCUMENTS)
        .where(_DOCUMENTS.c.id == document_id)
        .values(
            stage=Stage.PUBLISH,
            lease_token=None,
            due_at=leases.resend_at(settings),
            attempts=0,
            sends=0,
        )
    )


def _job_state(session: Session, job_id: str) -> State:
    """The state all its documents share, or else done with errors."""
    query = select(Document.state).where(Document.job_id == job_id).distinct()
    states = session.scalars(query).all()
    return states[0] if len(states) == 1 else State.DONE_WITH_ERRORS
