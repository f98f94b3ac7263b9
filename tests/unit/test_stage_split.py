"""The split stage when documents and what it needs are late, broken or not there at all."""

import errno
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from document_files import A4, pdf, require_poppler
from numpy.typing import NDArray
from pipeline import draw_lines, tiff, two_pages
from sqlalchemy import exc
from stage_bench import Stages, open_stages

from hwr import documents, layout
from hwr.errors import DocumentTimeout, PageTimeout, StorageUnavailable
from hwr.profiles import Profile
from workers import leases
from workers.database import Document, Lane, State
from workers.stages import pages as page_stage
from workers.stages import split as split_stage
from workers.stages.pages import split_page
from workers.storage import Progress


def split_uncharged(stages: Stages) -> None:
    """Try a document oftener than it may fail; no try is charged to it."""
    document_id = stages.queue.splits[0]
    for _ in range(stages.context.settings.max_attempts + 3):
        stages.split(document_id)
    document = stages.document()
    assert (document.attempts, document.lease_token) == (0, None)


class TestSplitFailures:
    def test_it_goes_on_at_the_first_page_without_a_row(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        numbers: list[int] = []

        def killed(document: documents.Document, number: int, *others: Any) -> Any:
            numbers.append(number)
            if numbers == [1, 2]:
                raise SystemExit
            return split_page(document, number, *others)

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
        for _ in range(stages.context.settings.max_attempts + 1):
            stages.split(document_id)
        stages.queue.splits.clear()
        stages.run()
        assert stages.view(job_id).state == State.DONE_WITH_ERRORS
        failed, done = stages.pages()
        assert (failed.error_code, done.state) == ("PageFailed", State.DONE)
        tries = stages.context.settings.max_attempts
        assert f"failed {tries} times" in (failed.error_message or "")

    def test_every_page_has_as_many_tries_whatever_the_one_before_it_took(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[int] = []

        def failing(_: object, number: int, *__: object) -> page_stage.SplitPage:
            tried.append(number)
            if number == 2 or tried == [1]:
                raise ZeroDivisionError
            return page_stage.SplitPage(number=number)

        monkeypatch.setattr(split_stage, "split_page", failing)
        with open_stages(tmp_path, max_attempts=2) as stages:
            stages.submit(tiff([draw_lines(0)] * 3))
            for _ in range(4):
                stages.split(stages.queue.splits[0])
            codes = [page.error_code for page in stages.pages()]
        assert tried == [1, 1, 2, 2, 3]
        assert codes == [None, "PageFailed", None]

    def test_a_document_that_cannot_be_opened_is_given_up_by_name(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(documents, "open_document", broken)
        job_id = stages.submit(two_pages())
        document_id = stages.queue.splits[0]
        for _ in range(stages.context.settings.max_attempts + 1):
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
        for _ in range(2 * stages.context.settings.max_attempts + 1):
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
        stages.context.storage.put(stages.document().key or "", replaced)
        stages.run()
        assert stages.document().error_code == "DocumentFailed"
        assert stages.view(job_id).state == State.FAILED

    def test_a_storage_that_is_away_costs_no_attempt(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise StorageUnavailable

        job_id = stages.submit(two_pages())
        with monkeypatch.context() as patch:
            patch.setattr(stages.context.storage, "download", away)
            split_uncharged(stages)
        assert stages.document().due_at is not None
        stages.run()
        assert stages.view(job_id).state == State.DONE

    @pytest.mark.parametrize("step", ["folder", "copy"])
    def test_a_full_disk_for_temporary_files_costs_no_attempt(
        self,
        stages: Stages,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        step: str,
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        job_id = stages.submit(two_pages())
        with monkeypatch.context() as patch:
            if step == "folder":
                patch.setattr(tempfile, "TemporaryDirectory", full)
            else:
                patch.setattr(stages.context.storage, "download", full)
            split_uncharged(stages)
        assert "No space left on device" in caplog.text
        assert "TMPDIR" in caplog.text
        stages.run()
        assert stages.view(job_id).state == State.DONE

    @pytest.mark.parametrize("step", ["_fetch", "_hand_on"])
    def test_a_database_in_trouble_costs_no_attempt(
        self,
        stages: Stages,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        step: str,
    ) -> None:
        database, tries = stages.context.database, []
        writing = database.writing
        error = exc.OperationalError("UPDATE", None, RuntimeError("statement timeout"))

        def still_away() -> None:
            tries.append("hand back")
            monkeypatch.setattr(database, "writing", writing)
            raise error

        def away(*_: object) -> None:
            monkeypatch.setattr(database, "writing", still_away)
            raise error

        job_id = stages.submit(two_pages())
        monkeypatch.setattr(leases, "_BETWEEN_TRIES_S", 0.0)
        with monkeypatch.context() as patch:
            patch.setattr(split_stage, step, away)
            split_uncharged(stages)
        assert tries
        assert "HWR_DATABASE_URL" in caplog.text
        assert "Traceback" not in caplog.text
        stages.run()
        assert stages.view(job_id).state == State.DONE

    def test_a_disk_error_while_opening_is_counted(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(documents, "open_document", broken)
        stages.submit(two_pages())
        stages.split()
        assert stages.document().attempts == 1

    def test_a_storage_that_hangs_until_the_lease_is_lost_costs_no_attempt(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hangs(*_: object) -> None:
            stages.set(Document, lease_token="another:1")
            raise StorageUnavailable

        stages.submit(two_pages())
        monkeypatch.setattr(stages.context.storage, "download", hangs)
        stages.split()
        document = stages.document()
        assert (document.attempts, document.lease_token) == (0, "another:1")

    def test_the_lease_is_kept_while_the_original_is_fetched(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due, download = [], stages.context.storage.download

        def watched(key: str, path: Path, progress: Progress) -> None:
            def chunk() -> None:
                stages.set(Document, due_at=0.0)
                progress()
                due.append(stages.document().due_at or 0.0)

            download(key, path, chunk)

        monkeypatch.setattr(leases, "RENEWALS", 1e9)
        monkeypatch.setattr(stages.context.storage, "download", watched)
        stages.submit(two_pages())
        stages.split()
        assert due
        assert min(due) > time.time()

    def test_the_lease_is_whole_before_opening_and_before_storing(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due: list[float] = []
        open_document = documents.open_document
        fetch, put = stages.context.storage.download, stages.context.storage.put

        def slow_fetch(*arguments: Any) -> None:
            fetch(*arguments)
            stages.set(Document, due_at=0.0)

        def slow_page(*arguments: Any) -> page_stage.SplitPage:
            stages.set(Document, due_at=0.0)
            return split_page(*arguments)

        def watched(step: Callable[..., Any], *arguments: Any) -> Any:
            due.append(stages.document().due_at or 0.0)
            return step(*arguments)

        stages.submit(tiff([draw_lines(1)]))
        monkeypatch.setattr(leases, "RENEWALS", 1e9)
        monkeypatch.setattr(stages.context.storage, "download", slow_fetch)
        monkeypatch.setattr(documents, "open_document", partial(watched, open_document))
        monkeypatch.setattr(split_stage, "split_page", slow_page)
        monkeypatch.setattr(stages.context.storage, "put", partial(watched, put))
        stages.split()
        assert len(due) == 2
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
        stages.context.storage.delete(stages.document().key or "")
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

        def quick(document: documents.Document, number: int, profile: Profile, _: float) -> Any:
            return split_page(document, number, profile, 0.5 if number == 1 else 20.0)

        monkeypatch.setattr(split_stage, "split_page", quick)
        job_id = stages.submit(tiff([draw_lines(1, width=901), draw_lines(2)]))
        stages.run()
        assert [page.error_code for page in stages.pages()] == ["PageTimeout", None]
        assert stages.view(job_id).state == State.DONE_WITH_ERRORS

    def test_an_opening_that_was_held_up_is_not_the_documents_fault(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_document, pauses = documents.open_document, [DocumentTimeout()]

        def paused(*arguments: Any) -> Any:
            if pauses:
                raise pauses.pop()
            return open_document(*arguments)

        monkeypatch.setattr(documents, "open_document", paused)
        job_id = stages.submit(two_pages())
        stages.run()
        assert stages.view(job_id).state == State.DONE

    @pytest.mark.parametrize(("is_at_work", "tries"), [(False, [1, 1, 2]), (True, [1, 2])])
    def test_a_page_that_was_held_up_is_split_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_at_work: bool, tries: list[int]
    ) -> None:
        tried: list[int] = []

        def late(document: documents.Document, number: int, *others: Any) -> Any:
            tried.append(number)
            if tried != [1]:
                return split_page(document, number, *others)
            began = time.process_time()
            while is_at_work and time.process_time() < began + 2.0:
                pass
            return page_stage.SplitPage(number=number, error=PageTimeout())

        monkeypatch.setattr(split_stage, "split_page", late)
        with open_stages(tmp_path, page_deadline_s=3.0) as stages:
            stages.submit(two_pages())
            stages.run()
            codes = [page.error_code for page in stages.pages()]
        assert tried == tries
        assert codes == ["PageTimeout" if is_at_work else None, None]

    def test_a_page_with_more_lines_than_a_reader_may_hold_fails_alone(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page_stage, "MOST_COLUMNS", 2000)
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
        assert codes == (["DocumentTimeout"] if program == "pdfinfo" else ["PageTimeout"] * 2)
        with pytest.raises(ProcessLookupError):
            os.kill(int(started.read_text()), 0)

    def test_giving_way_is_no_try_of_the_next_page(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with open_stages(tmp_path, max_attempts=1) as stages:
            job_id = stages.submit(two_pages())
            with monkeypatch.context() as patch:
                patch.setattr(split_stage, "SLICE_S", 0.0)
                for _ in range(3):
                    stages.split()
            stages.run()
            assert stages.view(job_id).state == State.DONE

    def test_a_long_document_lets_others_have_their_turn(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(split_stage, "SLICE_S", 0.0)
        job_id = stages.submit(two_pages(), lane=Lane.LOW)
        stages.split()
        assert len(stages.queue.splits) == 1
        assert stages.queue.split_lanes == [Lane.LOW]
        assert stages.document().lease_token is None
        monkeypatch.undo()
        stages.run()
        assert stages.view(job_id).state == State.DONE
