"""The first stage: a document becomes pages, page by page, each handed on before the next begins.

A split may end at any point: its process is killed, the machine is lost, the job is cancelled. The
next one begins at the first page without a row. A page that was begun too often without getting its
row is failed by name, so that one poisoned page cannot hold up the others.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, case, func, insert, select
from sqlalchemy.orm import Session

from hwr import documents
from hwr.errors import (
    DatabaseUnavailable,
    DocumentError,
    DocumentFailed,
    DocumentTimeout,
    FetchTimeout,
    HwrError,
    ObjectNotFound,
    PageTimeout,
    ProfileError,
    StorageUnavailable,
)
from hwr.profiles import Profile, load_profile
from workers import fan_in, leases
from workers.counts import Event
from workers.database import Database, Document, Job, Lane, Page, Stage, State, table_of
from workers.deadline import cpu_s, deadline, was_held_up
from workers.folders import document_folder
from workers.leases import Keeper, Lease, LeaseLost
from workers.limits import limits_of
from workers.line_pack import pack
from workers.scratch import disk_errors, scratch_folder
from workers.settings import Settings
from workers.stages.context import Context, page_name, taken_back
from workers.stages.pages import SplitPage, given_up, split_page
from workers.storage import Progress

log = logging.getLogger(__name__)

_JOBS, _DOCUMENTS, _PAGES = table_of(Job), table_of(Document), table_of(Page)

#: What there is to know of a document that was claimed.
_CLAIMED = (
    select(
        *(_DOCUMENTS.c[name] for name in ("id", "job_id", "key", "reference", "page_count")),
        _JOBS.c.lane,
        _JOBS.c.profile,
        select(func.max(_PAGES.c.number))
        .where(_PAGES.c.document_id == _DOCUMENTS.c.id)
        .scalar_subquery()
        .label("last_page"),
    )
    .join(_JOBS)
    .where(_DOCUMENTS.c.id == bindparam("document_id"))
)

#: Seconds after which a split lets other documents have their turn and goes to the queue's end;
#: also what keeps it far from the visibility timeout, however long the document.
SLICE_S = 300.0

#: Part of the visibility timeout that fetching the original may take: together with a slice it
#: stays below the soft time limit of the task.
FETCH_PART = 0.2

#: What `Document.splitting_page` says while the document is opened for the first time.
OPENING = 0


@dataclass(frozen=True, kw_only=True)
class SplitWork:
    """A document that was claimed."""

    #: The right to split it.
    lease: Lease
    #: Keeps it.
    keeper: Keeper
    #: The document.
    document_id: str
    #: Its job.
    job_id: str
    #: How urgent the job is.
    lane: Lane
    #: Name of the job's profile.
    profile: str
    #: Storage key of the original; None: see reference.
    key: str | None
    #: s3:// address of the original; None: see key.
    reference: str | None
    #: Pages it had when it was opened before; None: this is the first time.
    page_count: int | None
    #: The first page without a row.
    next_page: int
    #: Page that was begun with the claim, or OPENING.
    begun: int
    #: How often that was begun, this time included.
    attempts: int


def split_document(context: Context, document_id: str, message_id: str) -> None:
    """Split the document, unless somebody else does or nothing is left to do."""
    work = _claim(context, document_id, message_id)
    if work is None:
        log.info("document %s: nothing to split for message %s", document_id, message_id)
        return
    log.info(
        "document %s of job %s: splitting begins at page %d",
        document_id,
        work.job_id,
        work.next_page,
    )
    with suppress(LeaseLost), _failures(context, work), context.database.outages_named():
        _split(context, work)


@contextmanager
def _failures(context: Context, work: SplitWork) -> Iterator[None]:
    """Whatever happens, the document is refused by name or handed back; nothing is lost."""
    try:
        yield
    except LeaseLost:
        log.info("document %s: taken over or cancelled", work.document_id)
    except (DocumentError, ObjectNotFound, ProfileError) as error:
        log.info("document %s: %s: %s", work.document_id, error.code, error)
        _refuse(context, work, error)
    except (StorageUnavailable, DatabaseUnavailable) as error:
        log.warning("document %s: %s", work.document_id, error)
        due_at, patience_s = leases.retry_at(context.settings, 0), work.lease.duration_s
        _hand_back(context, work, due_at, counted=False, patience_s=patience_s)
    except Exception:
        log.exception("document %s: attempt %d failed", work.document_id, work.attempts)
        _hand_back(context, work, leases.retry_at(context.settings, work.attempts), counted=True)
    except BaseException:  # the worker is being stopped
        _hand_back(context, work, time.time(), counted=False)
        raise


def _claim(context: Context, document_id: str, message_id: str) -> SplitWork | None:
    settings = context.settings
    with context.database.writing() as session:
        fan_in.start(session, document_id)
        lease = leases.claim(
            session,
            Document,
            document_id,
            _DOCUMENTS.c.stage == Stage.SPLIT,
            message_id=message_id,
            # It is renewed at each page, so it must outlast the slowest.
            duration_s=max(settings.lease_s, 2 * settings.page_deadline_s),
            state=State.RUNNING,
        )
        return None if lease is None else _begin_work(session, lease, context.database)


def _begin_work(session: Session, lease: Lease, database: Database) -> SplitWork:
    document = session.execute(_CLAIMED, {"document_id": lease.id}).one()
    next_page = (document.last_page or 0) + 1
    begun = OPENING if document.page_count is None else next_page
    return SplitWork(
        lease=lease,
        keeper=Keeper(database, lease),
        document_id=document.id,
        job_id=document.job_id,
        lane=document.lane,
        profile=document.profile,
        key=document.key,
        reference=document.reference,
        page_count=document.page_count,
        next_page=next_page,
        begun=begun,
        attempts=_begin(session, lease, begun),
    )


def _begin(session: Session, lease: Lease, number: int) -> int:
    """Say which page is at work, before it can do harm; returns the attempts at it."""
    column = _DOCUMENTS.c
    again = case((column.splitting_page == number, column.attempts + 1), else_=1)
    leases.renew(session, lease, splitting_page=number, attempts=again)
    attempts: int = session.scalars(select(column.attempts).where(column.id == lease.id)).one()
    return attempts


def _split(context: Context, work: SplitWork) -> None:
    _check_attempts(work, context.settings.max_attempts)
    profile = load_profile(work.profile, context.settings.profiles)
    with scratch_folder() as folder, ExitStack() as stack:
        with disk_errors():
            path = _fetch(context, work, folder)
        work.keeper.keep()
        document = _open(context, work, path, stack)
        _check_unchanged(work, document.page_count)
        with context.database.writing() as session:
            leases.renew(session, work.lease, page_count=document.page_count)
            attempts = work.attempts
            if work.begun != work.next_page:
                attempts = _begin(session, work.lease, work.next_page)
        _split_pages(context, work, document, profile, attempts)


def _open(context: Context, work: SplitWork, path: Path, stack: ExitStack) -> documents.Document:
    """Open the original until the stack ends; a second time where the first was held up."""
    began, limit_s = cpu_s(), context.settings.page_deadline_s

    def open_once() -> documents.Document:
        with deadline(limit_s, DocumentTimeout()):
            return stack.enter_context(documents.open_document(path, limits_of(context.settings)))

    try:
        return open_once()
    except DocumentTimeout:
        if not was_held_up(began, limit_s):
            raise
    log.warning("document %s: opening it was held up and begins again", work.document_id)
    work.keeper.keep()
    return open_once()


def _check_attempts(work: SplitWork, most: int) -> None:
    # A page gets its tries first and is then given up; more than that is the opening's fault.
    most *= 1 if work.begun == OPENING else 2
    if work.attempts > most:
        raise DocumentFailed(
            f"Opening the document failed {work.attempts - 1} times. Export it again."
        )


def _check_unchanged(work: SplitWork, page_count: int) -> None:
    """Refuse a referenced file that was replaced meanwhile: its pages would never add up."""
    if work.page_count not in (None, page_count):
        raise DocumentFailed(
            f"The document had {work.page_count} pages and has {page_count} now: it was replaced "
            "while it was read. Submit it again and leave it as it is."
        )


def _fetch(context: Context, work: SplitWork, folder: Path) -> Path:
    path, progress = folder / "original", _fetching(context, work)
    if work.key is not None:
        context.storage.download(work.key, path, progress)
    elif work.reference is not None:
        from workers.s3 import fetch_reference  # boto3 is slow to import; few jobs need it

        fetch_reference(context.settings, work.reference, path, progress)
    return path


def _fetching(context: Context, work: SplitWork) -> Progress:
    """What a download calls after every chunk: keeps the lease, and ends what takes too long."""
    limit_s = FETCH_PART * context.settings.visibility_timeout_s
    started = time.monotonic()

    def progress() -> None:
        if time.monotonic() - started > limit_s:
            raise FetchTimeout(
                f"Fetching the document took more than {limit_s:g} s and is tried again. "
                "Check the network between workers and storage."
            )
        work.keeper.keep()

    return progress


def _split_pages(
    context: Context,
    work: SplitWork,
    document: documents.Document,
    profile: Profile,
    attempts: int,
) -> None:
    """Split from the next page on, which was begun so many times."""
    slice_end = time.monotonic() + min(SLICE_S, context.settings.visibility_timeout_s / 4)
    for number in range(work.next_page, document.page_count + 1):
        if time.monotonic() > slice_end:
            _yield_to_others(context, work)
            return
        page = (
            given_up(number, attempts - 1)
            if attempts > context.settings.max_attempts
            else _split_page(context, work, document, number, profile)
        )
        _hand_on(context, work, page)
        attempts = 1
    log.info("document %s: split, %d pages", work.document_id, document.page_count)
    # With its last page read already, the document waits for its result and is not held any more.
    with suppress(LeaseLost), context.database.writing() as session:
        leases.release(session, work.lease, due_at=None, stage=Stage.READ)


def _split_page(
    context: Context, work: SplitWork, document: documents.Document, number: int, profile: Profile
) -> SplitPage:
    """Split a page; a second time where the first was held up, which is not the page's fault."""
    began, limit_s = cpu_s(), context.settings.page_deadline_s
    page = split_page(document, number, profile, limit_s)
    if isinstance(page.error, PageTimeout) and was_held_up(began, limit_s):
        log.warning("page %d of document %s: held up, begins again", number, work.document_id)
        work.keeper.keep()
        page = split_page(document, number, profile, limit_s)
    return page


