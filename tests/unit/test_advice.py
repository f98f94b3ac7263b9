"""When clients are told to look at a job again."""

from datetime import UTC, datetime

import pytest

from hwr.states import State
from workers.api.advice import seconds_until_next_look
from workers.database import Lane
from workers.jobs import DocumentView, JobView


def document(state: State, page_count: int | None = None, pages_done: int = 0) -> DocumentView:
    return DocumentView(
        id="1",
        name="a.pdf",
        state=state,
        error=None,
        page_count=page_count,
        pages_done=pages_done,
        pages_failed=0,
        lines_done=0,
    )


def job(*documents: DocumentView) -> JobView:
    return JobView(
        id="1",
        lane=Lane.NORMAL,
        profile="page",
        state=State.RUNNING,
        created=datetime.now(UTC),
        finished=None,
        idempotency_key=None,
        documents=documents,
    )


UNOPENED = document(State.QUEUED)
REFUSED = document(State.FAILED)


@pytest.mark.parametrize(
    ("view", "age", "told"),
    [
        (job(UNOPENED), 0.0, 1),
        (job(*[UNOPENED] * 1000), 0.1, 1),
        (job(*[UNOPENED] * 1000), 6.0, 6),  # not longer than it is there
        (job(*[UNOPENED] * 1000), 600.0, 30),
        (job(UNOPENED), 200.0, 20),  # it waits behind others
        (job(document(State.RUNNING, 100, 50)), 100.0, 10),
        (job(document(State.RUNNING, 100, 99)), 100.0, 1),
        (job(document(State.DONE, 10, 10), *[UNOPENED] * 10), 10.0, 10),  # as long as the first
        (job(*[REFUSED] * 900, *[UNOPENED] * 100), 900.0, 10),
        (job(document(State.RUNNING, 10, 10)), 1000.0, 1),  # its result is being written
        (job(UNOPENED), -5.0, 1),  # a clock that was set
    ],
)
def test_the_advice_follows_what_is_left(view: JobView, age: float, told: int) -> None:
    assert seconds_until_next_look(view, age) == told
