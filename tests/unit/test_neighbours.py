"""What ends, refuses or sends one page, document or job leaves all others as they are."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from pipeline import draw_lines, png, tiff, two_pages
from sqlalchemy import select, update
from stage_bench import TENANT, FunctionReader, Stages, reading
from told import told_results

from hwr.decoding.reading import LineReading
from hwr.errors import DocumentFailed, ObjectNotFound
from workers import fan_in, jobs, leases, results
from workers.database import Document, Job, Page, Stage, State
from workers.dispatch import send_documents


def refuse(stages: Stages, document_id: str) -> None:
    """Refuse the document as a split does that finds it replaced."""
    with stages.context.database.writing() as session:
        document = fan_in.lock_document(session, Document.id == document_id)
        fan_in.fail_document(session, stages.context.settings, document, DocumentFailed("replaced"))


def split_two(stages: Stages) -> tuple[str, str]:
    """Two jobs of a document with two pages, all waiting to be read; the ids of the documents."""
    for _ in range(2):
        stages.submit(two_pages())
    first, second = stages.queue.splits
    for _ in range(2):
        stages.split()
    return first, second


def pages_of(stages: Stages, document_id: str) -> list[Page]:
    return [page for page in stages.pages() if page.document_id == document_id]


class TestRefusedDocument:
    def test_it_gives_up_its_own_waiting_pages_and_no_others(self, stages: Stages) -> None:
        refused, other = split_two(stages)
        done, waiting = pages_of(stages, refused)
        stages.read(done.id)
        refuse(stages, refused)
        assert [page.state for page in pages_of(stages, refused)] == [State.DONE, State.FAILED]
        assert {page.state for page in pages_of(stages, other)} == {State.QUEUED}
        with stages.context.database.reading() as session:
            document = session.get_one(Document, refused)
        assert (document.pages_done, document.pages_failed) == (1, 1)
        stages.read(waiting.id)  # its message comes all the same
        assert len(stages.lines()) == 2
        stages.queue.reads = [message for message in stages.queue.reads if message[0] > waiting.id]
        stages.publish(refused)
        stages.run()
        with stages.context.database.reading() as session:
            states = session.execute(select(Document.id, Document.state)).all()
            ended = session.scalars(select(Job.state)).all()
        assert {row.id: row.state for row in states} == {refused: State.FAILED, other: State.DONE}
        assert sorted(ended) == [State.DONE, State.FAILED]

    def test_who_reads_a_page_of_it_writes_nothing_more(self, stages: Stages) -> None:
        document_id, _ = split_two(stages)
        (page, _) = pages_of(stages, document_id)

        def refusing(_: NDArray[np.uint8]) -> LineReading:
            refuse(stages, document_id)
            return reading("too late")

        stages.read(page.id, FunctionReader(refusing))
        assert stages.lines() == []
        assert {page.due_at for page in pages_of(stages, document_id)} == {None}

    def test_a_split_that_lost_it_does_not_refuse_it(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def overtaken(*_: object) -> None:
            stages.set(Document, lease_token="another:1")
            raise ObjectNotFound

        stages.submit(two_pages())
        monkeypatch.setattr(stages.context.storage, "download", overtaken)
        stages.split()
        assert (stages.document().error_code, stages.queue.publishes) == (None, [])


class TestMessages:
    def test_one_of_an_earlier_stage_does_not_take_what_waits_for_the_next(
        self, stages: Stages
    ) -> None:
        stages.submit(png(draw_lines(0)))
        document_id = stages.queue.splits[0]
        stages.publish(document_id)
        assert stages.document().stage == Stage.SPLIT
        stages.split()
        assert stages.document().stage == Stage.PUBLISH
        stages.split(document_id)
        assert (stages.document().lease_token, stages.document().attempts) == (None, 0)
        assert len(stages.pages()) == 1
        (page,) = stages.pages()
        assert (page.state, page.due_at) == (State.DONE, None)

    def test_only_what_was_not_split_of_one_job_is_sent(self, stages: Stages) -> None:
        stages.submit(png(draw_lines(1)))
        job_id = stages.submit(png(draw_lines(1)), png(draw_lines(1)))
        _, split, waiting = stages.queue.splits
        stages.split(split)
        stages.queue.splits.clear()
        send_documents(stages.context.database, stages.queue, job_id)
        assert stages.queue.splits == [waiting]

    def test_what_was_cancelled_before_it_was_sent_is_not_sent(self, stages: Stages) -> None:
        job_id = stages.submit(png(draw_lines(1)))
        stages.queue.splits.clear()
        jobs.cancel(stages.context.database, tenant=TENANT, job_id=job_id)
        send_documents(stages.context.database, stages.queue, job_id)
        assert stages.queue.splits == []

    def test_beginning_with_one_job_begins_no_other(self, stages: Stages) -> None:
        waiting = stages.submit(png(draw_lines(1)))
        stages.submit(png(draw_lines(1)))
        stages.split(stages.queue.splits[1])
        assert stages.view(waiting).state == State.QUEUED


class TestCancel:
    def test_pages_that_were_read_and_those_of_other_jobs_stay(self, stages: Stages) -> None:
        cancelled, other = split_two(stages)
        done, _ = pages_of(stages, cancelled)
        stages.read(done.id)
        with stages.context.database.reading() as session:
            job_id = session.get_one(Document, cancelled).job_id
        stages.set(Document, due_at=time.time())  # as one that waits to be split further
        jobs.cancel(stages.context.database, tenant=TENANT, job_id=job_id)
        assert stages.view(job_id).finished is not None
        states = [page.state for page in pages_of(stages, cancelled)]
        assert states == [State.DONE, State.CANCELLED]
        assert {page.state for page in pages_of(stages, other)} == {State.QUEUED}
        with stages.context.database.reading() as session:
            assert session.get_one(Document, cancelled).due_at is None

    def test_documents_that_were_done_stay(self, stages: Stages) -> None:
        job_id = stages.submit(png(draw_lines(0)), png(draw_lines(1)))
        stages.split()
        stages.publish()
        jobs.cancel(stages.context.database, tenant=TENANT, job_id=job_id)
        states = [document.state for document in stages.view(job_id).documents]
        assert states == [State.DONE, State.CANCELLED]


class TestHandBack:
    def test_it_charges_one_page_and_none_below_nothing(self, stages: Stages) -> None:
        split_two(stages)
        first, *others = stages.pages()
        lease = leases.Lease(work=Page, id=first.id, token="lost", duration_s=60)
        for charge in (1, -1, -1):
            due_at = time.time() + 60
            leases.hand_back(stages.context.database, lease, due_at=due_at, charge=charge)
            attempts = [page.attempts for page in stages.pages()]
            assert attempts == [max(charge, 0), *(0 for _ in others)]

    def test_what_a_dead_process_held_is_due_at_once(self, stages: Stages) -> None:
        stages.submit(two_pages())
        later = time.time() + 60
        stages.set(Document, lease_token="message:token", due_at=later)
        document_id = stages.document().id
        with stages.context.database.writing() as session:
            leases.release_dead(session, Document, document_id, "message")
        assert (stages.document().due_at or later) <= time.time()

    def test_a_lease_is_of_one_row(self, stages: Stages) -> None:
        split_two(stages)
        stages.set(Page, lease_token="same:1")
        first, *others = stages.pages()
        lease = leases.Lease(work=Page, id=first.id, token="same:1", duration_s=60)
        with stages.context.database.writing() as session:
            leases.release(session, lease, due_at=None)
        assert [page.lease_token for page in stages.pages()] == [None, *["same:1"] * len(others)]


class TestResult:
    def test_it_has_each_finished_page_of_its_document_once(
        self, stages: Stages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(results, "PAGES_AT_ONCE", 2)
        stages.submit(tiff([draw_lines(1)] * 5))
        job_id = stages.submit(tiff([draw_lines(2)] * 5))
        _, document_id = stages.queue.splits
        for _ in range(2):
            stages.split()
        while stages.queue.reads:
            stages.read()
        *_, failed, waiting = pages_of(stages, document_id)
        with stages.context.database.writing() as session:
            for page, state in ((failed, State.FAILED), (waiting, State.QUEUED)):
                session.execute(update(Page).where(Page.id == page.id).values(state=state))
            session.execute(update(Page).where(Page.number == 2).values(reader={"model": "new"}))
        (told,) = told_results(stages.context.database, tenant=TENANT, job_id=job_id)
        assert [page["number"] for page in told["pages"]] == [1, 2, 3, 4]
        orders = [[line["order"] for line in page["lines"]] for page in told["pages"]]
        assert orders == [[0, 1]] * 4
        readers = [page.get("reader") for page in told["pages"]]
        assert readers == [None, {"model": "new"}, None, None]  # the others as its first page