def _hand_on(context: Context, work: SplitWork, page: SplitPage) -> None:
    """Write the page's row and begin the next, then send it to be read.

    A page without lines is done with that.
    """
    key = None
    if page.lines:
        key = f"{document_folder(work.job_id, work.document_id)}/pages/{page.number}.lines"
        work.keeper.keep()
        context.storage.put(key, pack(page.lines))
    with taken_back(context, work.document_id, key), context.database.writing() as session:
        leases.renew(session, work.lease, splitting_page=page.number + 1, attempts=1)
        row = _row(context.settings, work.document_id, page, key)
        row_id = session.scalars(insert(_PAGES).returning(_PAGES.c.id), row).one()
        complete = key is None and fan_in.count_page(
            session, context.settings, work.document_id, failed=page.error is not None
        )
    _say(work, page, row_id)
    if key is not None:
        context.dispatch.read(row_id, work.lane)
        return
    _count(context, page)
    if complete:
        context.dispatch.publish(work.document_id)


def _say(work: SplitWork, page: SplitPage, row_id: int) -> None:
    """Tell the id that the page has from now on, and what became of it."""
    name = page_name(row_id, page.number, work.document_id)
    if page.error:
        log.info("%s: %s: %s", name, page.error.code, page.error)
    else:
        log.info("%s: split, %d lines", name, len(page.lines))


