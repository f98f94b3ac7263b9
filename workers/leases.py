"""Who works on what, and until when: claims by conditional UPDATE, in the caller's transaction.

Work is a row of `documents` or `pages`. One column, `due_at`, says when somebody has to look after
it: while the work is held, its lease ends then; while it waits in a queue, it is taken for lost and
sent again then; when nothing is left to do, it is None. A holder renews its lease while it works,
and every write of a result asks first whether it still holds it. So a message may come twice, and a
worker may die at any point: the work is done once, by whoever holds it last.

Times come from the clocks of the workers. Leases are minutes long; keep clocks within seconds.
"""

import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, or_, select, update
from sqlalchemy.orm import Session

from workers.database import BEGUN, OUTAGES, Database, Document, Page, table_of
from workers.settings import Settings

#: A message that nobody took up for so many leases is taken for lost; doubled at each sending, so
#: that a queue that is merely long is not flooded.
RESEND_LEASES = 3

#: How often a lease is renewed within its duration: so often that after a renewal that was just
#: not due yet two calls of a storage that hangs, each the third of a lease, may follow each other.
RENEWALS = 6

#: Longest wait, in seconds, before a message is sent again.
MAX_RESEND_S = 4 * 3600.0

#: Longest wait, in seconds, before failed work is tried again.
MAX_RETRY_S = 600.0

#: Wait between two tries to hand back work to a database that is away.
_BETWEEN_TRIES_S = 1.0

#: The tables whose rows are work.
Work = type[Document] | type[Page]


class LeaseLost(Exception):
    """Another worker took the work over, or the job was cancelled. Stop without a trace."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on one row."""

    #: Its table.
    work: Work
    #: Its row.
    id: str | int
    #: Proof of the right; starts with the id of the message it was claimed for.
    token: str
    #: Seconds it lasts, unless renewed.
    duration_s: float

    @property
    def held(self) -> ColumnElement[bool]:
        """The condition that the row is still held by this lease."""
        column = table_of(self.work).c
        return (column.id == self.id) & (column.lease_token == self.token)


class Keeper:
    """Keeps a lease while its work goes on."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._renewed = time.monotonic()

    def keep(self) -> None:
        """Renew the lease when it is time; call it before and after whatever may take long.

        Raises:
            LeaseLost: the row is no longer held.
        """
        now = time.monotonic()
        if now - self._renewed >= self._lease.duration_s / RENEWALS:
            with self._database.writing() as session:
                renew(session, self._lease)
            self._renewed = now


def free(work: Work) -> ColumnElement[bool]:
    """The condition that something is to be done about a row, and nobody holds it."""
    column = table_of(work).c
    ended = or_(column.lease_token.is_(None), column.due_at <= time.time())
    return column.due_at.is_not(None) & ended


def resend_at(settings: Settings, sends: int = 0) -> float:
    """When work sent just now, for the `sends`-th time more, is to be sent again."""
    wait = settings.lease_s * RESEND_LEASES * 2.0 ** min(sends, 20)
    return time.time() + min(wait, max(MAX_RESEND_S, settings.lease_s))


def claim(
    session: Session,
    work: Work,
    row_id: str | int,
    *conditions: ColumnElement[bool],
    message_id: str,
    duration_s: float,
    **values: Any,
) -> Lease | None:
    """Take the row and set the values if nobody holds it and the conditions are true, or None."""
    table = table_of(work)
    token = f"{message_id}:{uuid.uuid4().hex}"
    lease = Lease(work=work, id=row_id, token=token, duration_s=duration_s)
    taken = _execute(
        session,
        update(table)
        .where(table.c.id == row_id, free(work), *conditions)
        .values(lease_token=token, due_at=time.time() + duration_s, sends=BEGUN, **values),
    )
    return lease if taken else None


def renew(session: Session, lease: Lease, **values: Any) -> None:
    """Hold the row for another duration, and set the values.

    Raises:
        LeaseLost: the row is no longer held.
    """
    due_at = time.time() + lease.duration_s
    _set(session, lease, due_at=due_at, **values)


def release(session: Session, lease: Lease, *, due_at: float | None, **values: Any) -> None:
    """Let go of the row, and set the values.

    Args:
        due_at: When the reaper sends it again; None: never, the work is done.

    Raises:
        LeaseLost: the row is no longer held, so nothing was set.
    """
    _set(session, lease, lease_token=None, due_at=due_at, **values)


def hand_back(
    database: Database,
    lease: Lease,
    *,
    due_at: float,
    charge: int = 0,
    patience_s: float = 0.0,
    **values: Any,
) -> None:
    """Let go of work that is not done, set the values, and have the reaper send it again.

    Its attempts change by `charge` even where the lease was lost: what a storage that hung has cost
    a page is given back to it all the same.

    Args:
        patience_s: How long a database that is away is waited for.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            return _hand_back(database, lease, charge, due_at=due_at, **values)
        except OUTAGES:
            if time.monotonic() >= end:
                raise
        time.sleep(_BETWEEN_TRIES_S)


