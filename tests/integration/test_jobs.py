"""Jobs, leases and fan-in on SQLite and on PostgreSQL, with many hands at once."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import func, select, text, update
from stage_bench import FunctionReader, ListCounts, ListDispatch
from told import told_results

from hwr.errors import (
    IdempotencyConflict,
    JobNotFound,
    NoDocuments,
    ReferenceRefused,
    ServiceError,
    TooManyDocuments,
    UnknownProfile,
)
from hwr.profiles import FREE_TEXT
from workers import fan_in, jobs, leases
from workers.database import Base, Database, Document, Job, Lane, Line, Page, Stage, State
from workers.jobs import NewDocument
from workers.line_pack import PackedLine, pack
from workers.migrations import upgrade
from workers.settings import Settings
from workers.stages.context import Context
from workers.stages.read import read_page
from workers.storage import FolderStorage

THREADS = 8

#: A job as version 0.1.0 wrote it.
FIRST_VERSION = (
    "INSERT INTO jobs (id, tenant, lane, digest, state, documents_left, created_at)"
    " VALUES ('1', 'bank', 'normal', 'd', 'running', 1, 1.0)",
    "INSERT INTO documents (id, job_id, position, name, stage, state, page_count, splitting_page,"
    " pages_done, pages_failed, lines_done, lines_failed, sends, attempts)"
    " VALUES ('2', '1', 0, 'scan.pdf', 'read', 'running', 1, 1, 1, 0, 1, 0, 0, 1)",
    "INSERT INTO pages (id, document_id, number, width, height, state, sends, attempts)"
    " VALUES (3, '2', 1, 100, 64, 'done', 0, 1)",
    'INSERT INTO lines (page_id, "order", text, confidence, polygon, baseline)'
    " VALUES (3, 0, 'four', 0.5, '[]', '[]')",
)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with an empty database of the kind."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    else:
        url = f"sqlite:///{tmp_path}/hwr.db"
    return Settings(database_url=url, reference_prefixes=("s3://inbox/ours",), max_documents=3)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database with its tables."""
    database = Database(settings.database_url)
    upgrade(database)
    yield database
    database.close()


def at_once(function: Callable[[int], Any], times: int = THREADS) -> list[Any]:
    """What a function returns in threads that run at the same time."""
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(function, range(times)))


def submit(database: Database, settings: Settings, **options: Any) -> jobs.Submission:
    document = NewDocument(name="scan.pdf", key="jobs/1/1/original", digest="d")
    return jobs.submit(
        database, settings, **({"tenant": "bank", "documents": [document]} | options)
    )


class TestMigrations:
    def test_they_make_the_tables_of_the_models(self, database: Database) -> None:
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection)
            assert compare_metadata(context, Base.metadata) == []

    def test_several_processes_may_start_at_once(self, settings: Settings) -> None:
        code = (
            "import sys; from workers.database import Database; "
            "from workers.migrations import upgrade; upgrade(Database(sys.argv[1]))"
        )
        program = [sys.executable, "-c", code, settings.database_url]
        started = [subprocess.Popen(program, stderr=subprocess.PIPE) for _ in range(3)]
        assert [process.communicate()[1] for process in started] == [b""] * 3
        database = Database(settings.database_url)
        assert submit(database, settings).created
        database.close()

    def test_the_schema_of_a_newer_hwr_is_named(self, settings: Settings) -> None:
        database = Database(settings.database_url)
        upgrade(database)
        with database.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(ServiceError, match="Start the newer hwr"):
            upgrade(database)
        database.close()

    def test_jobs_of_the_first_version_go_on_as_free_text(self, settings: Settings) -> None:
        database = Database(settings.database_url)
        config = Config()
        config.set_main_option("script_location", "workers:migrations")
        with database.writing() as session:
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "0001")
            for row in FIRST_VERSION:
                session.execute(text(row))
        upgrade(database)
        assert jobs.view(database, tenant="bank", job_id="1").profile == FREE_TEXT
        (result,) = told_results(database, tenant="bank", job_id="1")
        (page,) = result["pages"]
        assert (page["zones"], page["warning"], page["lines"][0]["zone"]) == ([], None, None)
        database.close()


