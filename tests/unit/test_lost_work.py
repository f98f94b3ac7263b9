"""Work that was not sent, got lost or is held by the dead, and how the reaper brings it back."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest
from kombu.exceptions import OperationalError
from numpy.typing import NDArray
from PIL import Image
from pipeline import draw_lines, png, two_pages
from redis.exceptions import RedisError
from sqlalchemy import event, exc, func, select, update
from stage_bench import FunctionReader, Stages, reading

from hwr.decoding.reading import LineReading
from hwr.errors import ReaderClosed
from workers import tasks
from workers.app import app
from workers.database import Document, Lane, Page, Stage
from workers.dispatch import CeleryDispatch, send_documents
from workers.processes import free_port
from workers.reaper import reap, recall
from workers.settings import Settings
from workers.stages import split as split_stage


class TestDispatch:
    def test_the_first_document_that_cannot_be_sent_leaves_the_others_to_the_reaper(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []

        def away(document_id: str, lane: Lane) -> None:
            tried.append(document_id)
            if len(tried) > 1:
                raise OperationalError

        database = stages.context.database
        job_id = stages.submit(*[png(draw_lines(1))] * 4)
        first, *others = stages.queue.splits
        stages.queue.splits.clear()
        with monkeypatch.context() as patch:
            patch.setattr(stages.queue, "split", away)
            send_documents(database, stages.queue, job_id)
        assert tried == [first, others[0]]
        assert reap(database, stages.context.settings, stages.queue).total() == len(others)
        assert sorted(stages.queue.splits) == sorted(others)

    @pytest.mark.parametrize("error", [OperationalError, RedisError, OSError])
    def test_what_cannot_be_sent_now_is_due_and_nothing_else(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ) -> None:
        def away(*_: object, **__: object) -> None:
            raise error

        stages.submit(png(draw_lines(1)), png(draw_lines(1)))
        unsent, _ = stages.queue.splits
        stages.queue.splits.clear()
        monkeypatch.setattr(app, "send_task", away)
        CeleryDispatch(app, stages.context.database).split(unsent, Lane.NORMAL)
        assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 1
        assert stages.queue.splits == [unsent]
        CeleryDispatch(app, stages.context.database).publish(unsent)
        assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 1


class TestTasks:
    @pytest.mark.parametrize("task", [tasks.split, tasks.publish])
    def test_a_database_that_is_away_ends_them_in_a_line(
        self,
        stages: Stages,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        task: Callable[[str], None],
    ) -> None:
        def away() -> None:
            raise exc.OperationalError("UPDATE", None, RuntimeError("refused"))

        monkeypatch.setattr(tasks, "get_database", lambda: stages.context.database)
        monkeypatch.setattr(tasks, "get_context", lambda: stages.context)
        monkeypatch.setattr(stages.context.database, "writing", away)
        task("1")
        assert "document 1: The database sqlite:///" in caplog.text
        assert "Traceback" not in caplog.text

    def test_a_lost_child_does_not_end_its_worker_where_the_database_is_away_too(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        away = Settings(database_url=f"postgresql+psycopg://127.0.0.1:{free_port()}/hwr")
        monkeypatch.setattr(tasks, "get_settings", lambda: away)
        tasks.split.on_retry(RuntimeError("lost"), "message", ("1",))
        assert "document 1: The database postgresql" in caplog.text

    def test_a_lost_child_gives_its_document_back_at_once(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tasks, "get_settings", lambda: stages.context.settings)
        stages.submit(two_pages())
        stages.set(Document, lease_token="message:token", due_at=time.time() + 60)
        tasks.split.on_failure(RuntimeError("killed"), "message", (stages.document().id,))
        assert stages.document().lease_token is None


class TestReaper:
    def test_nothing_is_sent_while_work_waits_its_turn(self, stages: Stages) -> None:
        stages.submit(two_pages())
        assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 0

    def test_lost_work_is_sent_once_and_then_ever_later(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)))
        stages.split()
        stages.queue.reads.clear()
        waits = []
        for _ in range(3):
            stages.set(Page, due_at=time.time() - 1)
            assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 1
            assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 0
            waits.append((stages.pages()[0].due_at or 0) - time.time())
        assert len(stages.queue.reads) == 3
        assert waits[1] / waits[0] == pytest.approx(2, rel=0.1)
        assert waits[2] / waits[1] == pytest.approx(2, rel=0.1)

    def test_many_are_put_off_in_few_statements(self, stages: Stages) -> None:
        stages.submit(*[png(draw_lines(1))] * 20)
        stages.set(Document, due_at=time.time() - 1)
        again, *_ = stages.queue.splits
        database, updates = stages.context.database, []
        with database.writing() as session:
            session.execute(update(Document).where(Document.id == again).values(sends=1))
        event.listen(
            database.engine, "before_cursor_execute", lambda *told: updates.append(told[2])
        )
        assert reap(database, stages.context.settings, stages.queue).total() == 20
        assert len([told for told in updates if told.startswith("UPDATE")]) == 2
        with database.reading() as session:
            waits = dict(
                session.execute(select(Document.sends, func.count()).group_by("sends")).all()
            )
        assert waits == {1: 19, 2: 1}

    def test_what_merely_waits_is_not_told_as_begun(
        self, stages: Stages, caplog: pytest.LogCaptureFixture
    ) -> None:
        def failing(_: NDArray[np.uint8]) -> LineReading:
            raise ZeroDivisionError

        caplog.set_level("INFO")
        stages.submit(png(draw_lines(1)))
        stages.split()
        for reader, begun in ((None, False), (failing, True), (None, False)):
            if reader:
                stages.read(reader=FunctionReader(reader))
            caplog.clear()
            stages.set(Page, due_at=time.time() - 1)
            sent = reap(stages.context.database, stages.context.settings, stages.queue)
            assert sent == {begun: 1}
            assert ("sent again" in caplog.text) == begun

    def test_what_gives_way_to_others_counts_as_waiting(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def closed(_: NDArray[np.uint8]) -> LineReading:
            raise ReaderClosed

        stages.submit(two_pages(), two_pages())
        with monkeypatch.context() as patch:
            patch.setattr(split_stage, "SLICE_S", 0.0)
            stages.split()
        stages.split()
        stages.read(reader=FunctionReader(closed))
        for work in (Document, Page):
            stages.set(work, due_at=time.time() - 1)
        sent = reap(stages.context.database, stages.context.settings, stages.queue)
        assert (sent[True], sent[False]) == (1, 3)  # the document that was split, and set due here

    def test_a_lease_that_ended_is_taken_back(self, stages: Stages) -> None:
        stages.submit(two_pages())
        stages.queue.splits.clear()
        stages.set(Document, lease_token="dead:1", due_at=time.time() - 1)
        reap(stages.context.database, stages.context.settings, stages.queue)
        assert stages.document().lease_token is None
        assert stages.queue.splits == [stages.document().id]

    def test_a_document_is_sent_again_in_its_lane(self, stages: Stages) -> None:
        stages.submit(two_pages(), lane=Lane.HIGH)
        stages.set(Document, due_at=time.time() - 1)
        reap(stages.context.database, stages.context.settings, stages.queue)
        assert stages.queue.split_lanes == [Lane.HIGH]

    def test_a_document_that_waits_for_its_result_is_published(self, stages: Stages) -> None:
        stages.submit(png(Image.new("L", (600, 400), 255)))
        stages.split()
        assert stages.document().stage == Stage.PUBLISH
        assert stages.queue.publishes == [stages.document().id]
        assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 0
        stages.set(Document, due_at=time.time() - 1)
        sent = reap(stages.context.database, stages.context.settings, stages.queue)
        assert sent == {False: 1}  # nobody has begun with its result
        assert stages.queue.publishes == [stages.document().id] * 2

    @pytest.mark.parametrize("error", [OperationalError, ZeroDivisionError])
    def test_what_cannot_be_sent_stays_due(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ) -> None:
        def away(*_: object) -> None:
            raise error

        stages.submit(two_pages())
        stages.queue.splits.clear()
        stages.set(Document, due_at=time.time() - 1)
        with monkeypatch.context() as patch:
            patch.setattr(stages.queue, "split", away)
            with pytest.raises(error):
                reap(stages.context.database, stages.context.settings, stages.queue)
        assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 1

    @pytest.mark.parametrize("message", ["split", "read", "publish"])
    def test_others_write_while_a_message_is_sent(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, message: str
    ) -> None:
        """SQLite has one writer: a Redis that stalls must not hold it up."""
        file = stages.context.settings.database_url.removeprefix("sqlite:///")
        sent: list[object] = []

        def send(*row: object) -> None:
            with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
            sent.append(row)

        stages.submit(png(draw_lines(message == "read")))
        if message != "split":
            stages.split()
        stages.set(Document if message != "read" else Page, due_at=time.time() - 1)
        monkeypatch.setattr(stages.queue, message, send)
        reap(stages.context.database, stages.context.settings, stages.queue)
        assert len(sent) == 1

    @pytest.mark.parametrize("work", [Document, Page])
    def test_of_a_batch_only_the_unsent_are_due_again(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, work: type[Document | Page]
    ) -> None:
        sent: list[object] = []

        def away_at_the_third(*row: object) -> None:
            if len(sent) == 2:
                raise OperationalError
            sent.append(row[0])

        stages.submit(*[png(draw_lines(1))] * 4)
        if work is Page:
            while stages.queue.splits:
                stages.split()
            stages.queue.reads.clear()
        stages.queue.splits.clear()
        stages.set(work, due_at=time.time() - 1)
        with monkeypatch.context() as patch:
            patch.setattr(stages.queue, "split" if work is Document else "read", away_at_the_third)
            with pytest.raises(OperationalError):
                reap(stages.context.database, stages.context.settings, stages.queue)
        assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 2
        again = [*stages.queue.splits, *(page_id for page_id, _ in stages.queue.reads)]
        assert len({*sent, *again}) == 4

    def test_lost_queues_bring_back_all_that_waited_but_not_what_is_held(
        self, stages: Stages
    ) -> None:
        stages.submit(two_pages())
        stages.split()
        (first, _), (second, _) = stages.queue.reads
        stages.queue.reads.clear()

        def flushed(_: NDArray[np.uint8]) -> LineReading:
            recall(stages.context.database)
            reap(stages.context.database, stages.context.settings, stages.queue)
            return reading("held")

        stages.read(first, FunctionReader(flushed))
        assert {page_id for page_id, _ in stages.queue.reads} == {second}
        assert len(stages.lines()) == 2
