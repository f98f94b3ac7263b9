"""What the log of the API says of its requests: who, which job and what came of it."""

from collections.abc import Iterator

import httpx
import pytest
from api_bench import BANK, PDF, SCHOOL
from sqlalchemy import exc

from hwr.errors import JobNotFound
from workers import jobs
from workers.api import results as api_results


def noted(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.message for entry in caplog.records if entry.name == "workers.api.audit"]


@pytest.fixture(autouse=True)
def told_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


def test_jobs_are_noted_with_tenant_and_status(
    keyed: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    submitted = keyed.post("/v1/jobs", files=[PDF], headers=BANK).json()
    job, document = submitted["id"], submitted["documents"][0]["id"]
    keyed.get(f"/v1/jobs/{job}", headers=BANK)
    keyed.get(f"/v1/jobs/{job}/results", headers=BANK)
    keyed.get(f"/v1/jobs/{job}/results/{document}", headers=BANK)
    keyed.post(f"/v1/jobs/{job}/cancel", headers=SCHOOL)
    keyed.post("/v1/jobs", files=[PDF] * 6, headers=BANK)
    assert noted(caplog) == [
        f"submit tenant=bank job={job} status=202",
        f"results tenant=bank job={job} status=200",
        f"document_result tenant=bank job={job} status=200",
        f"cancel tenant=school job={job} status=404 error=JobNotFound",
        "submit tenant=bank job=- status=413 error=TooManyDocuments",
    ]


def test_a_failure_of_ours_is_noted(
    api: httpx.Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(jobs, "view", fail)
    api.get("/v1/jobs/x/results")
    assert noted(caplog) == ["results tenant=default job=x status=500"]


@pytest.mark.parametrize("failure", [JobNotFound(), exc.TimeoutError("no database")])
def test_results_that_are_cut_off_are_two_lines(
    api: httpx.Client,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
) -> None:
    def half(*_: object) -> Iterator[str]:
        yield "{"
        raise failure

    address = f"{api.post('/v1/jobs', files=[PDF]).headers['location']}/results"
    monkeypatch.setattr(api_results, "result_chunks", half)
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(address)
    began, ended = noted(caplog)[1:]
    assert began.endswith("status=200")
    assert ended == f"{address} was cut off: {failure}"
    assert not any(entry.exc_info for entry in caplog.records)


def test_refused_keys_are_noted_without_the_key(
    keyed: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    keyed.get("/v1/jobs/x", headers={"Authorization": "Bearer stolen"})
    assert noted(caplog) == ["view tenant=- job=x status=401 error=KeyRefused"]
    assert "stolen" not in caplog.text


def test_an_id_in_an_address_makes_no_line_of_its_own(
    keyed: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    keyed.get("/v1/jobs/a%0Asubmit%20tenant=bank/results", headers=SCHOOL)
    [line] = noted(caplog)
    assert line.startswith("results tenant=school job=a%0Asubmit%20tenant%3Dbank status=404 ")
