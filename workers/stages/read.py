"""The second stage: the lines of a page are read, together with those of other pages.

A line that cannot be read fails alone. Anything else that goes wrong is tried again, and given up
by name after `max_attempts`.

A process that dies takes all its pages with it, and nobody knows which one has killed it. So these
are suspected and read alone from then on, and only a process that dies over one alone is charged to
it: a page is never given up for its neighbour, and one that kills every process ends all the same.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from hwr.decoding.reading import LineReading
from hwr.errors import (
    AmountsDiffer,
    DamagedLinePack,
    DatabaseUnavailable,
    EngineBroken,
    EngineError,
    HwrError,
    LineError,
    LineFailed,
    LineTimeout,
    ObjectNotFound,
    PageFailed,
    ReaderClosed,
    StorageUnavailable,
)
from hwr.failure import Failure
from workers import fan_in, leases
from workers.counts import Event
from workers.database import Document, Job, Lane, Line, Page, State, table_of
from workers.leases import Keeper, Lease, LeaseLost
from workers.line_pack import PackedLine, unpack
from workers.line_reader import BLANK, LineReader
from workers.stages.context import Context, page_name
from workers.stages.line_rows import LineRow, Promise, line_rows

log = logging.getLogger(__name__)

_PAGES, _DOCUMENTS, _JOBS = table_of(Page), table_of(Document), table_of(Job)

#: What there is to know of a page that was claimed.
_CLAIMED = (
    select(
        _PAGES.c.id,
        _PAGES.c.document_id,
        _PAGES.c.number,
        _PAGES.c.lines_key,
        _PAGES.c.attempts,
        _PAGES.c.profile,
        _PAGES.c.warning,
        _JOBS.c.lane,
        _JOBS.c.tenant,
    )
    .join(_DOCUMENTS, _PAGES.c.document_id == _DOCUMENTS.c.id)
    .join(_JOBS)
    .where(_PAGES.c.id == bindparam("page_id"))
)


@dataclass(frozen=True, kw_only=True)
class ReadWork:
    """A page that was claimed."""

    #: The right to read it.
    lease: Lease
    #: Keeps it.
    keeper: Keeper
    #: The page.
    page_id: int
    #: Its document.
    document_id: str
    #: Its place in the document, from 1.
    number: int
    #: Where its line pack is.
    lines_key: str
    #: How urgent its job is.
    lane: Lane
    #: Whose job it is.
    tenant: str
    #: What its profile adds to the record of what read it.
    profile: dict[str, str]
    #: What is wrong with it already: code and message.
    warning: dict[str, str] | None
    #: How often it was tried, this time included.
    attempts: int
    #: Whether the process has no other page, and dies of this one if it does.
    alone: bool

    @property
    def name(self) -> str:
        """The page in the log."""
        return page_name(self.page_id, self.number, self.document_id)


def read_page(context: Context, reader: LineReader, page_id: int, message_id: str) -> None:
    """Read the page, unless somebody else does or nothing is left to do.

    Raises:
        EngineBroken: the page was handed back; no other will be read in this process either.
    """
    with context.pages.shared():
        if _read_claimed(context, reader, page_id, message_id, alone=False):
            return
    if not _is_suspected(context, page_id):
        log.info("page %s: nothing to read for message %s", page_id, message_id)
        return
    with context.pages.alone(context.settings.read_deadline_s) as is_alone:
        if is_alone:
            _read_claimed(context, reader, page_id, message_id, alone=True)
        else:  # a page that hangs must not hold up the others for ever
            log.warning("page %s: cannot be read alone now, and will be sent again", page_id)


def _is_suspected(context: Context, page_id: int) -> bool:
    row = (_PAGES.c.id == page_id) & _PAGES.c.suspected & leases.free(Page)
    with context.database.reading() as session:
        return session.scalar(select(_PAGES.c.id).where(row)) is not None


def _read_claimed(
    context: Context, reader: LineReader, page_id: int, message_id: str, *, alone: bool
) -> bool:
    """Read the page if it can be claimed; says whether it could."""
    work = _claim(context, page_id, message_id, alone=alone)
    if work is None:
        return False
    log.info("%s: reading begins%s", work.name, ", alone" if alone else "")
    with suppress(LeaseLost), _failures(context, work), context.database.outages_named():
        rows, differ = _read(context, reader, work)
        # That amounts differ their lines tell too, by a confidence of 0.
        warning = work.warning or (asdict(Failure.of(differ)) if differ else None)
        _finish(context, work, rows, reader=reader.identity | work.profile, warning=warning)
    return True


@contextmanager
def _failures(context: Context, work: ReadWork) -> Iterator[None]:
    """Whatever happens, the page is failed by name or handed back; nothing is lost."""
    settings = context.settings
    try:
        yield
    except LeaseLost:
        log.info("%s: taken over or cancelled", work.name)
    except ReaderClosed:
        _hand_back(context, work, leases.resend_at(settings), counted=False, sends=0)
        context.dispatch.read(work.page_id, work.lane)
    except (PageFailed, ObjectNotFound, DamagedLinePack) as error:
        log.warning("%s: %s: %s", work.name, error.code, error)
        _fail(context, work, error)
    except EngineBroken:
        _hand_back(context, work, leases.retry_at(settings, 0), counted=False)
        raise
    except Exception as error:
        _try_again_later(context, work, error)
    except BaseException:
        _hand_back(context, work, time.time(), counted=False)
        raise


def _try_again_later(context: Context, work: ReadWork, error: Exception) -> None:
    outage = isinstance(error, StorageUnavailable | DatabaseUnavailable)
    if outage or isinstance(error, LineTimeout):
        log.warning("%s: attempt %d: %s", work.name, work.attempts, error)
    else:
        log.error("%s: attempt %d failed", work.name, work.attempts, exc_info=error)
    due_at = leases.retry_at(context.settings, 0 if outage else work.attempts)
    patience_s = work.lease.duration_s if outage else 0.0
    _hand_back(context, work, due_at, counted=not outage, patience_s=patience_s)


def _claim(context: Context, page_id: int, message_id: str, *, alone: bool) -> ReadWork | None:
    """Take the page; one that is read alone is charged now, for it may leave nobody to do so."""
    with context.database.writing() as session:
        lease = leases.claim(
            session,
            Page,
            page_id,
            _PAGES.c.suspected.is_(alone),
            message_id=message_id,
            duration_s=context.settings.lease_s,
            state=State.RUNNING,
            suspected=True,
            attempts=_PAGES.c.attempts + int(alone),
        )
        if lease is None:
            return None
        return _claimed(session, lease, Keeper(context.database, lease), alone=alone)


def _claimed(session: Session, lease: Lease, keeper: Keeper, *, alone: bool) -> ReadWork:
    page = session.execute(_CLAIMED, {"page_id": lease.id}).one()
    return ReadWork(
        lease=lease,
        keeper=keeper,
        page_id=page.id,
        document_id=page.document_id,
        number=page.number,
        lines_key=page.lines_key or "",
        lane=page.lane,
        tenant=page.tenant,
        profile=page.profile or {},
        warning=page.warning,
        attempts=page.attempts + int(not alone),
        alone=alone,
    )


def _read(
    context: Context, reader: LineReader, work: ReadWork
) -> tuple[list[LineRow], AmountsDiffer | None]:
    if work.attempts > context.settings.max_attempts:
        raise PageFailed(
            f"Reading the page failed or ended its process {work.attempts - 1} times. "
            "Report it with the file."
        )
    lines = unpack(context.storage.get(work.lines_key))
    promises: list[Promise] = []
    try:
        _submit_all(context, reader, work, lines, promises)
        _wait(context, work, promises)
        rows, differ = line_rows(work.page_id, lines, promises)
    finally:  # late, cancelled or taken over: the engine need not read what nobody waits for
        for promise in promises:
            if promise is not None:
                promise.cancel()
    if any(row["error_code"] == LineFailed.__name__ for row in rows):
        _check_engine(reader, work)
    if work.attempts < context.settings.max_attempts:
        _check_tries(rows)
    return rows, differ


def _check_engine(reader: LineReader, work: ReadWork) -> None:
    """Tell lines that no engine can read from an engine that reads nothing (a CUDA error stays)."""
    work.keeper.keep()
    patience_s = work.lease.duration_s / leases.RENEWALS
    with suppress(LineTimeout, TimeoutError):  # busy, so not broken
        probe = reader.submit(
            BLANK, lane=Lane.HIGH.value, tenant=work.tenant, deadline_s=patience_s
        )
        work.keeper.keep()
        try:
            probe.result(patience_s)
        except LineFailed as error:
            raise EngineBroken from error


def _check_tries(rows: list[LineRow]) -> None:
    """Try again what is rather the fault of the load or of the engine than of the lines."""
    codes = [row["error_code"] for row in rows]
    if late := codes.count(LineTimeout.__name__):
        raise LineTimeout(
            f"{late} of {len(rows)} lines were not read in time. "
            "Add read workers, or raise HWR_READ_DEADLINE_S."
        )
    if all(code == LineFailed.__name__ for code in codes):
        raise EngineError("The engine failed on every line of the page. See the lines' errors.")


def _submit_all(
    context: Context,
    reader: LineReader,
    work: ReadWork,
    lines: Sequence[PackedLine],
    promises: list[Promise],
) -> None:
    """Submit the lines; keep the lease meanwhile, for a full reader makes us wait."""
    for line in lines:
        work.keeper.keep()
        promises.append(_submit(reader, work, line, context.settings.read_deadline_s))


def _submit(reader: LineReader, work: ReadWork, line: PackedLine, deadline_s: float) -> Promise:
    if line.image is None:
        return None
    try:
        return reader.submit(
            line.image,
            lane=work.lane.value,
            tenant=work.tenant,
            deadline_s=deadline_s,
            decoder=line.decoder,
        )
    except LineError as error:
        refused: Future[LineReading] = Future()
        refused.set_exception(error)
        return refused


def _wait(context: Context, work: ReadWork, promises: Sequence[Promise]) -> None:
    """Wait until all lines are read or the deadline has passed; keep the lease meanwhile."""
    end = time.monotonic() + context.settings.read_deadline_s
    waiting = {promise for promise in promises if promise is not None}
    while waiting and (left := end - time.monotonic()) > 0:
        _, waiting = wait(waiting, timeout=min(left, work.lease.duration_s / leases.RENEWALS))
        work.keeper.keep()


def _finish(
    context: Context, work: ReadWork, rows: list[LineRow], *, reader: dict[str, str], **values: Any
) -> None:
    failed = sum(row["error_code"] is not None for row in rows)
    with context.database.writing() as session:
        complete = fan_in.count_page(
            session, context.settings, work.document_id, lines=len(rows), lines_failed=failed
        )
        done = {"state": State.DONE, "reader": reader}
        leases.release(session, work.lease, due_at=None, **done, **values)
        session.execute(insert(table_of(Line)), rows)
    log.info("%s: read, %d lines, %d of them failed", work.name, len(rows), failed)
    context.counts.add(Event.PAGES_READ, reader["model"])
    if complete:
        context.dispatch.publish(work.document_id)


def _fail(context: Context, work: ReadWork, error: HwrError) -> None:
    failure = {"error_code": error.code, "error_message": str(error)}
    with context.database.writing() as session:
        complete = fan_in.count_page(session, context.settings, work.document_id, failed=True)
        leases.release(session, work.lease, due_at=None, state=State.FAILED, **failure)
    context.counts.add(Event.PAGES_FAILED, error.code)
    if complete:
        context.dispatch.publish(work.document_id)


def _hand_back(
    context: Context,
    work: ReadWork,
    due_at: float,
    *,
    counted: bool,
    patience_s: float = 0.0,
    **values: Any,
) -> None:
    """Have it sent again later, charged with the attempt if that was the page's fault."""
    leases.hand_back(
        context.database,
        work.lease,
        due_at=due_at,
        charge=int(counted) - int(work.alone),
        patience_s=patience_s,
        suspected=work.alone,
        **values,
    )
