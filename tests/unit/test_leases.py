"""When work is sent again: soon at first, then ever later, but never later than a limit."""

import time

import pytest

from workers import leases
from workers.settings import Settings

_NOW = 1_000_000.0


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: _NOW)


def test_work_that_failed_waits_ever_longer_but_no_longer_than_the_limit() -> None:
    settings = Settings(lease_s=80.0)
    waits = [leases.retry_at(settings, attempts) - _NOW for attempts in (0, 1, 2, 6, 7, 5000)]
    assert waits == [10.0, 20.0, 40.0, leases.MAX_RETRY_S, leases.MAX_RETRY_S, leases.MAX_RETRY_S]


def test_a_message_nobody_took_waits_ever_longer_but_no_longer_than_the_limit() -> None:
    settings = Settings(lease_s=80.0)
    waits = [leases.resend_at(settings, sends) - _NOW for sends in (0, 1, 2, 20, 5000)]
    assert waits == [240.0, 480.0, 960.0, leases.MAX_RESEND_S, leases.MAX_RESEND_S]


def test_a_message_is_not_sent_again_within_a_lease_that_is_longer_than_the_limit() -> None:
    settings = Settings(
        lease_s=2 * leases.MAX_RESEND_S, visibility_timeout_s=4 * leases.MAX_RESEND_S
    )
    assert leases.resend_at(settings) - _NOW == settings.lease_s
