"""The client against a service of ours over a network that loses what it says."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from workers.client import Client
from workers.database import Database, Job


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"%PDF-1.7 words")
    return path


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What strikes the next answers, one after the other, when the service has done its work."""
    lost: list[Exception] = []
    carry = httpx.HTTPTransport.handle_request

    def carry_or_lose(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        answer = carry(self, request)
        if lost:
            answer.read()
            answer.close()
            raise lost.pop(0)
        return answer

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", carry_or_lose)
    return lost


def test_an_answer_that_is_lost_makes_no_second_job(
    api: httpx.Client, database: Database, scan: Path, lost: list[Exception]
) -> None:
    lost.append(httpx.ReadTimeout("timed out"))
    with Client(str(api.base_url)) as client:
        job = client.submit([scan])
        assert client.job(job["id"])["id"] == job["id"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_the_same_key_gives_the_job_again(api: httpx.Client, scan: Path) -> None:
    with Client(str(api.base_url)) as client:
        jobs = [client.submit([scan], idempotency_key="monday-17") for _ in range(2)]
    assert jobs[0]["id"] == jobs[1]["id"]
