"""The HTTP interface on a port of its own, and what a test sees of it from outside."""

import atexit
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import redis
import uvicorn
from pydantic import SecretStr

from workers.api.application import create_app
from workers.database import open_database
from workers.migrations import upgrade
from workers.settings import Settings

KEYS = {"bank": SecretStr("bank-key"), "school": SecretStr("school-key")}
BANK = {"Authorization": "Bearer bank-key"}
SCHOOL = {"Authorization": "Bearer school-key"}
PDF = ("files", ("scan.pdf", b"%PDF-1.7 words"))


def make_settings(tmp_path: Path, redis_url: str, **others: Any) -> Settings:
    values: dict[str, Any] = {
        "redis_url": redis_url,
        "database_url": f"sqlite:///{tmp_path}/hwr.db",
        "storage_url": f"file:{tmp_path}/store",
        "reference_prefixes": ("s3://inbox/scans",),
        "max_bytes": 1000,
        "max_documents": 5,
    }
    return Settings(**values | others)


#: Servers that have just started, beside other tests, may take longer than a client usually waits.
_PATIENCE_S = 60


@contextmanager
def open_api(settings: Settings) -> Iterator[httpx.Client]:
    """A client of an API that is served on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        with httpx.Client(base_url=f"http://{host}:{port}", timeout=_PATIENCE_S) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def make_tables(settings: Settings) -> None:
    """Bring the database up to date; a SQLite file is made once and copied."""
    if not settings.database_url.startswith("sqlite:"):
        upgrade_and_close(settings)
        return
    shutil.copyfile(sqlite_template(), settings.database_url.removeprefix("sqlite:///"))


def upgrade_and_close(settings: Settings) -> None:
    database = open_database(settings)
    upgrade(database)
    database.close()


@cache
def sqlite_template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="hwr-test-")) / "hwr.db"
    atexit.register(shutil.rmtree, path.parent)
    upgrade_and_close(Settings(database_url=f"sqlite:///{path}"))
    return path


def error_of(response: httpx.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]
    return response.status_code, error["code"]


def stored(settings: Settings) -> list[Path]:
    # Path.rglob fails over a folder that goes meanwhile.
    folders = os.walk(settings.storage_url.removeprefix("file:"))
    return [Path(folder, name) for folder, _, names in folders for name in names]


def queued(settings: Settings) -> list[Any]:
    """Arguments of the messages that wait for split workers."""
    with redis.Redis.from_url(settings.redis_url) as client:
        messages = [json.loads(message) for message in client.lrange("split.normal", 0, -1)]
    assert {message["headers"]["task"] for message in messages} <= {"hwr.split"}
    return [json.loads(message["headers"]["argsrepr"].replace("'", '"')) for message in messages]
