"""Who locks rows of PostgreSQL does so in one order, and before counting what is in them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from locks import wait_for_lock
from sqlalchemy import select

from hwr.errors import DocumentFailed
from workers import fan_in, jobs, leases
from workers.database import Database, Document, Page, State
from workers.jobs import NewDocument
from workers.leases import Work
from workers.migrations import upgrade
from workers.settings import Settings

#: Enough rows that none of the two orders comes about by chance.
IDS = [5, 2, 7, 1, 4, 3, 6]


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """A job whose documents and pages were not written in the order of their ids."""
    database = Database(postgres_url)
    upgrade(database)
    documents = [NewDocument(id=str(n), name=str(n), key="jobs/1/1/original") for n in IDS]
    jobs.submit(database, Settings(), tenant="bank", documents=documents, job_id="1")
    for number in IDS:
        page = Page(id=number, document_id="1", number=number, state=State.QUEUED, due_at=0.0)
        with database.writing() as session:
            session.add(page)
    yield database
    database.close()


def make_due(work: Work) -> Callable[[Database], None]:
    """What the reaper does when the queues were lost."""

    def call(database: Database) -> None:
        with database.writing() as session:
            leases.make_due(session, work)

    return call


def cancel(database: Database) -> None:
    jobs.cancel(database, tenant="bank", job_id="1")


@pytest.mark.parametrize(
    ("call", "work"),
    [
        (make_due(Document), Document),
        (make_due(Page), Page),
        (cancel, Document),
        (cancel, Page),
    ],
)
def test_who_waits_for_the_first_row_holds_no_other(
    database: Database, call: Callable[[Database], None], work: Work
) -> None:
    kind = work.id.type.python_type
    first, others = kind(1), [kind(number) for number in range(2, 8)]
    with ThreadPoolExecutor(1) as pool:
        with database.writing() as session:
            session.execute(select(work.id).where(work.id == first).with_for_update())
            called = pool.submit(call, database)
            wait_for_lock(database)
            free = select(work.id).where(work.id.in_(others)).with_for_update(skip_locked=True)
            found: list[Any] = list(session.scalars(free))
            assert sorted(found) == others
        called.result(30)


def test_pages_that_end_while_their_document_is_refused_are_all_counted(database: Database) -> None:
    def refuse() -> None:
        with database.writing() as session:
            document = fan_in.lock_document(session, Document.id == "1")
            fan_in.fail_document(session, Settings(), document, DocumentFailed("twice"))

    with ThreadPoolExecutor(1) as pool:
        with database.writing() as session:
            fan_in.count_page(session, Settings(), "1", failed=True)
            session.get_one(Page, 1).state = State.FAILED
            session.flush()
            refused = pool.submit(refuse)
            wait_for_lock(database)
        refused.result(30)
    with database.reading() as session:
        assert session.get_one(Document, "1").pages_failed == len(IDS)
