"""Health of the HTTP interface, outages of what it stands on, and how it describes itself."""

import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_bench import PDF, error_of, make_settings, make_tables, open_api
from sqlalchemy import exc

from hwr.errors import JobNotFound, StorageUnavailable
from workers import jobs
from workers.api import sending
from workers.dispatch import QueueDispatch
from workers.storage import FolderStorage

#: Requests that the API works on at once: what Starlette lends to functions that may wait.
API_THREADS = 40


def test_ready(either: httpx.Client) -> None:
    assert either.get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_load_balancers_may_ask_without_a_body(api: httpx.Client, address: str) -> None:
    answer = api.head(address)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("others", "named"),
    [
        ({"redis_url": "redis://127.0.0.1:1/0"}, "redis"),
        ({"database_url": "postgresql+psycopg://hwr@127.0.0.1:1/hwr"}, "database"),
        ({"storage_url": "file:/proc/nowhere"}, "storage"),
    ],
)
def test_not_ready_names_what_is_away(
    tmp_path: Path, redis_url: str, others: dict[str, str], named: str
) -> None:
    settings = make_settings(tmp_path, redis_url).model_copy(update=others)
    if named != "database":
        make_tables(settings)
    with open_api(settings) as api:
        assert api.get("/healthz").status_code == 200
        answer = api.get("/readyz")
        assert error_of(answer) == (503, "ServiceUnavailable")
        assert f"Not there: {named}." in answer.json()["error"]["message"]


def test_a_database_that_is_away_is_an_outage(tmp_path: Path, redis_url: str) -> None:
    url = "postgresql+psycopg://hwr@127.0.0.1:1/hwr"
    with open_api(make_settings(tmp_path, redis_url, database_url=url)) as api:
        assert error_of(api.get("/v1/jobs/x")) == (503, "DatabaseUnavailable")


