"""Deleting jobs: over HTTP, by `hwr purge`, and beside those who still look at them."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_bench import BANK, PDF, SCHOOL, error_of, make_tables, stored
from sqlalchemy import create_engine, delete, exc, func, inspect, select, text, update
from stage_bench import FunctionReader, ListCounts, ListDispatch
from typer.testing import CliRunner

from hwr.errors import DatabaseUnavailable, JobNotFound, ServiceError, StorageUnavailable
from workers import fan_in, jobs, leases, results, retention
from workers.cli import app
from workers.database import Base, Database, Document, Job, Line, Page, Stage, State, open_database
from workers.jobs import NewDocument
from workers.purge import purge
from workers.results import result_chunks
from workers.settings import Settings
from workers.stages.context import Context
from workers.stages.publish import publish_document
from workers.stages.read import read_page
from workers.stages.split import split_document
from workers.storage import Storage, open_storage

DAY_S = 24 * 3600


@pytest.fixture
def database(either_settings: Settings) -> Iterator[Database]:
    """The database of either kind of servers, with its tables."""
    make_tables(either_settings)
    database = open_database(either_settings)
    yield database
    database.close()


@pytest.fixture
def storage(either_settings: Settings) -> Storage:
    return open_storage(either_settings)


@pytest.fixture
def said() -> list[str]:
    return []


def objects(storage: Storage, job_id: str) -> bool:
    """Whether the storage has anything of the job."""
    return storage.last_written(f"jobs/{job_id}") > 0


def rows(database: Database) -> list[int]:
    """How many rows each table has."""
    tables = [Base.metadata.tables[name] for name in ("jobs", "documents", "pages", "lines")]
    with database.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def unheard(_: str) -> None:
    """What is said to no one."""


def add_job(
    database: Database,
    storage: Storage,
    job_id: str,
    *,
    days: float | None,
    tenant: str = "bank",
    key: str | None = None,
) -> None:
    """A job of a page with a line, that ended so many days ago; None: it has not."""
    folder = f"jobs/{job_id}/{job_id}-document"
    for name in ("original", "pages/1.lines", "result.json"):
        storage.put(f"{folder}/{name}", b"x")
    document = NewDocument(id=f"{job_id}-document", name="scan.pdf", key=f"{folder}/original")
    jobs.submit(
        database,
        Settings(),
        tenant=tenant,
        documents=[document],
        job_id=job_id,
        idempotency_key=key,
    )
    with database.writing() as session:
        page = Page(document_id=document.id, number=1, state=State.DONE)
        session.add(page)
        session.flush()
        polygon = {"polygon": [[0, 0]], "baseline": [[0, 0]]}
        session.add(Line(page_id=page.id, order=0, text="four", confidence=0.5, **polygon))
        if days is not None:
            ended = {"state": State.DONE, "finished_at": time.time() - days * DAY_S}
            session.execute(update(Job).where(Job.id == job_id).values(**ended))
            closed = {"state": State.DONE, "stage": Stage.CLOSED, "due_at": None, "page_count": 1}
            session.execute(update(Document).where(Document.job_id == job_id).values(**closed))


class TestPurge:
    """What it deletes, and what it leaves."""

    def test_what_ended_long_ago_goes_and_nothing_else(
        self, database: Database, storage: Storage, either_settings: Settings, said: list[str]
    ) -> None:
        for job_id, days in (("old", 31), ("new", 29), ("running", None)):
            add_job(database, storage, job_id, days=days)
        purge(either_settings, said.append, unheard, days=30)
        assert [objects(storage, job_id) for job_id in ("old", "new", "running")] == [
            *(False, True, True)
        ]
        assert rows(database) == [2, 2, 2, 2]
        assert [line.split()[0] for line in said[1:]] == ["old", "1"]

    def test_a_dry_run_only_says(
        self, database: Database, storage: Storage, either_settings: Settings, said: list[str]
    ) -> None:
        add_job(database, storage, "old", days=31)
        purge(either_settings, said.append, unheard, days=30, dry_run=True)
        assert said[1].split()[::3] == ["old", "bank"]
        assert said[2] == "1 ended would be deleted"
        assert objects(storage, "old")
        assert rows(database) == [1, 1, 1, 1]

    def test_of_one_tenant(
        self, database: Database, storage: Storage, either_settings: Settings
    ) -> None:
        add_job(database, storage, "a", days=31)
        add_job(database, storage, "b", days=31, tenant="school")
        purge(either_settings, unheard, unheard, days=30, tenant="school")
        assert [objects(storage, job_id) for job_id in "ab"] == [True, False]

    def test_many_are_asked_for_some_at_a_time(
        self,
        database: Database,
        storage: Storage,
        either_settings: Settings,
        said: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(retention, "_ENDED_AT_ONCE", 2)
        for number in range(5):
            add_job(database, storage, f"job-{number}", days=40 - number)
        with database.writing() as session:  # two that ended at once, asked for one after the other
            together = select(Job.finished_at).where(Job.id == "job-1").scalar_subquery()
            session.execute(update(Job).where(Job.id == "job-2").values(finished_at=together))
        found = retention.ended_before(database, time.time(), tenant="bank")
        first = next(found)
        retention.delete_ended(database, storage, first.id)
        retention.delete_ended(database, storage, "job-4")
        assert [first.id, *(job.id for job in found)] == [f"job-{number}" for number in range(4)]
        purge(either_settings, said.append, unheard, days=30)
        assert said[-1] == "3 ended deleted"
        assert rows(database) == [0, 0, 0, 0]

    def test_a_database_that_goes_away_is_named_and_the_next_goes_on(
        self,
        database: Database,
        storage: Storage,
        either_settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def away(*_: object) -> None:
            raise exc.OperationalError("DELETE", None, RuntimeError("it has shut down"))

        add_job(database, storage, "a", days=40)
        with monkeypatch.context() as patch:
            patch.setattr(retention, "be_patient", away)
            with pytest.raises(DatabaseUnavailable, match=r"cannot be used \(it has shut down\)"):
                purge(either_settings, unheard, unheard, days=30)
        assert purge(either_settings, unheard, unheard, days=30)
        assert rows(database) == [0, 0, 0, 0]

    def test_a_file_that_is_no_database_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "hwr.db").write_bytes(b"Dear Sir, " * 100)
        wrong = Settings(
            database_url=f"sqlite:///{tmp_path}/hwr.db", storage_url=f"file:{tmp_path}/store"
        )
        with pytest.raises(DatabaseUnavailable, match="not a database"):
            purge(wrong, unheard, unheard, days=30)

    def test_an_interrupted_one_is_ended_by_the_next(
        self, database: Database, storage: Storage, either_settings: Settings
    ) -> None:
        add_job(database, storage, "a", days=31)
        storage.delete_below("jobs/a")  # and there it was killed
        assert purge(either_settings, unheard, unheard, days=30)
        assert rows(database) == [0, 0, 0, 0]

    def test_one_that_cannot_be_deleted_costs_no_other(
        self,
        database: Database,
        storage: Storage,
        either_settings: Settings,
        said: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def delete_below(storage: Storage, key: str) -> None:
            if key in ("jobs/a", "jobs/lost-a"):
                raise StorageUnavailable
            real(storage, key)

        add_job(database, storage, "a", days=32)
        add_job(database, storage, "b", days=31)
        add_job(database, storage, "running", days=None)
        for name in ("lost-a", "lost-b"):
            storage.put(f"jobs/{name}/1/original", b"x")
        real, later, complaints = type(storage).delete_below, time.time() + DAY_S + 60, list[str]()
        monkeypatch.setattr("workers.retention.time.time", lambda: later)
        with monkeypatch.context() as patched:
            patched.setattr(type(storage), "delete_below", delete_below)
            say = said.append, complaints.append
            assert not purge(either_settings, *say, days=30, abandoned=True)
        assert [line.split()[0] for line in said[1:]] == ["b", "1", "lost-b", "1"]
        assert [line.split(": ")[0] for line in complaints] == [
            f"{name} was not deleted. StorageUnavailable" for name in ("a", "lost-a")
        ]
        left = [objects(storage, name) for name in ("a", "b", "running", "lost-a", "lost-b")]
        assert left == [True, False, True, True, False]
        assert rows(database) == [2, 2, 2, 2]
        assert purge(either_settings, unheard, unheard, days=30, abandoned=True)
        assert [objects(storage, name) for name in ("a", "lost-a")] == [False, False]

    @pytest.mark.parametrize(("gone", "code"), [(True, 0), (False, 1)])
    def test_the_command_ends_with_whether_all_is_gone(
        self, monkeypatch: pytest.MonkeyPatch, gone: bool, code: int
    ) -> None:
        monkeypatch.setattr("workers.purge.purge", lambda *_, **__: gone)
        assert CliRunner().invoke(app, ["purge", "--older-than", "30"]).exit_code == code

    def test_what_has_no_job_goes_after_a_day(
        self,
        database: Database,
        storage: Storage,
        either_settings: Settings,
        said: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_job(database, storage, "running", days=None)
        storage.put("jobs/lost/1/original", b"x")
        storage.put("models/one", b"x")
        purge(either_settings, said.append, unheard, days=30, abandoned=True)
        assert objects(storage, "lost")
        later = time.time() + DAY_S + 60
        monkeypatch.setattr("workers.retention.time.time", lambda: later)
        purge(either_settings, said.append, unheard, days=30)
        assert objects(storage, "lost")
        purge(either_settings, said.append, unheard, days=30, abandoned=True)
        assert said[-2:] == ["  lost", "1 abandoned deleted"]
        assert [objects(storage, job_id) for job_id in ("lost", "running")] == [False, True]
        assert storage.get("models/one") == b"x"

    def test_the_password_of_the_database_stays_out_of_what_is_said(
        self, postgres_url: str, tmp_path: Path, said: list[str]
    ) -> None:
        url = postgres_url.replace("hwr@", "hwr:secret@")
        settings = Settings(database_url=url, storage_url=f"file:{tmp_path}")
        make_tables(settings)
        purge(settings, said.append, unheard, days=1)
        assert said[0].startswith("jobs of postgresql+psycopg://hwr:***@")

    def test_a_password_in_the_query_stays_out_as_well(
        self, postgres_url: str, tmp_path: Path, said: list[str]
    ) -> None:
        url = f"{postgres_url}?password=secret"
        settings = Settings(database_url=url, storage_url=f"file:{tmp_path}")
        make_tables(settings)
        purge(settings, said.append, unheard, days=1)
        assert said[0] == f"jobs of {postgres_url} and file://{tmp_path}/jobs"


class TestWrongDatabase:
    """With a mistyped address all that the storage has would look abandoned."""

    @pytest.fixture(autouse=True)
    def _later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        later = time.time() + DAY_S + 60
        monkeypatch.setattr("workers.retention.time.time", lambda: later)

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_no_file_is_made(self, settings: Settings, tmp_path: Path, dry_run: bool) -> None:
        absent = tmp_path / "absent" / "hwr.db"
        wrong = settings.model_copy(update={"database_url": f"sqlite:///{absent}"})
        with pytest.raises(ServiceError, match=r"absent/hwr\.db\. Correct HWR_DATABASE_URL"):
            purge(wrong, unheard, unheard, days=30, abandoned=True, dry_run=dry_run)
        assert not absent.parent.exists()

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_an_empty_one_gets_no_tables(
        self, postgres_url: str, settings: Settings, dry_run: bool
    ) -> None:
        wrong = settings.model_copy(update={"database_url": postgres_url})
        open_storage(wrong).put("jobs/a/1/original", b"x")
        with pytest.raises(ServiceError, match=r"schema of no hwr, .* Correct HWR_DATAB"):
            purge(wrong, unheard, unheard, days=30, abandoned=True, dry_run=dry_run)
        engine = create_engine(postgres_url)
        assert inspect(engine).get_table_names() == []
        engine.dispose()
        assert objects(open_storage(wrong), "a")

    def test_an_older_one_is_not_changed(
        self, database: Database, either_settings: Settings
    ) -> None:
        version = text("UPDATE alembic_version SET version_num = '0001'")
        with database.writing() as session:
            session.execute(version)
        for _ in range(2):  # the second time it is as it was
            with pytest.raises(ServiceError, match=r"schema 0001, and this hwr needs \d{4}\."):
                purge(either_settings, unheard, unheard, days=30)

    def test_one_without_any_job_knows_nothing_of_what_is_abandoned(
        self, database: Database, storage: Storage, either_settings: Settings
    ) -> None:
        storage.put("jobs/a/1/original", b"x")
        with pytest.raises(ServiceError, match="no job at all"):
            purge(either_settings, unheard, unheard, days=30, abandoned=True)
        assert objects(storage, "a")
        assert purge(either_settings, unheard, unheard, days=30)

    def test_the_last_job_may_go_with_what_is_abandoned(
        self, database: Database, storage: Storage, either_settings: Settings
    ) -> None:
        add_job(database, storage, "old", days=31)
        storage.put("jobs/lost/1/original", b"x")
        assert purge(either_settings, unheard, unheard, days=30, abandoned=True)
        assert [objects(storage, name) for name in ("old", "lost")] == [False, False]


class TestHttp:
    """DELETE /v1/jobs/{id}."""

    def test_a_job_that_ended_is_gone(
        self, either: httpx.Client, either_settings: Settings, database: Database
    ) -> None:
        key = {"Idempotency-Key": "monday"}
        job = either.post("/v1/jobs", files=[PDF], headers=key).json()
        refused = either.delete(job["url"])
        assert error_of(refused) == (409, "JobUnfinished")
        assert f"{job['url']}/cancel" in refused.json()["error"]["message"]
        either.post(f"{job['url']}/cancel")
        answer = either.delete(job["url"])
        assert (answer.status_code, answer.content) == (204, b"")
        assert not objects(open_storage(either_settings), job["id"])
        assert rows(database) == [0, 0, 0, 0]
        for again in (either.delete(job["url"]), either.get(job["url"])):
            assert error_of(again) == (404, "JobNotFound")
        assert either.post("/v1/jobs", files=[PDF], headers=key).json()["id"] != job["id"]

    def test_only_ones_own(self, keyed: httpx.Client, settings: Settings) -> None:
        url = keyed.post("/v1/jobs", files=[PDF], headers=BANK).json()["url"]
        keyed.post(f"{url}/cancel", headers=BANK)
        assert error_of(keyed.delete(url)) == (401, "KeyRefused")
        assert error_of(keyed.delete(url, headers=SCHOOL)) == (404, "JobNotFound")
        assert len(stored(settings)) == 1
        assert keyed.delete(url, headers=BANK).status_code == 204
        assert stored(settings) == []


class TestBeside:
    """Others that are at work on the job, or look at it, while it is deleted."""

    def test_a_result_never_ends_early_as_if_it_were_whole(
        self, database: Database, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(results, "PAGES_AT_ONCE", 1)
        add_job(database, storage, "a", days=1)
        with database.writing() as session:  # one of so many that they come some at a time
            session.execute(update(Document).values(page_count=2))
        chunks = result_chunks(database, {"a-document": State.DONE})
        told = [next(chunks), next(chunks)]
        retention.delete_ended(database, storage, "a")
        with pytest.raises(JobNotFound, match="Submit it again"):
            told.extend(chunks)
        assert "]}" not in told[-1]
        with pytest.raises(JobNotFound):
            next(result_chunks(database, {"a-document": State.DONE}))

    def test_who_looks_in_between_is_told_of_no_empty_job(
        self, database: Database, storage: Storage
    ) -> None:
        add_job(database, storage, "a", days=1)
        with database.writing() as session:  # as PostgreSQL shows it from one query to the next
            session.execute(delete(Document))
        with pytest.raises(JobNotFound, match="deleted"):
            jobs.view(database, tenant="bank", job_id="a")

    def test_its_key_sent_again_is_told_to_come_once_more(
        self,
        either: httpx.Client,
        database: Database,
        storage: Storage,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def looking(*given: Any, **of: Any) -> Any:
            if known := usual(*given, **of):
                retention.delete_ended(database, storage, known.id)
            return known

        usual, key = jobs.find_submission, {"Idempotency-Key": "monday"}
        first = either.post("/v1/jobs", files=[PDF], headers=key).json()["id"]
        with monkeypatch.context() as patch:
            patch.setattr(jobs, "find_submission", looking)
            answer = either.post("/v1/jobs", files=[PDF], headers=key)
        assert error_of(answer) == (409, "JobDeleted")
        assert either.post("/v1/jobs", files=[PDF], headers=key).json()["id"] != first

    def test_its_key_sent_twice_at_once_makes_a_new_job(
        self,
        either_settings: Settings,
        database: Database,
        storage: Storage,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def too_late(_: Database, **given: Any) -> None:
            if asked:
                retention.delete_ended(database, storage, "first")
            asked.append(given)

        def submit(job_id: str) -> jobs.Submission:
            return jobs.submit(
                database,
                either_settings,
                tenant="bank",
                documents=[NewDocument(name="scan.pdf", key="jobs/x/y/original")],
                idempotency_key="monday",
                job_id=job_id,
            )

        asked: list[Any] = []
        submit("first")
        monkeypatch.setattr(jobs, "find_submission", too_late)
        assert submit("second") == jobs.Submission(job_id="second", created=True)
        assert rows(database)[:2] == [1, 1]

    def test_messages_that_come_late_do_nothing(
        self, database: Database, storage: Storage, either_settings: Settings
    ) -> None:
        add_job(database, storage, "a", days=1)
        queue = ListDispatch()
        context = Context(
            database=database,
            storage=storage,
            settings=either_settings,
            dispatch=queue,
            counts=ListCounts(),
        )
        with database.reading() as session:
            page_id = session.scalars(select(Page.id)).one()
        retention.delete_ended(database, storage, "a")
        split_document(context, "a-document", "message")
        read_page(context, FunctionReader(), page_id, "message")
        publish_document(context, "a-document", "message")
        assert queue == ListDispatch()
        assert rows(database) == [0, 0, 0, 0]

    def test_who_publishes_what_was_called_off_and_deleted_stops(
        self, database: Database, storage: Storage
    ) -> None:
        add_job(database, storage, "a", days=None)
        lease = leases.Lease(work=Document, id="a-document", token="gone", duration_s=60)
        jobs.cancel(database, tenant="bank", job_id="a")
        retention.delete_own(database, storage, tenant="bank", job_id="a")
        with pytest.raises(leases.LeaseLost), database.writing() as session:
            fan_in.close_document(session, lease, State.DONE, "jobs/a/result.json")
