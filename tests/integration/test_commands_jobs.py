"""The commands that talk to a service, against one of ours without any workers."""

import json
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from hwr.errors import JobNotFound
from workers import client
from workers.cli import app


@pytest.fixture
def scan(tmp_path: Path) -> str:
    path = tmp_path / "prüfung.pdf"
    path.write_bytes(b"%PDF-1.7 words")
    return str(path)


def hwr(api: httpx.Client, *arguments: str) -> Result:
    """The command in this process."""
    return CliRunner().invoke(app, [*arguments, "--url", str(api.base_url)])


def test_submit_and_status_print_what_the_api_answers(api: httpx.Client, scan: str) -> None:
    submitted = hwr(api, "submit", scan, "--json")
    job = json.loads(submitted.stdout)
    assert (submitted.exit_code, submitted.stderr) == (0, "")
    status = hwr(api, "status", job["id"], "--json")
    assert (status.exit_code, status.stderr) == (0, "")
    assert json.loads(status.stdout) == job == api.get(job["url"]).json()
    assert job["documents"][0]["name"] == "prüfung.pdf"


def test_waiting_prints_the_job_as_it_ended_and_nothing_else(api: httpx.Client, scan: str) -> None:
    key = ("submit", scan, "--idempotency-key", "monday-17")
    job = json.loads(hwr(api, *key, "--json").stdout)
    api.post(f"{job['url']}/cancel")
    waited = hwr(api, *key, "--json", "--wait")
    assert waited.exit_code == 1
    assert json.loads(waited.stdout) == api.get(job["url"]).json()
    assert f"job {job['id']}" in waited.stderr


def test_what_is_refused_prints_nothing(api: httpx.Client) -> None:
    for command in (("status", "none", "--json"), ("submit", "s3://no/a.pdf", "--json")):
        refused = hwr(api, *command)
        assert (refused.exit_code, refused.stdout) == (1, "")


def test_a_job_is_found_by_its_idempotency_key(api: httpx.Client, scan: str) -> None:
    job = json.loads(hwr(api, "submit", scan, "--idempotency-key", "a b&c", "--json").stdout)
    found = hwr(api, "status", "--idempotency-key", "a b&c", "--json")
    assert json.loads(found.stdout) == job
    absent = hwr(api, "status", "--idempotency-key", "other")
    assert isinstance(absent.exception, JobNotFound)
    assert "'other'" in str(absent.exception)


@pytest.mark.parametrize("named", [[], ["1", "--idempotency-key", "k"]])
def test_a_job_is_named_in_one_way(api: httpx.Client, named: list[str]) -> None:
    assert hwr(api, "status", *named).exit_code == 2


def test_who_stops_waiting_is_told_how_to_go_on(
    api: httpx.Client, scan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    stopped = hwr(api, "submit", scan, "--wait")
    assert stopped.exit_code != 0
    (job,) = api.get("/v1/jobs").json()["jobs"]
    for command in ("status", "results", "cancel"):
        assert f"hwr {command} {job['id']}" in " ".join(stopped.stderr.split())


def test_results_are_printed_by_parts(
    api: httpx.Client, scan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_DOCUMENTS_AT_ONCE", 2)
    job = json.loads(hwr(api, "submit", scan, scan, scan, "--json").stdout)
    api.post(f"{job['url']}/cancel")
    printed = hwr(api, "results", job["id"], "--format", "json")
    told = [json.loads(line) for line in printed.stdout.splitlines()]
    assert told == api.get(job["results_url"]).json()["documents"]
    assert printed.exit_code == 1
    assert f"job {job['id']} is cancelled" in printed.stderr
