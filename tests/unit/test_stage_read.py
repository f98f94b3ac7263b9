"""The read stage when lines, pages and the engine are late or broken."""

import time
from concurrent.futures import Future, wait
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pipeline import draw_lines, png
from sqlalchemy import exc, update
from stage_bench import TENANT, FunctionReader, Stages, open_stages, reading

from hwr.decoding.reading import LineReading
from hwr.errors import EngineBroken, LineFailed, ReaderClosed, StorageUnavailable
from workers import jobs, leases
from workers.database import Lane, Page, State
from workers.line_pack import pack, unpack
from workers.stages import read as read_stage

OUTAGES = [
    exc.OperationalError("INSERT", None, RuntimeError("statement timeout")),
    exc.InterfaceError("INSERT", None, RuntimeError("the connection is closed")),
    exc.InternalError("INSERT", None, RuntimeError("a read-only transaction")),
    exc.TimeoutError("no connection is free"),
]


class TestReadFailures:
    def test_a_line_fails_alone(self, stages: Stages) -> None:
        def poisoned(image: NDArray[np.uint8]) -> LineReading:
            if not texts:
                texts.append("first")
                raise LineFailed
            return reading("read")

        texts: list[str] = []
        job_id = stages.submit(png(draw_lines(3)))
        stages.split()
        stages.read(reader=FunctionReader(poisoned))
        stages.publish()
        lines = stages.lines()
        assert [line.text for line in lines] == ["", "read", "read"]
        assert [line.error_code for line in lines] == ["LineFailed", None, None]
        assert lines[0].confidence == 0
        assert stages.view(job_id).state == State.DONE_WITH_ERRORS

    @pytest.mark.parametrize("words", ["Twelve and 50/100", "Twenty and 50/100"])
    @pytest.mark.parametrize("earlier", [None, "WritingOutside"])
    def test_amounts_that_differ_are_told_where_the_page_has_no_warning(
        self, stages: Stages, earlier: str | None, words: str
    ) -> None:
        texts = iter(["12.50", words])
        stages.submit(png(draw_lines(2)))
        stages.split()
        (page,) = stages.pages()
        storage = stages.context.storage
        warning = {"code": earlier, "message": "a second sheet"} if earlier else None
        first, second = unpack(storage.get(page.lines_key or ""))
        lines = replace(first, zone="figures"), replace(second, zone="words", same_as="figures")
        storage.put(page.lines_key or "", pack(lines))
        with stages.context.database.writing() as session:
            session.execute(update(Page).values(warning=warning))
        stages.read(reader=FunctionReader(lambda _: LineReading(text=next(texts), confidence=0.9)))
        (page,) = stages.pages()
        differ = words.startswith("Twenty")
        told = (page.warning or {}).get("code")
        assert told == (earlier or ("AmountsDiffer" if differ else None))
        assert [line.confidence > 0.9 for line in stages.lines()] == [not differ] * 2

    def test_a_page_of_which_no_line_was_read_is_tried_again_elsewhere(
        self, stages: Stages
    ) -> None:
        def dead(image: NDArray[np.uint8]) -> LineReading:
            if image.min() < 255:
                raise LineFailed
            return reading("")

        job_id = stages.submit(png(draw_lines(2)), png(draw_lines(1)))
        while stages.queue.splits:
            stages.split()
        (first, _), (second, _) = stages.queue.reads
        stages.read(first, FunctionReader(dead))
        assert stages.lines() == []
        stages.read(first)
        for _ in range(stages.context.settings.max_attempts):
            stages.read(second, FunctionReader(dead))
        stages.queue.reads.clear()
        stages.run()
        codes = [document.state for document in stages.view(job_id).documents]
        assert codes == [State.DONE, State.DONE_WITH_ERRORS]
        assert [line.error_code for line in stages.lines()] == [None, None, "LineFailed"]

    @pytest.mark.parametrize("fails_from", [0, 1])
    def test_a_broken_engine_costs_no_line_and_no_attempt(
        self, stages: Stages, fails_from: int
    ) -> None:
        def broken(_: NDArray[np.uint8]) -> LineReading:
            if len(reader.submitted) > fails_from:
                raise LineFailed
            return reading("read")

        reader = FunctionReader(broken)
        job_id = stages.submit(png(draw_lines(2)))
        stages.split()
        page_id = stages.queue.reads[0][0]
        with pytest.raises(EngineBroken):
            stages.read(page_id, reader)
        (page,) = stages.pages()
        assert (page.attempts, page.lease_token, stages.lines()) == (0, None, [])
        stages.run()
        assert stages.view(job_id).state == State.DONE

    def test_an_engine_that_is_too_busy_for_another_line_is_not_broken(
        self, tmp_path: Path
    ) -> None:
        class Busy(FunctionReader):
            def submit(self, image: NDArray[np.uint8], **options: Any) -> Future[LineReading]:
                return Future() if image.min() == 255 else super().submit(image, **options)

        def poisoned(_: NDArray[np.uint8]) -> LineReading:
            if len(reader.submitted) == 1:
                raise LineFailed
            return reading("read")

        reader = Busy(poisoned)
        with open_stages(tmp_path, lease_s=0.6) as stages:
            stages.submit(png(draw_lines(2)))
            stages.split()
            stages.read(reader=reader)
            assert [line.error_code for line in stages.lines()] == ["LineFailed", None]

    def test_a_page_with_a_late_line_is_tried_again_before_that_fails_alone(
        self, tmp_path: Path
    ) -> None:
        class Slow(FunctionReader):
            def submit(self, image: NDArray[np.uint8], **options: Any) -> Future[LineReading]:
                if self.submitted:
                    return Future()
                return super().submit(image, **options)

        with open_stages(tmp_path, read_deadline_s=0.3, lease_s=0.3, max_attempts=2) as stages:
            stages.submit(png(draw_lines(2)))
            stages.split()
            page_id = stages.queue.reads.pop()[0]
            stages.read(page_id, Slow())
            (page,) = stages.pages()
            assert (page.attempts, page.lease_token, stages.lines()) == (1, None, [])
            stages.read(page_id, Slow())
            assert [line.error_code for line in stages.lines()] == [None, "LineTimeout"]

    def test_a_storage_that_hangs_until_the_lease_is_lost_costs_no_attempt(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hangs(_: str) -> bytes:
            stages.set(Page, lease_token="another:1")
            raise StorageUnavailable

        stages.submit(png(draw_lines(1)))
        stages.split()
        monkeypatch.setattr(stages.context.storage, "get", hangs)
        stages.read()
        (page,) = stages.pages()
        assert (page.attempts, page.lease_token) == (0, "another:1")

    @pytest.mark.parametrize("alone", [False, True])
    @pytest.mark.parametrize("outage", OUTAGES)
    def test_a_database_in_trouble_costs_no_attempt(
        self,
        stages: Stages,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        outage: Exception,
        alone: bool,
    ) -> None:
        def away(*_: object, **__: object) -> None:
            raise outage

        job_id = stages.submit(png(draw_lines(1)))
        stages.split()
        page_id = stages.queue.reads[0][0]
        stages.set(Page, suspected=alone)
        with monkeypatch.context() as patch:
            patch.setattr(read_stage, "_finish", away)
            for _ in range(stages.context.settings.max_attempts + 3):
                stages.read(page_id)
        (page,) = stages.pages()
        assert (page.attempts, page.lease_token, page.suspected) == (0, None, alone)
        assert (page.due_at or 0.0) <= leases.retry_at(stages.context.settings, 0)
        assert "HWR_DATABASE_URL" in caplog.text
        assert "Traceback" not in caplog.text
        stages.run()
        assert stages.view(job_id).state == State.DONE

    def test_what_a_page_writes_wrongly_is_charged_to_it(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unfit(*_: object, **__: object) -> None:
            raise exc.DataError("INSERT", None, ValueError("a zero character"))

        stages.submit(png(draw_lines(1)))
        stages.split()
        monkeypatch.setattr(read_stage, "_finish", unfit)
        stages.read()
        assert stages.pages()[0].attempts == 1

    @pytest.mark.parametrize("comes_back", [True, False])
    def test_a_database_that_is_away_is_waited_for_as_long_as_the_lease_lasts(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, comes_back: bool
    ) -> None:
        database, tries = stages.context.database, []
        writing = database.writing

        def away() -> Any:
            tries.append("hand back")
            if comes_back and len(tries) == 4:
                monkeypatch.setattr(database, "writing", writing)
            raise OUTAGES[0]

        def cut_off(*_: object, **__: object) -> None:
            monkeypatch.setattr(database, "writing", away)
            if not comes_back:
                monkeypatch.setattr(time, "monotonic", partial(next, count(step=50.0)))
            raise OUTAGES[0]

        stages.submit(png(draw_lines(1)))
        stages.split()
        monkeypatch.setattr(leases, "_BETWEEN_TRIES_S", 0.0)
        monkeypatch.setattr(read_stage, "_finish", cut_off)
        with nullcontext() if comes_back else pytest.raises(exc.OperationalError):
            stages.read()
        monkeypatch.undo()
        (page,) = stages.pages()
        assert len(tries) == (4 if comes_back else 3)  # a lease of 120 s at 50 s a look
        assert (page.lease_token is None) == comes_back

    def test_the_lease_is_whole_before_the_reader_may_be_full(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due: list[float] = []
        get = stages.context.storage.get

        def slow(key: str) -> bytes:
            stages.set(Page, due_at=0.0)
            return get(key)

        def watched(image: NDArray[np.uint8]) -> LineReading:
            due.extend(page.due_at or 0.0 for page in stages.pages())
            return reading("read")

        stages.submit(png(draw_lines(1)))
        stages.split()
        monkeypatch.setattr(leases, "RENEWALS", 1e9)
        monkeypatch.setattr(stages.context.storage, "get", slow)
        stages.read(reader=FunctionReader(watched))
        assert len(due) == 1
        assert due[0] > time.time()

    def test_the_lease_is_kept_while_lines_are_waited_for(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        promise: Future[LineReading] = Future()
        waits: list[float] = []
        due: list[float] = []

        class Slow(FunctionReader):
            def submit(self, image: NDArray[np.uint8], **options: Any) -> Future[LineReading]:
                return promise

        def watched(promises: set[Any], timeout: float) -> Any:
            waits.append(timeout)
            due.extend(page.due_at or 0.0 for page in stages.pages())
            stages.set(Page, due_at=0.0)
            if len(waits) == 2:
                promise.set_result(reading("read"))
            return wait(promises, timeout=0)

        stages.submit(png(draw_lines(1)))
        stages.split()
        monkeypatch.setattr(leases, "RENEWALS", 1e9)
        monkeypatch.setattr(read_stage, "wait", watched)
        stages.read(reader=Slow())
        assert max(waits) < 1
        assert min(due) > time.time()
        assert [line.text for line in stages.lines()] == ["read"]

    @pytest.mark.parametrize("event", ["cancelled", "late"])
    def test_lines_that_nobody_waits_for_leave_the_reader(self, tmp_path: Path, event: str) -> None:
        class Waiting(FunctionReader):
            def submit(self, image: NDArray[np.uint8], **options: Any) -> Future[LineReading]:
                if event == "cancelled":
                    jobs.cancel(stages.context.database, tenant=TENANT, job_id=job_id)
                promises.append(Future())
                return promises[-1]

        promises: list[Future[LineReading]] = []
        with open_stages(tmp_path, read_deadline_s=0.3, lease_s=0.3) as stages:
            job_id = stages.submit(png(draw_lines(2)))
            stages.split()
            stages.read(reader=Waiting())
        assert promises
        assert all(promise.cancelled() for promise in promises)

    def test_a_closing_reader_hands_its_page_to_another_worker(self, stages: Stages) -> None:
        def closed(_: NDArray[np.uint8]) -> LineReading:
            raise ReaderClosed

        job_id = stages.submit(png(draw_lines(1)))
        stages.split()
        stages.read(reader=FunctionReader(closed))
        (page,) = stages.pages()
        assert (page.attempts, page.lease_token) == (0, None)
        assert stages.queue.reads == [(page.id, Lane.NORMAL)]
        stages.run()
        assert stages.view(job_id).state == State.DONE

    def test_an_unknown_error_gives_the_page_up_by_name(self, stages: Stages) -> None:
        def broken(_: NDArray[np.uint8]) -> LineReading:
            raise ZeroDivisionError

        job_id = stages.submit(png(draw_lines(1)))
        stages.split()
        page_id = stages.queue.reads.pop()[0]
        for _ in range(stages.context.settings.max_attempts + 1):
            stages.read(page_id, FunctionReader(broken))
        stages.publish()
        (page,) = stages.pages()
        assert (page.state, page.error_code) == (State.FAILED, "PageFailed")
        assert stages.view(job_id).state == State.FAILED

    def test_a_damaged_line_pack_fails_its_page(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)))
        stages.split()
        (page,) = stages.pages()
        stages.context.storage.put(page.lines_key or "", b"rubbish")
        stages.read()
        assert stages.pages()[0].error_code == "DamagedLinePack"
        assert stages.queue.publishes == [page.document_id]

    def test_a_lost_line_pack_fails_its_page(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)))
        stages.split()
        (page,) = stages.pages()
        stages.context.storage.delete(page.lines_key or "")
        stages.read()
        assert stages.pages()[0].error_code == "ObjectNotFound"
        assert stages.queue.publishes == [page.document_id]

    def test_a_worker_that_is_stopped_hands_its_page_back_at_once(self, stages: Stages) -> None:
        def stopped(_: NDArray[np.uint8]) -> LineReading:
            raise SystemExit

        stages.submit(png(draw_lines(1)))
        stages.split()
        with pytest.raises(SystemExit):
            stages.read(reader=FunctionReader(stopped))
        (page,) = stages.pages()
        assert (page.attempts, page.lease_token, page.suspected) == (0, None, False)
        assert (page.due_at or time.time() + 1) <= time.time()
