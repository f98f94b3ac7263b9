"""What `hwr up` says of a part that ended."""

import subprocess
from pathlib import Path
from signal import SIGKILL

import pytest

from workers import up


@pytest.mark.parametrize(
    ("status", "told"), [(-SIGKILL, "was killed by signal 9"), (3, "ended with status 3")]
)
def test_it_says_how_a_part_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, told: str
) -> None:
    ended = subprocess.Popen(["true"])
    ended.returncode = status
    monkeypatch.setattr(up, "spawn", lambda *_, **__: ended)
    assert up._Part("read", tmp_path, {}).how_ended() == told


def test_its_logs_are_kept_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside: list[str] = []
    monkeypatch.setattr(up, "put_aside", lambda log: aside.append(log.name))
    service = up._Service(tmp_path, "127.0.0.1", 80, lambda _: None)
    monkeypatch.setattr(service, "_revive", lambda: None)
    monkeypatch.setattr(up, "spawn", lambda *_, **__: None)
    service._parts = [up._Part(name, tmp_path, {}) for name in up._COMMANDS]
    service.watch(_StopsAfterOneLook())  # type: ignore[arg-type]
    assert aside == ["redis.log", "api.log", "split.log", "read.log"]


class _StopsAfterOneLook:
    def __init__(self) -> None:
        self._looks = iter([False])

    def wait(self, _seconds: float) -> bool:
        return next(self._looks, True)
