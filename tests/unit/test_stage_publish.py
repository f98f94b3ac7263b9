"""The publish stage: what it writes, when storage is away, and its lease."""

import errno
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pipeline import draw_lines, png, tiff, two_pages
from sqlalchemy import exc
from stage_bench import TENANT, FunctionReader, Stages, open_stages, reading

from hwr.decoding.reading import LineReading
from hwr.errors import BadLineImage, PageTimeout, StorageUnavailable
from hwr.profiles import load_profile
from workers import fan_in, jobs, leases
from workers.database import Document, State
from workers.results import result_chunks
from workers.retention import delete_own
from workers.stages import publish as publish_stage
from workers.stages import split as split_stage
from workers.stages.pages import SplitPage


class TestPublish:
    def test_it_is_tried_again_until_storage_is_back(
        self,
        stages: Stages,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def away(*_: object) -> None:
            raise StorageUnavailable

        job_id = stages.submit(png(Image.new("L", (600, 400), 255)))
        stages.split()
        document_id = stages.queue.publishes[0]
        waits = []
        with monkeypatch.context() as patch:
            patch.setattr(stages.context.storage, "put", away)
            for _ in range(2):
                stages.publish(document_id)
                waits.append((stages.document().due_at or 0.0) - time.time())
        assert waits[1] / waits[0] == pytest.approx(2, rel=0.1)
        assert f"document {document_id}: cannot be published now: The storage" in caplog.text
        assert "Traceback" not in caplog.text
        assert stages.view(job_id).state == State.RUNNING
        assert stages.document().lease_token is None
        stages.publish(document_id)
        assert stages.view(job_id).state == State.DONE

    def test_a_full_disk_is_named_and_waited_for(
        self,
        stages: Stages,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def full(**_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        job_id = stages.submit(png(Image.new("L", (600, 400), 255)))
        stages.split()
        document_id = stages.queue.publishes[0]
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "TemporaryFile", full)
            stages.publish(document_id)
        assert "cannot be published now: The folder for temporary files" in caplog.text
        assert "Traceback" not in caplog.text
        stages.publish(document_id)
        assert stages.view(job_id).state == State.DONE

    def test_a_database_that_goes_away_before_the_end_is_a_line_of_the_log(
        self,
        stages: Stages,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        database, tries = stages.context.database, []
        writing = database.writing
        error = exc.OperationalError("UPDATE", None, RuntimeError("refused"))

        def still_away() -> None:
            tries.append("hand back")
            monkeypatch.setattr(database, "writing", writing)
            raise error

        def away(*_: object) -> None:
            monkeypatch.setattr(database, "writing", still_away)
            raise error

        stages.submit(png(Image.new("L", (600, 400), 255)))
        stages.split()
        monkeypatch.setattr(leases, "_BETWEEN_TRIES_S", 0.0)
        with monkeypatch.context() as patch:
            patch.setattr(fan_in, "close_document", away)
            stages.publish()
        assert tries == ["hand back"]
        assert "cannot be published now: The database sqlite:///" in caplog.text
        assert "Traceback" not in caplog.text
        assert stages.document().lease_token is None

    @pytest.mark.parametrize(
        ("event", "left"), [("deleted", []), ("cancelled", ["original"])], ids=str
    )
    def test_no_result_stays_of_a_job_that_was_called_off_meanwhile(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, event: str, left: list[str]
    ) -> None:
        database, storage = stages.context.database, stages.context.storage
        put = storage.put

        def happens(key: str, content: Any) -> None:
            jobs.cancel(database, tenant=TENANT, job_id=job_id)
            if event == "deleted":
                delete_own(database, storage, tenant=TENANT, job_id=job_id)
            put(key, content)

        job_id = stages.submit(png(Image.new("L", (600, 400), 255)))
        stages.split()
        document_id = stages.document().id
        monkeypatch.setattr(storage, "put", happens)
        stages.publish()
        assert storage.names(f"jobs/{job_id}/{document_id}") == left

    def test_its_lease_is_kept_while_a_long_result_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due: list[float | None] = []

        def slow(*arguments: Any) -> Iterator[str]:
            for chunk in result_chunks(*arguments):
                time.sleep(0.01)
                yield chunk
                due.append(stages.document().due_at)

        monkeypatch.setattr(publish_stage, "result_chunks", slow)
        with open_stages(tmp_path, lease_s=0.02) as stages:
            job_id = stages.submit(two_pages())
            stages.run()
            assert stages.view(job_id).state == State.DONE
        assert len(due) > 2
        assert due == sorted({moment for moment in due if moment})

    def test_its_lease_is_kept_while_parts_of_the_result_go_to_storage(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due: list[float] = []
        put = stages.context.storage.put

        def in_parts(key: str, content: Any) -> None:
            if key.endswith("result.json"):
                for _ in range(2):
                    stages.set(Document, due_at=0.0)
                    content.read(1)
                    due.append(stages.document().due_at or 0.0)
                content.seek(0)
            put(key, content)

        job_id = stages.submit(two_pages())
        monkeypatch.setattr(leases, "RENEWALS", 1e9)
        monkeypatch.setattr(stages.context.storage, "put", in_parts)
        stages.run()
        assert len(due) == 2
        assert min(due) > time.time()
        assert stages.view(job_id).state == State.DONE

    @pytest.mark.parametrize(
        ("pages", "message"),
        [(1, "Page 1 took"), (3, "All 3 pages failed, the first because: Page 1 took")],
    )
    def test_a_document_whose_pages_all_failed_says_why(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, pages: int, message: str
    ) -> None:
        def late(_: object, number: int, *__: object) -> SplitPage:
            return SplitPage(number=number, error=PageTimeout(f"Page {number} took too long."))

        monkeypatch.setattr(split_stage, "split_page", late)
        job_id = stages.submit(tiff([draw_lines(1)] * pages))
        stages.run()
        (document,) = stages.view(job_id).documents
        assert document.error is not None
        assert (document.state, document.error.code) == (State.FAILED, "PageTimeout")
        assert document.error.message == f"{message} too long."
        told = json.loads(stages.context.storage.get(stages.document().result_key or ""))
        assert told["error"] == asdict(document.error)

    def test_the_result_is_written_from_the_rows(self, stages: Stages) -> None:
        stages.submit(two_pages())
        stages.run()
        told = json.loads(stages.context.storage.get(stages.document().result_key or ""))
        texts = [line["text"] for page in told["pages"] for line in page["lines"]]
        assert texts == [line.text for line in stages.lines()]
        assert told["reader"] == {"model": "test"} | load_profile("page").audit

    def test_a_job_that_is_deleted_before_its_result_is_written_is_no_failure(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def deleted_first(*given: Any) -> Iterator[str]:
            jobs.cancel(context.database, tenant=TENANT, job_id=job_id)
            delete_own(context.database, context.storage, tenant=TENANT, job_id=job_id)
            yield from result_chunks(*given)

        context = stages.context
        job_id = stages.submit(png(draw_lines(1)))
        stages.split()
        stages.read()
        monkeypatch.setattr(publish_stage, "result_chunks", deleted_first)
        stages.publish()
        assert caplog.records == []

    @pytest.mark.parametrize(("threshold", "first"), [("0", False), ("0.5", False), ("0.51", True)])
    def test_lines_below_the_threshold_and_all_that_failed_need_review(
        self, stages: Stages, threshold: str, first: bool
    ) -> None:
        def first_alone(_: NDArray[np.uint8]) -> LineReading:
            if len(reader.submitted) > 1:
                raise BadLineImage
            return reading("first")

        reader = FunctionReader(first_alone)
        reader.identity |= {"review_below": threshold}
        stages.submit(png(draw_lines(2)))
        stages.split()
        stages.read(reader=reader)
        stages.publish()
        told = json.loads(stages.context.storage.get(stages.document().result_key or ""))
        assert [line["needs_review"] for line in told["pages"][0]["lines"]] == [first, True]
