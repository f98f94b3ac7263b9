"""How long an S3 server is waited for that takes connections and never answers."""

import socket
import threading
from collections.abc import Iterator

import pytest
from botocore.config import Config

from hwr.errors import StorageUnavailable
from workers import s3
from workers.settings import Settings

#: Requests of a call on a server that hangs: a part of an upload, then taking the upload back.
REQUESTS = 2


class HungServer:
    """Takes every connection and says nothing."""

    def __init__(self) -> None:
        self.connections: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def _take(self) -> None:
        while True:
            try:
                self.connections.append(self._socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def hung() -> Iterator[HungServer]:
    server = HungServer()
    yield server
    server.close()


def test_a_server_that_hangs_is_given_up_within_a_lease() -> None:
    config = s3._connect("http://127.0.0.1:1").meta.config
    attempts = config.retries["total_max_attempts"]
    longest_s = REQUESTS * attempts * (config.connect_timeout + config.read_timeout)
    assert longest_s < Settings().lease_s


def test_a_server_that_hangs_is_asked_twice_and_named(
    hung: HungServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(s3, "_CONFIG", s3._CONFIG.merge(Config(read_timeout=0.2)))
    storage = s3.S3Storage("s3://bucket/x", endpoint_url=hung.url)
    with pytest.raises(StorageUnavailable, match="ReadTimeoutError"):
        storage.get("jobs/1/2/pages/1.lines")
    assert len(hung.connections) == 2