def test_a_database_that_never_answers_is_an_outage(tmp_path: Path, redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://hwr@127.0.0.1:{silent.getsockname()[1]}/hwr"
        with open_api(make_settings(tmp_path, redis_url, database_url=url)) as api:
            assert error_of(api.get("/v1/jobs/x")) == (503, "DatabaseUnavailable")


def test_a_database_that_only_reads_is_an_outage(
    tmp_path: Path, redis_url: str, postgres_url: str
) -> None:
    make_tables(make_settings(tmp_path, redis_url, database_url=postgres_url))
    url = f"{postgres_url}?options=-c%20default_transaction_read_only%3Don"
    with open_api(make_settings(tmp_path, redis_url, database_url=url)) as api:
        answer = api.post("/v1/jobs", files=[PDF])
        assert error_of(answer) == (503, "DatabaseUnavailable")
        assert "retry-after" in answer.headers
        assert api.get("/v1/jobs").status_code == 200


@pytest.mark.parametrize(
    "failure", [exc.TimeoutError(), exc.InterfaceError("SELECT", {}, Exception("closed"))]
)
def test_a_database_that_lends_no_connection_is_an_outage(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(jobs, "view", fail)
    answer = api.get("/v1/jobs/x")
    assert error_of(answer) == (503, "DatabaseUnavailable")
    assert "Try again" in answer.text


def test_the_process_answers_while_all_its_threads_wait(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def wait(*_: object, **__: object) -> None:
        waiting.release()
        assert go_on.wait(120)
        raise JobNotFound

    monkeypatch.setattr(jobs, "view", wait)
    with ThreadPoolExecutor(API_THREADS) as pool:
        url = api.base_url.join("/v1/jobs/x")
        asked = [pool.submit(httpx.get, url, timeout=120) for _ in range(API_THREADS)]
        try:
            assert all(waiting.acquire(timeout=60) for _ in range(API_THREADS))
            assert api.get("/healthz").status_code == 200
        finally:
            go_on.set()
    assert {answer.result().status_code for answer in asked} == {404}


@pytest.mark.parametrize(
    ("hangs", "method", "path", "files", "at_once"),
    [("put", "POST", "/v1/jobs", [PDF], API_THREADS), ("check", "GET", "/readyz", None, 4)],
)
def test_polls_are_answered_while_the_storage_hangs(
    api: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    hangs: str,
    method: str,
    path: str,
    files: Any,
    at_once: int,
) -> None:
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def wait(*_: object) -> None:
        waiting.release()
        assert go_on.wait(120)
        raise StorageUnavailable

    monkeypatch.setattr(FolderStorage, hangs, wait)
    many = at_once + 5
    with ThreadPoolExecutor(many) as pool:
        url = api.base_url.join(path)
        asked = [
            pool.submit(httpx.request, method, url, files=files, timeout=120) for _ in range(many)
        ]
        try:
            assert all(waiting.acquire(timeout=60) for _ in range(at_once))
            assert error_of(api.get("/v1/jobs/x")) == (404, "JobNotFound")
            assert api.get("/healthz").status_code == 200
            assert not waiting.acquire(timeout=0.2)
        finally:
            go_on.set()
    assert {answer.result().status_code for answer in asked} == {503}


def test_a_redis_that_stalls_holds_up_no_request(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def wait(*_: object) -> None:
        waiting.release()
        assert go_on.wait(120)

    monkeypatch.setattr(QueueDispatch, "split", wait)
    monkeypatch.setattr(sending, "_MOST_UNSENT", API_THREADS - 5)
    submitted = [api.post("/v1/jobs", files=[PDF]) for _ in range(10)]
    try:
        assert all(waiting.acquire(timeout=60) for _ in submitted)
        submitted += [api.post("/v1/jobs", files=[PDF]) for _ in range(API_THREADS)]
        assert not waiting.acquire(timeout=0.2)
        assert api.get(submitted[-1].headers["location"]).json()["state"] == "queued"
    finally:
        go_on.set()
    assert {answer.status_code for answer in submitted} == {202}
    assert all(waiting.acquire(timeout=60) for _ in range(API_THREADS - 5))
    assert not waiting.acquire(timeout=0.2)  # the reaper sends the others


def test_the_end_does_not_wait_for_what_a_redis_that_stalls_keeps_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def wait(*_: object) -> None:
        begun.release()
        assert go_on.wait(120)

    def say(*told: object) -> None:
        said.append(told)
        go_on.set()

    said: list[tuple[object, ...]] = []
    settings = make_settings(tmp_path, "redis://127.0.0.1:1/0")
    make_tables(settings)
    monkeypatch.setattr(QueueDispatch, "split", wait)
    monkeypatch.setattr(sending, "_LAST_S", 0.0)
    monkeypatch.setattr(sending.log, "warning", say)
    with open_api(settings) as api:
        for _ in range(12):
            api.post("/v1/jobs", files=[PDF])
        assert all(begun.acquire(timeout=60) for _ in range(10))
    assert [told[1] for told in said] == [2]
    assert not begun.acquire(blocking=False)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("address", ["file:/proc/inside", "s3://inside/documents"])
def test_storage_that_is_away_is_an_outage_that_tells_tenants_nothing_of_it(
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    address: str,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    away = {"storage_url": address, "s3_endpoint_url": "http://127.0.0.1:1"}
    settings = make_settings(tmp_path, redis_url, **away)
    make_tables(settings)
    with open_api(settings) as api:
        answer = api.post("/v1/jobs", files=[PDF])
    assert error_of(answer) == (503, "StorageUnavailable")
    assert "retry-after" in answer.headers
    assert "Try again later" in answer.text
    assert not any(inside in answer.text for inside in ("inside", "HWR_", "AWS_"))
    assert "inside" in caplog.text


def test_a_failure_of_ours_is_told_without_its_insides(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("insides")

    monkeypatch.setattr(jobs, "view", fail)
    answer = api.get("/v1/jobs/x")
    assert error_of(answer) == (500, "InternalError")
    assert "insides" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_other_addresses(api: httpx.Client) -> None:
    assert error_of(api.get("/v2/jobs")) == (404, "NotFound")
    assert error_of(api.get("/v1/jobs/")) == (404, "NotFound")
    assert error_of(api.get("/redoc")) == (404, "NotFound")


@pytest.mark.parametrize("address", ["", "/{id}", "/{id}/results", "/unknown", "?state=none"])
def test_nobody_is_to_keep_an_answer(api: httpx.Client, address: str) -> None:
    job = api.post("/v1/jobs", files=[PDF])
    answer = api.get("/v1/jobs" + address.format(id=job.json()["id"]))
    assert [told.headers["cache-control"] for told in (job, answer)] == ["no-store"] * 2
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("DELETE", "/v1/jobs", "GET, HEAD, POST"),
        ("PUT", "/v1/jobs/x", "DELETE, GET, HEAD"),
        ("GET", "/v1/jobs/x/cancel", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
def test_a_refused_method_names_those_there_are(
    api: httpx.Client, method: str, address: str, allowed: str
) -> None:
    answer = api.request(method, address)
    assert error_of(answer) == (405, "MethodNotAllowed")
    assert answer.headers["allow"] == allowed


def test_every_query_parameter_is_heeded_or_refused(api: httpx.Client) -> None:
    job = api.post("/v1/jobs", files=[PDF]).json()
    for answer in (
        api.get("/v1/jobs?offset=500"),
        api.get("/v1/jobs?state=done&state=failed"),
        api.post("/v1/jobs?lane=high", files=[PDF]),
        api.get(f"{job['url']}?page=2"),
        api.get(f"{job['results_url']}?page=2"),
        api.post(f"{job['url']}/cancel?document=1"),
        api.delete(f"{job['url']}?force=1"),
    ):
        assert error_of(answer) == (400, "BadRequest")
    assert [entry["state"] for entry in api.get("/v1/jobs").json()["jobs"]] == ["queued"]


def test_who_has_no_key_learns_of_no_parameter(keyed: httpx.Client) -> None:
    assert error_of(keyed.get("/v1/jobs?offset=500")) == (401, "KeyRefused")


def test_the_interface_is_described(api: httpx.Client) -> None:
    answer = api.get("/openapi.json")
    assert "#/$defs" not in answer.text
    paths = answer.json()["paths"]
    assert set(paths["/v1/jobs"]["post"]["requestBody"]["content"]) == {
        "multipart/form-data",
        "application/json",
    }


def test_every_refusal_is_described_as_it_is_told(api: httpx.Client) -> None:
    described = api.get("/openapi.json").json()
    submit = described["paths"]["/v1/jobs"]["post"]
    refused = {status: told for status, told in submit["responses"].items() if status != "202"}
    assert set(refused) == {
        "400",
        "401",
        "403",
        "409",
        "413",
        "415",
        "422",
        "429",
        "503",
        "default",
    }
    assert refused["413"]["description"] == "DocumentTooLarge, TooManyDocuments"
    delete = described["paths"]["/v1/jobs/{job_id}"]["delete"]["responses"]
    assert delete["409"]["description"] == "JobUnfinished"
    listed = described["paths"]["/v1/jobs"]["get"]["responses"]
    assert listed["400"]["description"] == "BadRequest"
    assert listed["503"]["description"] == "DatabaseUnavailable"
    bodies = [told["content"]["application/json"]["schema"] for told in refused.values()]
    assert bodies == [{"$ref": "#/components/schemas/Refusal"}] * len(bodies)
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_every_answer_is_described(api: httpx.Client) -> None:
    described = api.get("/openapi.json").json()
    for methods in described["paths"].values():
        for told in methods.values():
            (status,) = [status for status in told["responses"] if status.startswith("2")]
            answer = told["responses"][status].get("content", {})
            assert status == "204" or answer["application/json"]["schema"]


def test_generated_clients_get_good_names(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    names = [told["operationId"] for methods in paths.values() for told in methods.values()]
    assert sorted(names) == [
        *("cancel_job", "delete_job", "get_document_result", "get_job", "get_results"),
        *("is_alive", "is_ready", "list_jobs", "submit_job"),
    ]


def test_headers_are_described(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    submit = paths["/v1/jobs"]["post"]["responses"]
    assert set(submit["202"]["headers"]) == {"Location", "Retry-After"}
    assert set(submit["401"]["headers"]) == {"WWW-Authenticate"}
    assert set(submit["503"]["headers"]) == {"Retry-After"}
    results = "/v1/jobs/{job_id}/results"
    for address in ("/v1/jobs/{job_id}", results, f"{results}/{{document_id}}"):
        told = paths[address]["get"]["responses"]
        assert set(told["200"]["headers"]) == {"ETag", "Retry-After"}
        assert "content" not in told["304"]


def test_what_submissions_and_lists_refuse_is_described(api: httpx.Client) -> None:
    jobs_path = api.get("/openapi.json").json()["paths"]["/v1/jobs"]
    submit = jobs_path["post"]
    form = submit["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert not form["additionalProperties"]
    assert form["properties"]["lane"]["default"] == "normal"
    (key,) = submit["parameters"]
    assert (key["schema"]["minLength"], key["schema"]["maxLength"]) == (1, 200)
    assert "422" not in jobs_path["get"]["responses"]


def test_keys_are_described(api: httpx.Client) -> None:
    described = api.get("/openapi.json").json()
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for path, methods in described["paths"].items():
        asked = path.startswith("/v1/jobs")
        assert all(("security" in told) == asked for told in methods.values())


def test_the_api_loads_no_model() -> None:
    code = (
        "import sys, workers.api.application as api; from workers.settings import Settings\n"
        "api.create_app(Settings())\n"
        "heavy = {'torch', 'cv2', 'hwr.model', 'boto3', 'numpy'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