def _hand_back(database: Database, lease: Lease, charge: int, **values: Any) -> None:
    with database.writing() as session:
        if charge:
            _charge(session, lease, charge)
        with suppress(LeaseLost):
            release(session, lease, **values)


def _charge(session: Session, lease: Lease, charge: int) -> None:
    table = table_of(lease.work)
    attempts = table.c.attempts + charge
    row = (table.c.id == lease.id) & (attempts >= 0)
    _execute(session, update(table).where(row).values(attempts=attempts))


def retry_at(settings: Settings, attempts: int) -> float:
    """When work that failed for a reason outside of it is to be sent again: ever longer waits."""
    wait = settings.lease_s / 8 * 2.0 ** min(attempts, 10)
    return time.time() + min(wait, MAX_RETRY_S)


def release_dead(session: Session, work: Work, row_id: str | int, message_id: str) -> None:
    """Take the row back at once from a process that is known to have died over a message."""
    session.execute(
        update(work)
        .where(work.id == row_id, work.lease_token.startswith(f"{message_id}:"))
        .values(lease_token=None, due_at=time.time())
    )


def take_due(session: Session, settings: Settings, work: Work, limit: int) -> dict[Any, bool]:
    """Take back rows whose time has come, for sending them again; whether each was begun, by id.

    Several reapers may call it at once: each row goes to one of them.
    """
    now, table = time.time(), table_of(work)
    due = (
        select(work.id, work.sends)
        .where(work.due_at <= now)
        .order_by(work.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(due).all()
    # Not row by row: others wait for these rows, and on SQLite everybody who writes.
    for sends in {row.sends for row in rows}:
        later = {"due_at": resend_at(settings, sends + 1), "sends": sends + 1}
        alike = table.c.id.in_([row.id for row in rows if row.sends == sends])
        _execute(session, update(table).where(alike).values(lease_token=None, **later))
    return {row.id: row.sends == BEGUN for row in rows}


def make_due(session: Session, work: Work, *conditions: ColumnElement[bool]) -> int:
    """Make due what waits in a queue, because its messages were lost; returns how many rows."""
    waiting = in_order(work, work.due_at.is_not(None), work.lease_token.is_(None), *conditions)
    due = {"due_at": time.time(), "sends": 0}
    table = table_of(work)
    return _execute(session, update(table).where(table.c.id.in_(waiting)).values(**due))


def in_order(work: Work, *conditions: ColumnElement[bool]) -> Select[Any]:
    """The ids of many rows, which it locks in this one order: no two wait for each other."""
    return select(work.id).where(*conditions).order_by(work.id).with_for_update()


def _set(session: Session, lease: Lease, **values: Any) -> None:
    if not _execute(session, update(table_of(lease.work)).where(lease.held).values(**values)):
        raise LeaseLost


def _execute(session: Session, statement: Any) -> int:
    """Execute an UPDATE of a table; returns the number of rows it met."""
    result = session.execute(statement)
    assert isinstance(result, CursorResult)  # noqa: S101 (tells the type)
    return result.rowcount
