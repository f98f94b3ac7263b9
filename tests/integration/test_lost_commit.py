"""Submissions whose connection to PostgreSQL breaks at their commit."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

import httpx
import pytest
from api_bench import PDF, error_of, make_settings, stored
from locks import wait_for_lock
from sqlalchemy.engine import make_url

from workers.api.submission import Received, discard_unless_written
from workers.database import Job, Lane, State, open_database
from workers.jobs import NewDocument
from workers.settings import Settings
from workers.storage import open_storage


class Loss(Enum):
    """What is lost at the next commit of rows that were put in; all but it pass."""

    COMMIT = auto()  # the commit: nothing is written
    ANSWER = auto()  # its answer: the job is written
    SERVER = auto()  # its answer, and every connection after it


class Proxy:
    """Stands between the API and PostgreSQL, and breaks the connection of a commit."""

    def __init__(self, host: str, port: int) -> None:
        self.loss: Loss | None = None
        self._is_broken = False
        self._server = (host, port)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                client = self._socket.accept()[0]
                if self._is_broken and self.loss is Loss.SERVER:
                    client.close()
                    continue
                server = socket.create_connection(self._server)
                for pump in (self._ask, self._answer):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        is_written = False
        with suppress(OSError), client, server:
            while sent := client.recv(2**16):
                is_written |= b"INSERT" in sent
                if self.loss is not None and is_written and b"COMMIT" in sent:
                    self._break(client, server, sent)
                    return
                server.sendall(sent)

    def _break(self, client: socket.socket, server: socket.socket, commit: bytes) -> None:
        self._is_broken = True
        client.shutdown(socket.SHUT_RDWR)
        if self.loss is not Loss.COMMIT:
            server.sendall(commit)
        if self.loss is not Loss.SERVER:
            self.loss = None
        server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(2**16):
                client.sendall(answer)


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    server = make_url(postgres_url)
    assert server.host is not None
    assert server.port is not None
    proxy = Proxy(server.host, server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, postgres_url: str, proxy: Proxy) -> Settings:
    url = make_url(postgres_url).set(port=proxy.port).render_as_string(hide_password=False)
    return make_settings(tmp_path, redis_url, database_url=url)


def job_row(job_id: str) -> Job:
    return Job(
        id=job_id,
        tenant="bank",
        lane=Lane.NORMAL,
        digest="",
        state=State.QUEUED,
        documents_left=0,
        created_at=0.0,
    )


def submit(api: httpx.Client) -> httpx.Response:
    return api.post("/v1/jobs", files=[PDF], headers={"Idempotency-Key": "monday-17"})


def test_a_job_whose_commit_was_not_answered_keeps_its_files(
    api: httpx.Client, proxy: Proxy, settings: Settings
) -> None:
    proxy.loss = Loss.ANSWER
    assert error_of(submit(api)) == (503, "DatabaseUnavailable")
    again = submit(api).json()
    key = f"jobs/{again['id']}/{again['documents'][0]['id']}/original"
    assert open_storage(settings).get(key) == PDF[1][1]
    assert len(stored(settings)) == 1


def test_a_job_whose_commit_was_lost_leaves_nothing(
    api: httpx.Client, proxy: Proxy, settings: Settings
) -> None:
    proxy.loss = Loss.COMMIT
    assert error_of(submit(api)) == (503, "DatabaseUnavailable")
    assert stored(settings) == []


def test_files_stay_where_the_database_cannot_tell(
    api: httpx.Client, proxy: Proxy, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.loss = Loss.SERVER
    with caplog.at_level(logging.WARNING):
        assert error_of(submit(api)) == (503, "DatabaseUnavailable")
    (file,) = stored(settings)
    assert f"{file.as_uri()} may be left behind" in caplog.text
    proxy.loss = None
    assert submit(api).status_code == 202


def test_a_commit_that_is_under_way_is_awaited(api: httpx.Client, settings: Settings) -> None:
    storage, received = open_storage(settings), Received()
    key = f"jobs/{received.job_id}/1/original"
    storage.put(key, b"words")
    received.documents.append(NewDocument(name="a", key=key))
    database, other = open_database(settings), open_database(settings)
    asked = threading.Thread(target=discard_unless_written, args=(other, storage, received))
    with database.writing() as session:
        session.add(job_row(received.job_id))
        session.flush()
        asked.start()
        wait_for_lock(database)
    asked.join()
    assert storage.get(key) == b"words"
    database.close()
    other.close()
