"""A read worker says where its reader's time went: now and then, and when it ends."""

import logging
import threading

import pytest

from workers.reading_log import ReadingLog


def test_it_tells_what_is_new_and_ends_with_the_last_word(caplog: pytest.LogCaptureFixture) -> None:
    asked = threading.Semaphore(0)
    told = iter(["nothing", "one batch", "one batch", "two batches"])
    last = "three batches"

    def statistics() -> str:
        asked.release()
        return next(told, last)

    caplog.set_level(logging.INFO, "workers.reading_log")
    reading_log = ReadingLog(statistics, every_s=0.001)
    reading_log.start()
    for _ in range(4):
        assert asked.acquire(timeout=30)
    reading_log.stop()
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [f"reader: {what}" for what in ("nothing", "one batch", "two batches", last)]


def test_it_ends_at_once_in_the_middle_of_a_long_wait(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "workers.reading_log")
    reading_log = ReadingLog(lambda: "all of it", every_s=1000)
    reading_log.start()
    reading_log.stop()
    assert [record.getMessage() for record in caplog.records] == ["reader: all of it"]


def test_it_may_end_before_it_began() -> None:
    ReadingLog(lambda: "nothing").stop()


def test_a_worker_ends_though_its_last_word_cannot_be_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.reading_log._PATIENCE_S", 0.01)
    released = threading.Event()
    reading_log = ReadingLog(released.wait, every_s=1000)
    reading_log.start()
    reading_log.stop()
    released.set()
