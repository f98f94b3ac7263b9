"""The deadline of a split: raised in time, and nothing of it left behind."""

import faulthandler
import signal
import time

import pytest

from hwr.errors import PageTimeout
from workers.deadline import deadline


@pytest.fixture
def watchdogs(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Watchdogs that would end this process, in the seconds that they give it."""
    armed: list[float] = []
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda s, **_: armed.append(s))
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", armed.clear)
    return armed


def test_what_takes_too_long_is_cut_off(watchdogs: list[float]) -> None:
    with pytest.raises(PageTimeout), deadline(0.05, PageTimeout()):
        time.sleep(30)
    assert not watchdogs


def test_an_alarm_at_the_very_end_leaves_no_watchdog(
    watchdogs: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, disarm = signal.getsignal(signal.SIGALRM), signal.setitimer

    def late(which: int, seconds: float) -> None:
        if seconds == 0:
            signal.raise_signal(signal.SIGALRM)
        disarm(which, seconds)

    monkeypatch.setattr(signal, "setitimer", late)
    with pytest.raises(PageTimeout), deadline(30.0, PageTimeout()):
        assert watchdogs
    disarm(signal.ITIMER_REAL, 0)
    assert not watchdogs
    assert signal.getsignal(signal.SIGALRM) is before