class TestSubmit:
    def test_the_same_key_is_the_same_job_whatever_became_of_its_profile(
        self, database: Database, settings: Settings, tmp_path: Path
    ) -> None:
        profile = tmp_path / "order.toml"
        profile.write_text('description = "an order"')
        own = settings.model_copy(update={"profiles": tmp_path})
        told = {"profile": "order", "idempotency_key": "k"}
        first = submit(database, own, **told)
        profile.unlink()
        assert submit(database, own, **told).job_id == first.job_id
        with pytest.raises(UnknownProfile):
            submit(database, own, profile="order")

    def test_a_job_starts_queued(self, database: Database, settings: Settings) -> None:
        job_id = submit(database, settings, lane=Lane.HIGH).job_id
        job = jobs.view(database, tenant="bank", job_id=job_id)
        assert (job.state, job.lane, job.finished) == (State.QUEUED, Lane.HIGH, None)
        assert [document.name for document in job.documents] == ["scan.pdf"]
        assert (job.pages_total_known, job.pages_done, job.lines_done) == (0, 0, 0)

    def test_the_same_key_is_the_same_job(self, database: Database, settings: Settings) -> None:
        answers = at_once(lambda _: submit(database, settings, idempotency_key="k"))
        assert len({answer.job_id for answer in answers}) == 1
        assert sum(answer.created for answer in answers) == 1

    def test_another_tenants_key_is_another_job(
        self, database: Database, settings: Settings
    ) -> None:
        ours, theirs = (
            submit(database, settings, tenant=tenant, idempotency_key="k")
            for tenant in ("bank", "school")
        )
        assert ours.created
        assert theirs.created

    def test_the_same_key_for_other_documents_is_refused(
        self, database: Database, settings: Settings
    ) -> None:
        submit(database, settings, idempotency_key="k")
        other = NewDocument(name="scan.pdf", key="jobs/1/1/original", digest="other")
        with pytest.raises(IdempotencyConflict):
            submit(database, settings, idempotency_key="k", documents=[other])

    @pytest.mark.parametrize(
        "reference",
        ["s3://inbox/ours", "s3://inbox/oursnot/a.pdf", "s3://other/a.pdf", "file:///etc/passwd"],
    )
    def test_references_elsewhere_are_refused(
        self, database: Database, settings: Settings, reference: str
    ) -> None:
        with pytest.raises(ReferenceRefused):
            submit(database, settings, documents=[NewDocument(name="a", reference=reference)])

    def test_references_under_a_prefix_are_taken(
        self, database: Database, settings: Settings
    ) -> None:
        document = NewDocument(name="a", reference="s3://inbox/ours/a.pdf")
        assert submit(database, settings, documents=[document]).created

    @pytest.mark.parametrize("told", [{}, {"key": "b", "reference": "s3://inbox/ours/a.pdf"}])
    def test_neither_and_both_of_file_and_reference_are_refused(
        self, database: Database, settings: Settings, told: dict[str, str]
    ) -> None:
        with pytest.raises(ReferenceRefused, match="either a file or"):
            submit(database, settings, documents=[NewDocument(name="a", **told)])

    def test_too_few_and_too_many_documents_are_refused(
        self, database: Database, settings: Settings
    ) -> None:
        with pytest.raises(NoDocuments):
            submit(database, settings, documents=[])
        with pytest.raises(TooManyDocuments):
            submit(database, settings, documents=[NewDocument(name="a", key="b")] * 4)

    def test_nobody_else_sees_or_cancels_it(self, database: Database, settings: Settings) -> None:
        job_id = submit(database, settings).job_id
        for function in (jobs.view, jobs.cancel):
            with pytest.raises(JobNotFound):
                function(database, tenant="school", job_id=job_id)
        assert jobs.view(database, tenant="bank", job_id=job_id).state == State.QUEUED

    @pytest.mark.parametrize("neighbour", ["bank", "school"])
    def test_cancelling_it_leaves_others_alone(
        self, database: Database, settings: Settings, neighbour: str
    ) -> None:
        other_id = submit(database, settings, tenant=neighbour).job_id
        before = jobs.view(database, tenant=neighbour, job_id=other_id)
        jobs.cancel(database, tenant="bank", job_id=submit(database, settings).job_id)
        assert jobs.view(database, tenant=neighbour, job_id=other_id) == before


def claim(database: Database, document_id: str, message_id: str = "m") -> leases.Lease | None:
    with database.writing() as session:
        return leases.claim(session, Document, document_id, message_id=message_id, duration_s=60)


