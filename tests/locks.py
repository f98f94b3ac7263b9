"""Tests that need to know that somebody waits for a lock of PostgreSQL."""

import time

from sqlalchemy import text

from workers.database import Database

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def wait_for_lock(database: Database) -> None:
    """Wait until somebody waits for a row, or for another lock."""
    end = time.monotonic() + 30
    while True:
        with database.reading() as session:
            if session.scalar(_WAITING):
                return
        assert time.monotonic() < end
        time.sleep(0.01)
