"""How the database is reached: PostgreSQL with patience, SQLite so that several may write.

Both do the same for whoever uses them.
"""

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine, make_url

from hwr.errors import DatabaseUnavailable

#: Milliseconds a SQLite writer waits for another; a commit takes a few, a checkpoint more.
SQLITE_BUSY_MS = 30_000
#: Wait between tries where SQLite itself does not wait.
_BETWEEN_TRIES_S = 0.01

#: How long PostgreSQL is waited for, unless the URL says otherwise: in seconds until it lets us in,
#: in milliseconds until the network confirms what was sent, and until a statement ends.
POSTGRES_PATIENCE = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "options": "-c statement_timeout=30000",
}

#: Execution option of connections whose transaction writes.
WRITES = "hwr_writes"


def make_engine(url: str) -> Engine:
    """An engine for the database at this URL; the folder of a SQLite file is made.

    Raises:
        DatabaseUnavailable: that folder cannot be made.
    """
    # Parameters hold what was read from documents: they stay out of errors, and so out of logs.
    parts = make_url(url)
    if not url.startswith("sqlite"):
        patience = {k: v for k, v in POSTGRES_PATIENCE.items() if k not in parts.query}
        return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=patience)
    if file := parts.database:
        _make_folder(Path(file).parent)
    engine = create_engine(url, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"The folder {folder} of the database cannot be made ({error.strerror}). "
            "Correct HWR_DATABASE_URL, or the permissions of the folder above."
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, and late: two readers that then turn writers
    # fail at once, without waiting for each other.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS:d}")
    _keep_a_log(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _keep_a_log(cursor: sqlite3.Cursor) -> None:
    """Write-ahead logging. Of two that turn it on at once SQLite fails one without any waiting."""
    deadline = time.monotonic() + SQLITE_BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_BETWEEN_TRIES_S)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
