"""The stages one by one: what they do when work comes twice, late, broken or not at all."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from document_files import A4, pdf, require_poppler
from kombu.exceptions import OperationalError
from numpy.typing import NDArray
from PIL import Image
from pipeline import draw_lines, png, tiff
from sqlalchemy.exc import IntegrityError
from stage_bench import TENANT, FunctionReader, Reading, Stages, open_stages

from hwr import documents, layout
from hwr.errors import EngineBroken, LineFailed, ReaderClosed, StorageUnavailable
from workers import jobs, leases
from workers.database import Document, Lane, Line, Page, Stage, State
from workers.dispatch import send_documents
from workers.reaper import reap, recall
from workers.stages import publish as publish_stage
from workers.stages import split as split_stage
from workers.storage import Progress


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[Stages]:
    with open_stages(tmp_path, page_deadline_s=20.0) as stages:
        yield stages


def two_pages() -> bytes:
    return tiff([draw_lines(2), draw_lines(3)])


class TestWholeWay:
    def test_every_row_ends_finished(self, stages: Stages) -> None:
        job_id = stages.submit(two_pages(), png(draw_lines(1)))
        assert stages.view(job_id).state == State.QUEUED
        stages.run()
        job = stages.view(job_id)
        assert (job.state, job.pages_done, job.lines_done) == (State.DONE, 3, 6)
        assert job.finished is not None
        assert {page.state for page in stages.pages()} == {State.DONE}
        assert {page.due_at for page in stages.pages()} == {None}

    def test_a_page_is_handed_on_before_the_next_is_split(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handed_on, find = [], layout.find_lines

        def watch(image: NDArray[np.uint8]) -> tuple[layout.Line, ...]:
            handed_on.append(len(stages.queue.reads))
            return find(image)

        monkeypatch.setattr(layout, "find_lines", watch)
        stages.submit(two_pages())
        stages.split()
        assert handed_on == [0, 1]

    def test_lane_and_tenant_reach_the_reader(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)), lane=Lane.HIGH)
        stages.split()
        assert [lane for _, lane in stages.queue.reads] == [Lane.HIGH]
        reader = FunctionReader()
        stages.read(reader=reader)
        deadline_s = stages.bench.settings.read_deadline_s
        assert reader.submitted == [{"lane": "high", "tenant": TENANT, "deadline_s": deadline_s}]

    def test_partial_results_are_there_before_the_end(self, stages: Stages) -> None:
        job_id = stages.submit(two_pages())
        stages.split()
        stages.read()
        (told,) = stages.view(job_id).documents
        assert (told.state, told.pages_done, told.page_count) == (State.RUNNING, 1, 2)


class TestTwice:
    def test_messages_that_come_again_change_nothing(self, stages: Stages) -> None:
        job_id = stages.submit(two_pages())
        document_id = stages.queue.splits[0]
        stages.split()
        stages.split(document_id)
        page_ids = [page_id for page_id, _ in stages.queue.reads]
        for page_id in page_ids * 2:
            stages.read(page_id)
        stages.queue.reads.clear()
        assert stages.queue.publishes == [document_id]
        stages.publish()
        before = stages.view(job_id)
        stages.publish(document_id)
        stages.split(document_id)
        assert stages.view(job_id) == before
        assert (len(stages.pages()), len(stages.lines())) == (2, 5)

    def test_a_reader_that_lost_its_lease_writes_nothing(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)))
        stages.split()
        page_id = stages.queue.reads[0][0]

        def overtaken(_: NDArray[np.uint8]) -> Reading:
            stages.set(Page, due_at=time.time() - 1)
            stages.read(page_id)
            return Reading("too late")

        stages.read(page_id, FunctionReader(overtaken))
        assert "too late" not in [line.text for line in stages.lines()]
        assert stages.document().lines_done == len(stages.lines()) == 1

    def test_the_database_refuses_a_second_row(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)))
        stages.run()
        (page,), (line,) = stages.pages(), stages.lines()
        again = Page(document_id=page.document_id, number=page.number, state=State.QUEUED)
        same = Line(page_id=line.page_id, order=0, text="", confidence=0, polygon=[], baseline=[])
        for row in (again, same):
            with pytest.raises(IntegrityError), stages.bench.database.writing() as session:
                session.add(row)


class TestSplitFailures:
    def test_it_goes_on_at_the_first_page_without_a_row(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        numbers, whole = [], split_stage.split_page

        def killed(document: documents.Document, number: int, deadline_s: float) -> Any:
            numbers.append(number)
            if numbers == [1, 2]:
                raise SystemExit
            return whole(document, number, deadline_s)

        monkeypatch.setattr(split_stage, "split_page", killed)
        stages.submit(tiff([draw_lines(1), draw_lines(2), draw_lines(3)]))
        document_id = stages.queue.splits[0]
        with pytest.raises(SystemExit):
            stages.split()
        stages.split(document_id)
        assert numbers == [1, 2, 2, 3]
        assert stages.document().attempts == 1

    def test_an_unknown_error_gives_the_page_up_by_name(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find = layout.find_lines

        def broken(image: NDArray[np.uint8]) -> tuple[layout.Line, ...]:
            if image.shape[1] == 901:
                raise ZeroDivisionError
            return find(image)

        monkeypatch.setattr(layout, "find_lines", broken)
        job_id = stages.submit(tiff([draw_lines(1, width=901), draw_lines(2)]))
        document_id = stages.queue.splits[0]
        for _ in range(stages.bench.settings.max_attempts + 1):
            stages.split(document_id)
        stages.queue.splits.clear()
        stages.run()
        assert stages.view(job_id).state == State.DONE_WITH_ERRORS
        failed, done = stages.pages()
        assert (failed.error_code, done.state) == ("PageFailed", State.DONE)

    def test_a_document_that_cannot_be_opened_is_given_up_by_name(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(documents, "open_document", broken)
        job_id = stages.submit(two_pages())
        document_id = stages.queue.splits[0]
        for _ in range(stages.bench.settings.max_attempts + 1):
            stages.split(document_id)
        stages.publish()
        (document,) = stages.view(job_id).documents
        assert document.error is not None
        assert document.error.code == "DocumentFailed"
        assert stages.view(job_id).state == State.FAILED

    def test_a_document_that_cannot_be_opened_again_is_given_up_by_name(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        job_id = stages.submit(two_pages())
        document_id = stages.queue.splits[0]
        with monkeypatch.context() as patch:
            patch.setattr(split_stage, "SLICE_S", 0.0)
            stages.split()
        monkeypatch.setattr(documents, "open_document", broken)
        for _ in range(2 * stages.bench.settings.max_attempts + 1):
            stages.split(document_id)
        stages.publish()
        assert stages.document().error_code == "DocumentFailed"
        assert stages.view(job_id).state == State.FAILED

    @pytest.mark.parametrize("pages", [1, 3])
    def test_a_document_that_is_replaced_between_two_splits_is_refused(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, pages: int
    ) -> None:
        job_id = stages.submit(two_pages())
        with monkeypatch.context() as patch:
            patch.setattr(split_stage, "SLICE_S", 0.0)
            stages.split()
        replaced = tiff([draw_lines(1)] * pages)
        stages.bench.storage.put(stages.document().key or "", replaced)
        stages.run()
        assert stages.document().error_code == "DocumentFailed"
        assert stages.view(job_id).state == State.FAILED

    def test_a_storage_that_is_away_costs_no_attempt(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise StorageUnavailable

        job_id = stages.submit(two_pages())
        document_id = stages.queue.splits[0]
        with monkeypatch.context() as patch:
            patch.setattr(stages.bench.storage, "download", away)
            for _ in range(stages.bench.settings.max_attempts + 3):
                stages.split(document_id)
        document = stages.document()
        assert (document.attempts, document.lease_token) == (0, None)
        assert document.due_at is not None
        stages.run()
        assert stages.view(job_id).state == State.DONE

    def test_the_lease_is_kept_while_the_original_is_fetched(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due, download = [], stages.bench.storage.download

        def watched(key: str, path: Path, progress: Progress) -> None:
            def chunk() -> None:
                stages.set(Document, due_at=0.0)
                progress()
                due.append(stages.document().due_at or 0.0)

            download(key, path, chunk)

        monkeypatch.setattr(leases, "RENEWALS", 1e9)
        monkeypatch.setattr(stages.bench.storage, "download", watched)
        stages.submit(two_pages())
        stages.split()
        assert due
        assert min(due) > time.time()

    def test_a_fetch_that_takes_too_long_costs_no_attempt(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        job_id = stages.submit(two_pages())
        with monkeypatch.context() as patch:
            patch.setattr(split_stage, "FETCH_PART", 0.0)
            stages.split(stages.queue.splits[0])
        assert "Fetching the document took more than 0 s" in caplog.text
        document = stages.document()
        assert (document.attempts, document.lease_token) == (0, None)
        stages.run()
        assert stages.view(job_id).state == State.DONE

    def test_a_lost_original_fails_its_document(self, stages: Stages) -> None:
        job_id = stages.submit(two_pages())
        stages.bench.storage.delete(stages.document().key or "")
        stages.run()
        (document,) = stages.view(job_id).documents
        assert document.error is not None
        assert document.error.code == "ObjectNotFound"

    def test_a_page_over_its_deadline_fails_alone(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find = layout.find_lines

        def slow(image: NDArray[np.uint8]) -> tuple[layout.Line, ...]:
            if image.shape[1] == 901:
                time.sleep(30)
            return find(image)

        monkeypatch.setattr(layout, "find_lines", slow)

        def quick(document: documents.Document, number: int, _: float) -> Any:
            return whole(document, number, 0.5 if number == 1 else 20.0)

        whole = split_stage.split_page
        monkeypatch.setattr(split_stage, "split_page", quick)
        job_id = stages.submit(tiff([draw_lines(1, width=901), draw_lines(2)]))
        stages.run()
        assert [page.error_code for page in stages.pages()] == ["PageTimeout", None]
        assert stages.view(job_id).state == State.DONE_WITH_ERRORS

    def test_a_page_with_more_lines_than_a_reader_may_hold_fails_alone(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(split_stage, "MOST_COLUMNS", 2000)
        job_id = stages.submit(tiff([draw_lines(6), draw_lines(1)]))
        stages.run()
        assert [page.error_code for page in stages.pages()] == ["TooManyLines", None]
        assert stages.view(job_id).lines_done == 1

    @pytest.mark.parametrize("program", ["pdfinfo", "pdftoppm"])
    def test_poppler_ends_with_the_deadline(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
    ) -> None:
        require_poppler()
        script, started = tmp_path / program, tmp_path / "pid"
        script.write_text(f'#!/bin/sh\n[ "$1" = -v ] && exit\necho $$ > {started}\nexec sleep 60\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        with open_stages(tmp_path, page_deadline_s=3.0) as stages:
            stages.submit(pdf([(A4, b"0 0 9 9 re f")]))
            stages.run()
            codes = [stages.document().error_code, *(page.error_code for page in stages.pages())]
        assert codes == (["DocumentTimeout"] if program == "pdfinfo" else [None, "PageTimeout"])
        with pytest.raises(ProcessLookupError):
            os.kill(int(started.read_text()), 0)

    def test_a_long_document_lets_others_have_their_turn(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(split_stage, "SLICE_S", 0.0)
        job_id = stages.submit(two_pages())
        stages.split()
        assert len(stages.queue.splits) == 1
        assert stages.document().lease_token is None
        monkeypatch.undo()
        stages.run()
        assert stages.view(job_id).state == State.DONE


class TestReadFailures:
    def test_a_line_fails_alone(self, stages: Stages) -> None:
        def poisoned(image: NDArray[np.uint8]) -> Reading:
            if not texts:
                texts.append("first")
                raise LineFailed
            return Reading("read")

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

    def test_a_page_of_which_no_line_was_read_is_tried_again_elsewhere(
        self, stages: Stages
    ) -> None:
        def dead(image: NDArray[np.uint8]) -> Reading:
            if image.min() < 255:
                raise LineFailed
            return Reading("")

        job_id = stages.submit(png(draw_lines(2)), png(draw_lines(1)))
        while stages.queue.splits:
            stages.split()
        (first, _), (second, _) = stages.queue.reads
        stages.read(first, FunctionReader(dead))
        assert stages.lines() == []
        stages.read(first)
        for _ in range(stages.bench.settings.max_attempts):
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
        def broken(_: NDArray[np.uint8]) -> Reading:
            if len(reader.submitted) > fails_from:
                raise LineFailed
            return Reading("read")

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

    def test_a_page_with_a_late_line_is_tried_again_before_that_fails_alone(
        self, tmp_path: Path
    ) -> None:
        class Slow(FunctionReader):
            def submit(self, image: NDArray[np.uint8], **options: Any) -> Future[Reading]:
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

    @pytest.mark.parametrize("event", ["cancelled", "late"])
    def test_lines_that_nobody_waits_for_leave_the_reader(self, tmp_path: Path, event: str) -> None:
        class Waiting(FunctionReader):
            def submit(self, image: NDArray[np.uint8], **options: Any) -> Future[Reading]:
                if event == "cancelled":
                    jobs.cancel(stages.bench.database, tenant=TENANT, job_id=job_id)
                promises.append(Future())
                return promises[-1]

        promises: list[Future[Reading]] = []
        with open_stages(tmp_path, read_deadline_s=0.3, lease_s=0.3) as stages:
            job_id = stages.submit(png(draw_lines(2)))
            stages.split()
            stages.read(reader=Waiting())
        assert promises
        assert all(promise.cancelled() for promise in promises)

    def test_a_closing_reader_hands_its_page_to_another_worker(self, stages: Stages) -> None:
        def closed(_: NDArray[np.uint8]) -> Reading:
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
        def broken(_: NDArray[np.uint8]) -> Reading:
            raise ZeroDivisionError

        job_id = stages.submit(png(draw_lines(1)))
        stages.split()
        page_id = stages.queue.reads.pop()[0]
        for _ in range(stages.bench.settings.max_attempts + 1):
            stages.read(page_id, FunctionReader(broken))
        stages.publish()
        (page,) = stages.pages()
        assert (page.state, page.error_code) == (State.FAILED, "PageFailed")
        assert stages.view(job_id).state == State.FAILED

    def test_a_damaged_line_pack_fails_its_page(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)))
        stages.split()
        (page,) = stages.pages()
        stages.bench.storage.put(page.lines_key or "", b"rubbish")
        stages.read()
        assert stages.pages()[0].error_code == "DamagedLinePack"
        assert stages.queue.publishes == [page.document_id]


class TestPublish:
    def test_it_is_tried_again_until_storage_is_back(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise StorageUnavailable

        job_id = stages.submit(png(Image.new("L", (600, 400), 255)))
        stages.split()
        document_id = stages.queue.publishes[0]
        with monkeypatch.context() as patch:
            patch.setattr(stages.bench.storage, "put", away)
            stages.publish()
        assert stages.view(job_id).state == State.RUNNING
        assert stages.document().lease_token is None
        stages.publish(document_id)
        assert stages.view(job_id).state == State.DONE

    def test_its_lease_is_kept_while_a_long_result_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due, chunks = [], publish_stage.result_chunks

        def slow(*arguments: Any) -> Iterator[str]:
            for chunk in chunks(*arguments):
                time.sleep(0.01)
                yield chunk
                due.append(stages.document().due_at)

        monkeypatch.setattr(publish_stage, "result_chunks", slow)
        with open_stages(tmp_path, lease_s=0.02) as stages:
            job_id = stages.submit(two_pages())
            stages.run()
            assert stages.view(job_id).state == State.DONE
        assert len(due) > 2
        assert due == sorted(set(due))

    def test_the_result_is_written_from_the_rows(self, stages: Stages) -> None:
        job_id = stages.submit(two_pages())
        stages.run()
        (document,) = stages.view(job_id).documents
        told = json.loads(stages.bench.storage.get(document.result_key or ""))
        texts = [line["text"] for page in told["pages"] for line in page["lines"]]
        assert texts == [line.text for line in stages.lines()]
        assert told["reader"] == {"model": "test"}


class TestCancel:
    def test_work_in_hand_is_dropped(self, stages: Stages) -> None:
        job_id = stages.submit(two_pages())
        document_id = stages.queue.splits[0]
        stages.split()
        page_id = stages.queue.reads[0][0]

        def cancels(_: NDArray[np.uint8]) -> Reading:
            jobs.cancel(stages.bench.database, tenant=TENANT, job_id=job_id)
            return Reading("too late")

        stages.read(page_id, FunctionReader(cancels))
        stages.split(document_id)
        assert stages.lines() == []
        assert stages.view(job_id).state == State.CANCELLED
        assert {page.state for page in stages.pages()} == {State.CANCELLED}
        assert reap(stages.bench.database, stages.bench.settings, stages.queue) == 0

    def test_a_split_stops_at_the_next_page(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find = layout.find_lines

        def cancels(image: NDArray[np.uint8]) -> tuple[layout.Line, ...]:
            jobs.cancel(stages.bench.database, tenant=TENANT, job_id=job_id)
            return find(image)

        monkeypatch.setattr(layout, "find_lines", cancels)
        job_id = stages.submit(two_pages())
        stages.split()
        assert stages.pages() == []


class TestDispatch:
    def test_the_first_document_that_cannot_be_sent_leaves_the_others_to_the_reaper(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []

        def away(document_id: str) -> None:
            tried.append(document_id)
            if len(tried) > 1:
                raise OperationalError

        database = stages.bench.database
        job_id = stages.submit(*[png(draw_lines(1))] * 4)
        first, *others = stages.queue.splits
        stages.queue.splits.clear()
        with monkeypatch.context() as patch:
            patch.setattr(stages.queue, "split", away)
            send_documents(database, stages.queue, job_id)
        assert tried == [first, others[0]]
        assert reap(database, stages.bench.settings, stages.queue) == len(others)
        assert sorted(stages.queue.splits) == sorted(others)


class TestReaper:
    def test_nothing_is_sent_while_work_waits_its_turn(self, stages: Stages) -> None:
        stages.submit(two_pages())
        assert reap(stages.bench.database, stages.bench.settings, stages.queue) == 0

    def test_lost_work_is_sent_once_and_then_ever_later(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)))
        stages.split()
        stages.queue.reads.clear()
        waits = []
        for _ in range(3):
            stages.set(Page, due_at=time.time() - 1)
            assert reap(stages.bench.database, stages.bench.settings, stages.queue) == 1
            assert reap(stages.bench.database, stages.bench.settings, stages.queue) == 0
            waits.append((stages.pages()[0].due_at or 0) - time.time())
        assert len(stages.queue.reads) == 3
        assert waits[1] / waits[0] == pytest.approx(2, rel=0.1)
        assert waits[2] / waits[1] == pytest.approx(2, rel=0.1)

    def test_a_lease_that_ended_is_taken_back(self, stages: Stages) -> None:
        stages.submit(two_pages())
        stages.queue.splits.clear()
        stages.set(Document, lease_token="dead:1", due_at=time.time() - 1)
        reap(stages.bench.database, stages.bench.settings, stages.queue)
        assert stages.document().lease_token is None
        assert stages.queue.splits == [stages.document().id]

    def test_a_document_that_waits_for_its_result_is_published(self, stages: Stages) -> None:
        stages.submit(png(Image.new("L", (600, 400), 255)))
        stages.split()
        stages.queue.publishes.clear()
        assert stages.document().stage == Stage.PUBLISH
        stages.set(Document, due_at=time.time() - 1)
        reap(stages.bench.database, stages.bench.settings, stages.queue)
        assert stages.queue.publishes == [stages.document().id]

    def test_what_cannot_be_sent_stays_due(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise OperationalError

        stages.submit(two_pages())
        stages.queue.splits.clear()
        stages.set(Document, due_at=time.time() - 1)
        with monkeypatch.context() as patch:
            patch.setattr(stages.queue, "split", away)
            with pytest.raises(OperationalError):
                reap(stages.bench.database, stages.bench.settings, stages.queue)
        assert reap(stages.bench.database, stages.bench.settings, stages.queue) == 1

    def test_lost_queues_bring_back_all_that_waited_but_not_what_is_held(
        self, stages: Stages
    ) -> None:
        stages.submit(two_pages())
        stages.split()
        (first, _), (second, _) = stages.queue.reads
        stages.queue.reads.clear()

        def flushed(_: NDArray[np.uint8]) -> Reading:
            recall(stages.bench.database)
            reap(stages.bench.database, stages.bench.settings, stages.queue)
            return Reading("held")

        stages.read(first, FunctionReader(flushed))
        assert {page_id for page_id, _ in stages.queue.reads} == {second}
        assert len(stages.lines()) == 2