class TestLeases:
    @pytest.fixture
    def document_id(self, database: Database, settings: Settings) -> str:
        job_id = submit(database, settings).job_id
        return jobs.view(database, tenant="bank", job_id=job_id).documents[0].id

    def test_one_of_many_gets_it(self, database: Database, document_id: str) -> None:
        got = at_once(lambda _: claim(database, document_id))
        assert sum(lease is not None for lease in got) == 1

    def test_it_is_free_again_when_its_time_is_over(
        self, database: Database, document_id: str
    ) -> None:
        first = claim(database, document_id)
        assert first is not None
        self.expire(database)
        second = claim(database, document_id)
        assert second is not None
        with database.writing() as session:
            leases.renew(session, second)
        with pytest.raises(leases.LeaseLost), database.writing() as session:
            leases.renew(session, first)

    def test_a_dead_process_gives_back_what_its_message_held(
        self, database: Database, document_id: str
    ) -> None:
        claim(database, document_id, "dead")
        with database.writing() as session:
            leases.release_dead(session, Document, document_id, "dea")
        assert claim(database, document_id) is None
        with database.writing() as session:
            leases.release_dead(session, Document, document_id, "dead")
        assert claim(database, document_id) is not None

    def test_due_work_goes_to_one_reaper(
        self, database: Database, settings: Settings, document_id: str
    ) -> None:
        self.expire(database)

        def take(_: int) -> dict[str, bool]:
            with database.writing() as session:
                return leases.take_due(session, settings, Document, 10)

        assert [taken for ids in at_once(take) for taken in ids] == [document_id]

    def test_what_is_due_longest_goes_first(
        self, database: Database, settings: Settings, document_id: str
    ) -> None:
        submit(database, settings)
        with database.writing() as session:
            longest = session.scalars(select(Document).where(Document.id != document_id)).one()
            session.execute(update(Document).values(due_at=time.time() - 1))
            session.execute(
                update(Document).where(Document.id == longest.id).values(due_at=time.time() - 2)
            )
            assert list(leases.take_due(session, settings, Document, 1)) == [longest.id]

    @staticmethod
    def expire(database: Database) -> None:
        with database.writing() as session:
            session.execute(update(Document).values(due_at=time.time() - 1))


class TestFanIn:
    def test_pages_that_end_at_once_are_all_counted_and_published_once(
        self, database: Database, settings: Settings, tmp_path: Path
    ) -> None:
        storage, queue = FolderStorage(tmp_path / "store"), ListDispatch()
        context = Context(
            database=database,
            storage=storage,
            settings=settings,
            dispatch=queue,
            counts=ListCounts(),
        )
        job_id = submit(database, settings).job_id
        page_ids = self.split(context, job_id, pages=3 * THREADS)
        at_once(lambda n: read_page(context, FunctionReader(), page_ids[n], "m"), len(page_ids))
        (document,) = jobs.view(database, tenant="bank", job_id=job_id).documents
        assert (document.pages_done, document.lines_done) == (len(page_ids), 2 * len(page_ids))
        assert queue.publishes == [document.id]
        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(Line)) == 2 * len(page_ids)

    @staticmethod
    def split(context: Context, job_id: str, pages: int) -> list[int]:
        """Rows and line packs as splitting leaves them."""
        points = ((0, 0), (9, 9))
        image = np.zeros((64, 16), np.uint8)
        line = PackedLine(order=0, polygon=points, baseline=points, image=image)
        context.storage.put("pack.lines", pack([line, replace(line, order=1)]))
        (document,) = jobs.view(context.database, tenant="bank", job_id=job_id).documents
        rows = [
            Page(
                document_id=document.id,
                number=number,
                lines_key="pack.lines",
                state=State.QUEUED,
                due_at=time.time() + 60,
            )
            for number in range(1, pages + 1)
        ]
        with context.database.writing() as session:
            session.execute(update(Document).values(page_count=pages, stage=Stage.READ))
            session.add_all(rows)
        return [row.id for row in rows]

    def test_documents_that_close_at_once_close_their_job(
        self, database: Database, settings: Settings
    ) -> None:
        documents = [NewDocument(name=str(n), key="k") for n in range(3)]
        job_id = submit(database, settings, documents=documents).job_id
        held = [lease for document in documents if (lease := claim(database, document.id))]

        def close(n: int) -> None:
            state = State.FAILED if n == 0 else State.DONE
            with database.writing() as session:
                fan_in.close_document(session, held[n], state, "key")

        at_once(close, 3)
        job = jobs.view(database, tenant="bank", job_id=job_id)
        assert (job.state, job.finished is not None) == (State.DONE_WITH_ERRORS, True)
        with database.reading() as session:
            assert session.scalars(select(Job.documents_left)).all() == [0]

    def test_cancelling_and_closing_at_once_end_in_one_of_the_two(
        self, database: Database, settings: Settings
    ) -> None:
        for _ in range(5):
            job_id = submit(database, settings).job_id
            (document,) = jobs.view(database, tenant="bank", job_id=job_id).documents
            lease = claim(database, document.id)

            def end(n: int, lease: Any = lease, job_id: str = job_id) -> bool:
                try:
                    if n:
                        jobs.cancel(database, tenant="bank", job_id=job_id)
                        return True
                    with database.writing() as session:
                        fan_in.close_document(session, lease, State.DONE, "key")
                        return True
                except leases.LeaseLost:
                    return False

            closed, _ = at_once(end, 2)
            job = jobs.view(database, tenant="bank", job_id=job_id)
            expected = State.DONE if closed else State.CANCELLED
            assert (job.state, job.documents[0].state) == (expected, expected)
