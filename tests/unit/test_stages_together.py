"""The stages after each other: the whole way, messages that come twice, jobs that are cancelled."""

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pipeline import draw_lines, png, two_pages
from sqlalchemy.exc import IntegrityError
from stage_bench import TENANT, FunctionReader, Stages, reading
from told import told_results

from hwr import layout
from hwr.decoding.reading import LineReading
from hwr.profiles import load_profile
from workers import jobs
from workers.database import Document, Lane, Line, Page, State
from workers.reaper import reap
from workers.retention import delete_own
from workers.shared_lock import SharedLock

#: A first page that is all one zone, and free text.
FORM = """
review_below = 0.4
[[pages]]
numbers = "1"
zones = [{ name = "total", box = [0, 0, 1, 1], holds = "digits" }]
"""

#: Slips of 60 × 27 mm, several on a page.
SLIPS = """
[[pages]]
size_mm = [60, 27]
several_sheets = true
zones = [
    { name = "first", find = "rule", holds = "digits", box = [10, 4, 55, 10] },
    { name = "second", find = "rule", box = [3, 9, 40, 15] },
    { name = "third", find = "rule", box = [5, 14, 50, 20] },
    { name = "last", find = "rule", box = [20, 19, 55, 25] },
]
"""


def two_slips() -> Image.Image:
    """A white page with two of them, on each of which the first zone is filled in."""
    image = np.full((1500, 1000), 255, np.uint8)
    for top in (150, 750):
        for left, right, y in ((150, 825, 132), (45, 600, 207), (75, 750, 282), (300, 825, 357)):
            cv2.line(image, (left + 50, top + y), (right + 50, top + y), 60, 3)
        where = (300, top + 122)
        cv2.putText(image, "joined", where, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.4, 0, 2, cv2.LINE_AA)
    return Image.fromarray(image)


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
        deadline_s = stages.context.settings.read_deadline_s
        assert reader.submitted == [
            {"lane": "high", "tenant": TENANT, "deadline_s": deadline_s, "decoder": None}
        ]

    def test_a_profile_goes_with_the_job_to_its_lines(self, stages: Stages, tmp_path: Path) -> None:
        (tmp_path / "form.toml").write_text(FORM)
        settings = stages.context.settings.model_copy(update={"profiles": tmp_path})
        context = replace(stages.context, settings=settings)
        job_id = Stages(context, stages.queue).submit(two_pages(), profile="form")
        reader = FunctionReader()
        stages = Stages(context, stages.queue)
        stages.split()
        while stages.queue.reads:
            stages.read(reader=reader)
        assert {asked["decoder"] for asked in reader.submitted} == {"digits", None}
        (document,) = told_results(context.database, tenant=TENANT, job_id=job_id)
        first, second = document["pages"]
        assert {line["zone"] for line in first["lines"]} == {"total"}
        assert [zone["name"] for zone in first["zones"]] == ["total"]
        assert {line["zone"] for line in second["lines"]} == {None}
        profile = load_profile("form", tmp_path)
        assert document["reader"] == {"model": "test"} | profile.audit
        assert not any(line["needs_review"] for line in first["lines"])

    def test_sheets_are_read_each_by_itself(self, stages: Stages, tmp_path: Path) -> None:
        (tmp_path / "slips.toml").write_text(SLIPS)
        settings = stages.context.settings.model_copy(update={"profiles": tmp_path})
        context = replace(stages.context, settings=settings)
        job_id = Stages(context, stages.queue).submit(png(two_slips()), profile="slips")
        stages = Stages(context, stages.queue)
        stages.split()
        stages.read(reader=FunctionReader())
        (document,) = told_results(context.database, tenant=TENANT, job_id=job_id)
        (page,) = document["pages"]
        assert page["warning"] is None
        assert [zone["sheet"] for zone in page["zones"]] == [1] * 4 + [2] * 4
        told = [(line["order"], line["zone"], line["sheet"]) for line in page["lines"]]
        assert told == [(0, "first", 1), (1, "first", 2)]

    def test_a_profile_that_has_gone_refuses_the_document_by_name(
        self, stages: Stages, tmp_path: Path
    ) -> None:
        (tmp_path / "form.toml").write_text(FORM)
        settings = stages.context.settings.model_copy(update={"profiles": tmp_path})
        stages = Stages(replace(stages.context, settings=settings), stages.queue)
        stages.submit(two_pages(), profile="form")
        (tmp_path / "form.toml").unlink()
        stages.run()
        document = stages.document()
        assert (document.state, document.error_code) == (State.FAILED, "UnknownProfile")

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

        def overtaken(_: NDArray[np.uint8]) -> LineReading:
            stages.set(Page, due_at=time.time() - 1)
            Stages(replace(stages.context, pages=SharedLock()), stages.queue).read(page_id)
            return reading("too late")

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
            with pytest.raises(IntegrityError), stages.context.database.writing() as session:
                session.add(row)


class TestCancel:
    def test_work_in_hand_is_dropped(self, stages: Stages) -> None:
        job_id = stages.submit(two_pages())
        document_id = stages.queue.splits[0]
        stages.split()
        page_id = stages.queue.reads[0][0]

        def cancels(_: NDArray[np.uint8]) -> LineReading:
            jobs.cancel(stages.context.database, tenant=TENANT, job_id=job_id)
            return reading("too late")

        stages.read(page_id, FunctionReader(cancels))
        stages.split(document_id)
        assert stages.lines() == []
        assert stages.view(job_id).state == State.CANCELLED
        assert {page.state for page in stages.pages()} == {State.CANCELLED}
        assert reap(stages.context.database, stages.context.settings, stages.queue).total() == 0

    def test_a_split_stops_at_the_next_page(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find = layout.find_lines

        def cancels(image: NDArray[np.uint8]) -> tuple[layout.Line, ...]:
            jobs.cancel(stages.context.database, tenant=TENANT, job_id=job_id)
            return find(image)

        monkeypatch.setattr(layout, "find_lines", cancels)
        job_id = stages.submit(two_pages())
        stages.split()
        assert stages.pages() == []


class TestLinesOfPagesWithoutARow:
    """What is stored while somebody calls the job off, and would be found by nobody."""

    @pytest.fixture
    def meanwhile(self, stages: Stages, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What becomes of the job while its first page is split."""
        events: list[str] = []
        find = layout.find_lines

        def happens(image: NDArray[np.uint8]) -> tuple[layout.Line, ...]:
            database, job_id = stages.context.database, stages.document().job_id
            if events == ["taken over"]:
                stages.set(Document, lease_token="another")
            else:
                jobs.cancel(database, tenant=TENANT, job_id=job_id)
            if events == ["deleted"]:
                delete_own(database, stages.context.storage, tenant=TENANT, job_id=job_id)
            return find(image)

        monkeypatch.setattr(layout, "find_lines", happens)
        return events

    def test_of_a_job_that_was_deleted_nothing_stays(
        self, stages: Stages, meanwhile: list[str]
    ) -> None:
        meanwhile.append("deleted")
        stages.submit(two_pages())
        stages.split()
        assert stages.context.storage.names("jobs") == []

    @pytest.mark.parametrize(
        ("event", "left"), [("cancelled", ["original"]), ("taken over", ["original", "pages"])]
    )
    def test_they_stay_only_with_who_took_the_document_over(
        self, stages: Stages, meanwhile: list[str], event: str, left: list[str]
    ) -> None:
        meanwhile.append(event)
        job_id = stages.submit(two_pages())
        stages.split()
        assert stages.pages() == []
        assert stages.context.storage.names(f"jobs/{job_id}/{stages.document().id}") == left
