"""The read stage when its process dies: who is suspected, who is charged, who is read."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from pipeline import draw_lines, png
from stage_bench import FunctionReader, Stages, reading

from hwr.decoding.reading import LineReading
from hwr.errors import EngineBroken, LineFailed, StorageUnavailable
from workers import leases
from workers.database import Page, State
from workers.reaper import reap
from workers.shared_lock import SharedLock


class Killed(BaseException):
    """Stands for SIGKILL: `die` has nothing done after it."""


@pytest.fixture
def pages(stages: Stages) -> list[int]:
    """Four pages that wait to be read."""
    stages.submit(*[png(draw_lines(1))] * 4)
    while stages.queue.splits:
        stages.split()
    return [page_id for page_id, _ in stages.queue.reads]


def die(stages: Stages, *pages: int) -> None:
    """A process begins the pages, dies, and their leases end."""

    def killed(_: NDArray[np.uint8]) -> LineReading:
        raise Killed

    process = Stages(replace(stages.context, pages=SharedLock()), stages.queue)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leases, "hand_back", lambda *_, **__: None)
        for page_id in pages:
            with pytest.raises(Killed):
                process.read(page_id, FunctionReader(killed))
    with stages.context.database.writing() as session:
        for page in session.query(Page).where(Page.id.in_(pages)):
            assert page.lease_token is not None
            page.due_at = time.time() - 1
    stages.queue.reads.clear()
    reap(stages.context.database, stages.context.settings, stages.queue)
    assert {page_id for page_id, _ in stages.queue.reads} == set(pages)


def attempts(stages: Stages) -> dict[int, int]:
    return {page.id: page.attempts for page in stages.pages()}


def page_of(stages: Stages, page_id: int) -> Page:
    return next(page for page in stages.pages() if page.id == page_id)


def test_neighbours_of_a_page_that_kills_every_process_are_read(
    stages: Stages, pages: list[int]
) -> None:
    killer, *others = pages
    die(stages, *pages)
    for crash in range(stages.context.settings.max_attempts):
        assert attempts(stages) == dict.fromkeys(others, 0) | {killer: crash}
        die(stages, killer)
    stages.queue.reads += [(page_id, stages.queue.reads[0][1]) for page_id in others]
    stages.run()
    states = {page.id: (page.state, page.error_code) for page in stages.pages()}
    assert states.pop(killer) == (State.FAILED, "PageFailed")
    assert set(states.values()) == {(State.DONE, None)}


def test_a_suspected_page_is_read_after_those_at_work_and_before_others(
    stages: Stages, pages: list[int]
) -> None:
    suspected, first, later, _ = pages
    die(stages, suspected)
    order, threads = [], list[threading.Thread]()

    def read(page_id: int) -> None:
        thread = threading.Thread(target=stages.read, args=(page_id, reader(page_id)))
        thread.start()
        threads.append(thread)
        while not stages.context.pages._door.locked():
            threading.Event().wait(0.001)

    def reader(page_id: int) -> FunctionReader:
        def function(_: NDArray[np.uint8]) -> LineReading:
            if page_id == first:
                read(suspected)
                read(later)
            order.append(page_id)
            return reading("read")

        return FunctionReader(function)

    stages.read(first, reader(first))
    for thread in threads:
        thread.join(60)
    assert order == [first, suspected, later]


def test_who_gets_a_page_that_is_being_read_does_not_wait_to_be_alone(
    stages: Stages, pages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def alone(_: float) -> None:
        pytest.fail("it waits for a page that another message has")

    def sent_twice(_: NDArray[np.uint8]) -> LineReading:
        stages.read(pages[0])
        return reading("read")

    monkeypatch.setattr(stages.context.pages, "alone", alone)
    stages.read(pages[0], FunctionReader(sent_twice))
    assert [line.text for line in stages.lines()] == ["read"]


def test_a_page_that_hangs_does_not_hold_up_the_others_for_a_suspected_one(
    stages: Stages, pages: list[int]
) -> None:
    suspected, hanging, other, _ = pages
    die(stages, suspected)
    settings = stages.context.settings.model_copy(update={"read_deadline_s": 0.01})

    def hangs(_: NDArray[np.uint8]) -> LineReading:
        impatient = Stages(replace(stages.context, settings=settings), stages.queue)
        impatient.read(suspected)
        stages.read(other)
        return reading("read")

    stages.read(hanging, FunctionReader(hangs))
    assert page_of(stages, other).state == State.DONE
    waiting = page_of(stages, suspected)
    assert (waiting.state, waiting.attempts) == (State.RUNNING, 0)
    stages.read(suspected)
    assert page_of(stages, suspected).state == State.DONE


@pytest.mark.parametrize("error", [StorageUnavailable, LineFailed])
def test_what_is_no_fault_of_a_suspected_page_costs_it_no_try(
    stages: Stages, pages: list[int], error: type[Exception]
) -> None:
    def broken(_: NDArray[np.uint8]) -> LineReading:
        raise error

    die(stages, pages[0])
    for _ in range(stages.context.settings.max_attempts + 1):
        try:
            stages.read(pages[0], FunctionReader(broken))
        except EngineBroken:
            assert error is LineFailed
    page = page_of(stages, pages[0])
    assert (page.attempts, page.lease_token, page.suspected) == (0, None, True)
    stages.read(pages[0])
    assert page_of(stages, pages[0]).state == State.DONE


def test_who_was_handed_back_is_not_suspected(stages: Stages, pages: list[int]) -> None:
    def broken(_: NDArray[np.uint8]) -> LineReading:
        raise ZeroDivisionError

    stages.read(pages[0], FunctionReader(broken))
    page = page_of(stages, pages[0])
    assert (page.attempts, page.suspected) == (1, False)
