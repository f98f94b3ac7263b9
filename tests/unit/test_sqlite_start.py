"""Processes that make one SQLite file at the same time do not fail each other."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from hwr.errors import DatabaseUnavailable
from workers import database_engine
from workers.database import Database

ROUNDS, AT_ONCE = 60, 4


class Cursor:
    """Fails with `codes`, one after the other, and then no more."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)

    def execute(self, _: str) -> None:
        if self.codes:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.codes.pop(0)
            raise error


def keep_a_log(cursor: Any) -> None:
    database_engine._keep_a_log(cursor)


def test_a_file_that_another_prepares_is_tried_again() -> None:
    cursor = Cursor(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY)
    keep_a_log(cursor)
    assert cursor.codes == []


def test_any_other_failure_is_one_at_once() -> None:
    cursor = Cursor(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_READONLY)
    with pytest.raises(sqlite3.OperationalError):
        keep_a_log(cursor)
    assert len(cursor.codes) == 1


def test_a_file_that_stays_locked_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_engine, "SQLITE_BUSY_MS", 0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        keep_a_log(Cursor(*[sqlite3.SQLITE_BUSY] * 100))


def test_several_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    def opened(url: str, all_there: Barrier) -> None:
        all_there.wait()
        one = Database(url)
        one.engine.connect().close()
        one.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(ROUNDS):
            all_there = Barrier(AT_ONCE)
            url = f"sqlite:///{tmp_path}/{number}.db"
            for future in [pool.submit(opened, url, all_there) for _ in range(AT_ONCE)]:
                future.result()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailable, match="Correct HWR_DATABASE_URL"):
        Database(f"sqlite:///{tmp_path}/file/hwr.db")
