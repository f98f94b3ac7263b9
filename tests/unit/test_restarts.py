"""How often a part of `hwr up` may end before that is an error."""

import time
from pathlib import Path

import pytest

from hwr.errors import ServerFailed
from workers import up


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until its only element is changed."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_part_that_keeps_ending_is_named_with_its_log(tmp_path: Path, clock: list[float]) -> None:
    log = tmp_path / "read.log"
    log.write_text("first\n" * 100 + "ModelError: no weights\n")
    starts = up._Starts("read", log)
    for _ in range(3):
        starts.count()
    with pytest.raises(
        ServerFailed, match=r"(?s)read keeps ending.*ModelError: no weights\nCorrect"
    ):
        starts.count()


def test_rare_ends_are_forgiven(tmp_path: Path, clock: list[float]) -> None:
    starts = up._Starts("read", tmp_path / "read.log")
    for _ in range(50):
        starts.count()
        clock[0] += 25.0
