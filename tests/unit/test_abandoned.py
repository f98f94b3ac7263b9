"""What lies in storage without a row, and what only seems to."""

import time
from collections.abc import Callable, Iterator

import pytest
from stage_bench import Stages

from workers import retention
from workers.retention import DAY_S


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    later = time.time() + DAY_S + 60
    with monkeypatch.context() as patch:
        patch.setattr("workers.retention.time.time", lambda: later)
        yield


def abandoned(stages: Stages) -> list[str]:
    return retention.abandoned(stages.context.database, stages.context.storage)


def test_of_many_only_those_without_a_job_are(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    for name in ("lost-a", "lost-b"):
        stages.context.storage.put(f"jobs/{name}/1/original", b"x")
    for _ in range(5):
        stages.submit(b"x")
    assert abandoned(stages) == ["lost-a", "lost-b"]


def test_a_job_that_comes_in_meanwhile_is_not(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: Callable[..., set[str]] = retention._known

    def then_another(*given: object) -> set[str]:
        found = known(*given)
        stages.submit(b"x")
        return found

    monkeypatch.setattr(retention, "_known", then_another)
    stages.context.storage.put("jobs/lost/1/original", b"x")
    assert abandoned(stages) == ["lost"]
