"""Folders of originals: kept while their process lives, removed when it was killed."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hwr.errors import ScratchUnavailable
from workers.celery_worker import _bound_process
from workers.scratch import pool_folder, scratch_folder, sweep

HELD = """
import os, signal
from workers.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "original").write_bytes(b"hostile")
    os.kill(os.getpid(), signal.SIGKILL)
"""

POOLED = """
import os, signal
from billiard import Value
from workers.scratch import pool_folder
with pool_folder():
    Value("i")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def leave_behind(code: str = HELD) -> None:
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL


def test_what_a_killed_process_left_is_removed_and_nothing_else(temporary: Path) -> None:
    leave_behind()
    others = temporary / "hwr-split-notes"
    others.mkdir()
    with scratch_folder() as mine:
        assert len(list(temporary.iterdir())) == 3
        sweep()
        assert set(temporary.iterdir()) == {others, mine}
    assert list(temporary.iterdir()) == [others]


def test_the_folder_of_a_killed_workers_pool_is_removed_too(temporary: Path) -> None:
    leave_behind(POOLED)
    assert len(list(temporary.iterdir())) == 1
    sweep()
    assert list(temporary.iterdir()) == []


def test_a_pool_that_starts_on_a_full_disk_sweeps_it_and_stays_there(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        return "/elsewhere"

    leave_behind()
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", full)
    # As it was, when the test is over.
    monkeypatch.setitem(multiprocessing.current_process()._config, "tempdir", "")  # type: ignore[attr-defined]
    with pool_folder():
        (folder,) = temporary.iterdir()
        assert folder.name.startswith(f"hwr-split-{os.getpid()}-")


def test_a_pool_goes_where_python_does_if_tmpdir_is_not_there(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(temporary / "gone"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", lambda *_: str(temporary))
    monkeypatch.setitem(multiprocessing.current_process()._config, "tempdir", "")  # type: ignore[attr-defined]
    with pool_folder():
        assert len(list(temporary.iterdir())) == 1


def test_a_pool_that_finds_room_nowhere_says_so(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", full)
    with pytest.raises(ScratchUnavailable, match="No usable"), pool_folder():
        pass


def test_names_that_others_made_up_keep_nothing_from_being_removed(temporary: Path) -> None:
    others = {temporary / f"hwr-split-{owner}-x" for owner in ("²", "9" * 30)}
    for folder in others:
        folder.mkdir()
    leave_behind()
    sweep()
    assert set(temporary.iterdir()) == others


def test_every_new_split_process_sweeps(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwr.documents.sandbox.limit_process", lambda *_: None)
    leave_behind()
    _bound_process()
    assert list(temporary.iterdir()) == []


def test_folders_of_other_users_processes_stay(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    leave_behind()
    monkeypatch.setattr(os, "kill", refuse)
    sweep()
    assert len(list(temporary.iterdir())) == 1