def _count(context: Context, page: SplitPage) -> None:
    """Count a page that no read worker will see."""
    if page.error:
        context.counts.add(Event.PAGES_FAILED, page.error.code)
    else:
        context.counts.add(Event.PAGES_READ, "")


def _row(settings: Settings, document_id: str, page: SplitPage, key: str | None) -> dict[str, Any]:
    error = page.error
    finished = State.FAILED if error else State.DONE
    return {
        "document_id": document_id,
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "lines_key": key,
        "zones": page.zones,
        "warning": page.warning,
        "profile": page.profile,
        "state": State.QUEUED if key else finished,
        "due_at": leases.resend_at(settings) if key else None,
        "error_code": error.code if error else None,
        "error_message": str(error) if error else None,
    }


def _yield_to_others(context: Context, work: SplitWork) -> None:
    with context.database.writing() as session:
        # The next page counts as begun, and was not tried.
        due_at = leases.resend_at(context.settings)
        leases.release(session, work.lease, due_at=due_at, attempts=0, sends=0)
    log.info("document %s: gives way to others", work.document_id)
    context.dispatch.split(work.document_id, work.lane)


def _refuse(context: Context, work: SplitWork, error: HwrError) -> None:
    with context.database.writing() as session:
        document = fan_in.lock_document(session, work.lease.held)
        fan_in.fail_document(session, context.settings, document, error)
    context.dispatch.publish(work.document_id)


def _hand_back(
    context: Context, work: SplitWork, due_at: float, *, counted: bool, patience_s: float = 0.0
) -> None:
    """Let the reaper send it again; an attempt that was not the document's fault is taken back."""
    charge = 0 if counted else -1
    leases.hand_back(
        context.database, work.lease, due_at=due_at, charge=charge, patience_s=patience_s
    )
