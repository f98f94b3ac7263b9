"""How long PostgreSQL is waited for, and by what it may be waited for longer."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from locks import wait_for_lock
from sqlalchemy import exc, select, text
from sqlalchemy.orm import Session

from workers import jobs, reaper
from workers.database import Database, Document
from workers.jobs import NewDocument
from workers.migrations import ADVISORY_LOCK, upgrade
from workers.settings import Settings

#: What the URL of an operator in a hurry ends in.
HURRY = "?options=-c%20statement_timeout%3D100"


def submit(database: Database) -> None:
    documents = [NewDocument(name="a.pdf", key="jobs/1/1/original")]
    jobs.submit(database, Settings(), tenant="bank", documents=documents, job_id="1")


def cancel(database: Database) -> None:
    jobs.cancel(database, tenant="bank", job_id="1")


def lock_schema(session: Session) -> None:
    session.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))


def lock_documents(session: Session) -> None:
    session.execute(select(Document.id).with_for_update())


def test_every_connection_has_its_bounds(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.reading() as session:
        assert session.scalar(text("SHOW statement_timeout")) == "30s"
        connection = session.connection().connection.dbapi_connection
        assert connection is not None
        told = connection.info.get_parameters()
    assert (told["connect_timeout"], told["tcp_user_timeout"]) == ("5", "10000")
    database.close()


def test_the_url_says_otherwise(postgres_url: str) -> None:
    database = Database(postgres_url + HURRY)
    with pytest.raises(exc.OperationalError, match="timeout"), database.reading() as session:
        session.execute(text("SELECT pg_sleep(60)"))
    database.close()


@pytest.mark.parametrize(
    ("call", "lock"),
    [(upgrade, lock_schema), (reaper.recall, lock_documents), (cancel, lock_documents)],
)
def test_what_meets_many_rows_takes_its_time(
    postgres_url: str, call: Callable[[Database], None], lock: Callable[[Session], None]
) -> None:
    database, hurried = Database(postgres_url), Database(postgres_url + HURRY)
    upgrade(database)
    submit(database)
    with ThreadPoolExecutor(1) as pool:
        with database.writing() as session:
            lock(session)
            called = pool.submit(call, hurried)
            wait_for_lock(database)
            time.sleep(0.5)  # five times what a statement may take
        called.result(30)
    database.close()
    hurried.close()
