"""What the end of the API does to an upload that is still coming."""

import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
import services
from api_bench import make_settings, make_tables, stored

from workers.processes import free_port, kill, spawn
from workers.settings import Settings

#: The API without any patience, on a storage that is slow where the test says.
API = """
import sys, time
from workers.api import application
from workers.settings import get_settings
from workers.storage import FolderStorage

usual = getattr(FolderStorage, sys.argv[1])

def slow(*arguments):
    print("the storage is slow", flush=True)
    time.sleep(0.5)
    usual(*arguments)

setattr(FolderStorage, sys.argv[1], slow)
application._GRACE_S = 0
application.serve(get_settings())
"""

UPLOAD = (
    b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
    b"Content-Type: multipart/form-data; boundary=B\r\n\r\n"
    b'--B\r\nContent-Disposition: form-data; name="files"; filename="whole.pdf"\r\n\r\nwhole'
    b'\r\n--B\r\nContent-Disposition: form-data; name="files"; filename="half.pdf"\r\n\r\nha'
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "api.log"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = make_settings(tmp_path, "redis://127.0.0.1:1/0", api_port=free_port())
    make_tables(settings)
    return settings


@pytest.fixture(params=["put", "delete_below"])
def api(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path, log: Path
) -> Iterator[Popen[bytes]]:
    script = tmp_path / "api.py"
    script.write_text(API)
    names = ("redis_url", "database_url", "storage_url", "api_port")
    variables = {f"HWR_{name.upper()}": str(getattr(settings, name)) for name in names}
    process = spawn([sys.executable, script, request.param], log=log, environment=variables)
    url = f"http://127.0.0.1:{settings.api_port}/healthz"
    services.wait_until(lambda: httpx.get(url), process, log, httpx.TransportError)
    yield process
    kill(process)


def test_an_upload_that_is_cut_off_leaves_nothing(
    api: Popen[bytes], settings: Settings, log: Path
) -> None:
    def arrived() -> bool:
        return bool(stored(settings)) or "the storage is slow" in log.read_text()

    with socket.create_connection(("127.0.0.1", settings.api_port)) as connection:
        connection.sendall(UPLOAD)
        deadline = time.monotonic() + 30
        while not arrived() and time.monotonic() < deadline:
            time.sleep(0.01)
        api.send_signal(signal.SIGTERM)
        api.wait(30)
        told = connection.recv(2**16)
    # A program tries again: it was no fault of its own.
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 5" in told.lower()
    assert b'"code":"ServiceUnavailable"' in told
    assert "Traceback" not in log.read_text()
    # As a worker's log: [2026-11-03 12:00:00,123: WARNING/MainProcess] …
    assert re.search(r"(?m)^\[[\d-]+ .*: WARNING/.*\] job \w+ was cut off", log.read_text())
    assert stored(settings) == []
