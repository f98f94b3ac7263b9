"""The HTTP interface against a real Redis, with databases and storages of both kinds."""

import atexit
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import services
import uvicorn
from pydantic import SecretStr
from sqlalchemy import select

from workers import jobs
from workers.api.application import create_app
from workers.database import Database, Document, Line, Page, Stage, State, open_database
from workers.migrations import upgrade
from workers.names import MAX_NAME
from workers.settings import Settings
from workers.storage import open_storage

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
        with httpx.Client(base_url=f"http://{host}:{port}") as client:
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


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    return make_settings(tmp_path, redis_url)


@pytest.fixture
def api(settings: Settings) -> Iterator[httpx.Client]:
    make_tables(settings)
    with open_api(settings) as client:
        yield client


@pytest.fixture
def keyed(tmp_path: Path, redis_url: str) -> Iterator[httpx.Client]:
    """An API that asks for keys."""
    settings = make_settings(tmp_path, redis_url, api_keys=KEYS)
    make_tables(settings)
    with open_api(settings) as client:
        yield client


@pytest.fixture(params=["one machine", "servers"])
def either_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """SQLite and a folder, and PostgreSQL and S3."""
    if request.param == "one machine":
        return settings
    s3: services.S3Server = request.getfixturevalue("s3")
    servers = {
        "database_url": request.getfixturevalue("postgres_url"),
        "storage_url": request.getfixturevalue("s3_url"),
        "s3_endpoint_url": s3.endpoint_url,
    }
    return settings.model_copy(update=servers)


@pytest.fixture
def either(either_settings: Settings) -> Iterator[httpx.Client]:
    """The API on either kind of servers."""
    make_tables(either_settings)
    with open_api(either_settings) as client:
        yield client


@pytest.fixture
def database(api: httpx.Client, settings: Settings) -> Iterator[Database]:
    database = open_database(settings)
    yield database
    database.close()


def error_of(response: httpx.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]
    return response.status_code, error["code"]


def stored(settings: Settings) -> list[Path]:
    root = Path(settings.storage_url.removeprefix("file:"))
    return [path for path in root.rglob("*") if path.is_file()]


def queued(settings: Settings) -> list[Any]:
    """Arguments of the messages that wait for split workers."""
    with redis.Redis.from_url(settings.redis_url) as client:
        messages = [json.loads(message) for message in client.lrange("split", 0, -1)]
    assert {message["headers"]["task"] for message in messages} <= {"hwr.split"}
    return [json.loads(message["headers"]["argsrepr"].replace("'", '"')) for message in messages]


# ---- Submitting


def test_a_submitted_file_becomes_a_job(either: httpx.Client, either_settings: Settings) -> None:
    answer = either.post("/v1/jobs", files=[PDF])
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert int(answer.headers["retry-after"]) > 0
    assert job["state"] == "queued"
    assert [document["name"] for document in job["documents"]] == ["scan.pdf"]
    seen = either.get(answer.headers["location"])
    assert seen.json()["documents"] == job["documents"]
    key = f"jobs/{job['id']}/{job['documents'][0]['id']}/original"
    assert open_storage(either_settings).get(key) == PDF[1][1]


def test_the_queue_gets_ids_only(api: httpx.Client, settings: Settings) -> None:
    job = api.post("/v1/jobs", files=[PDF, PDF]).json()
    deadline = time.monotonic() + 5
    while len(queued(settings)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(queued(settings)) == sorted([document["id"]] for document in job["documents"])


def test_a_job_is_taken_while_redis_is_away(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, "redis://127.0.0.1:1/0")
    make_tables(settings)
    with open_api(settings) as api:
        answer = api.post("/v1/jobs", files=[PDF])
        assert answer.status_code == 202
        assert api.get(answer.headers["location"]).json()["state"] == "queued"


def test_documents_keep_their_order(api: httpx.Client) -> None:
    files = [("files", (f"{n}.png", b"x")) for n in (3, 1, 2)]
    job = api.post("/v1/jobs", files=files).json()
    assert [document["name"] for document in job["documents"]] == ["3.png", "1.png", "2.png"]


def test_an_empty_file_is_left_to_the_split_stage(api: httpx.Client) -> None:
    assert api.post("/v1/jobs", files=[("files", ("empty.pdf", b""))]).status_code == 202


@pytest.mark.parametrize("lane", ["high", "low"])
def test_the_lane_is_kept(api: httpx.Client, lane: str) -> None:
    assert api.post("/v1/jobs", files=[PDF], data={"lane": lane}).json()["lane"] == lane


def test_references_as_json(api: httpx.Client, settings: Settings) -> None:
    body = {"references": ["s3://inbox/scans/a.pdf", "s3://inbox/scans/sub/b.tif"], "lane": "high"}
    job = api.post("/v1/jobs", json=body).json()
    assert [document["name"] for document in job["documents"]] == ["a.pdf", "b.tif"]
    assert stored(settings) == []


def test_files_and_references_together(api: httpx.Client) -> None:
    data = {"references": ["s3://inbox/scans/a.pdf"]}
    job = api.post("/v1/jobs", files=[PDF], data=data).json()
    assert sorted(document["name"] for document in job["documents"]) == ["a.pdf", "scan.pdf"]


@pytest.mark.parametrize(
    "reference",
    [
        "s3://other/scans/a.pdf",
        "s3://inbox/scansandmore/a.pdf",
        "s3://inbox/scans/../secrets/a.pdf",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "",
    ],
)
def test_other_references_are_refused(
    api: httpx.Client, settings: Settings, reference: str
) -> None:
    status, code = error_of(api.post("/v1/jobs", json={"references": [reference]}))
    assert (status, code) in {(403, "ReferenceRefused"), (400, "ReferenceUnreadable")}
    assert queued(settings) == []


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"json": {"references": []}}, (400, "NoDocuments")),
        ({"json": {"refs": ["s3://inbox/scans/a"]}}, (400, "BadRequest")),
        ({"json": {"references": "s3://inbox/scans/a"}}, (400, "BadRequest")),
        ({"json": [1]}, (400, "BadRequest")),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, (400, "BadRequest")),
        ({"content": b"x" * 10, "headers": {"content-type": "text/plain"}}, (400, "BadRequest")),
        ({"content": b"x" * 10}, (400, "BadRequest")),
        ({}, (400, "BadRequest")),
        ({"json": {"references": ["s3://inbox/scans/a"] * 6}}, (413, "TooManyDocuments")),
        ({"files": [PDF] * 6}, (413, "TooManyDocuments")),
        ({"files": [PDF] * 50}, (413, "TooManyDocuments")),
        ({"files": [PDF], "data": {"lane": "fast"}}, (400, "BadRequest")),
        ({"files": [PDF], "data": {"colour": "blue"}}, (400, "BadRequest")),
        ({"files": [PDF], "data": {"lane": "x" * 10_000}}, (400, "BadRequest")),
        ({"files": [("files", ("big.pdf", b"x" * 1001))]}, (413, "DocumentTooLarge")),
        ({"files": [PDF, ("files", ("big.pdf", b"x" * 10**6))]}, (413, "DocumentTooLarge")),
        ({"files": [PDF], "headers": {"Idempotency-Key": "k" * 201}}, (400, "BadRequest")),
    ],
)
def test_a_bad_submission_is_named_and_leaves_nothing(
    api: httpx.Client, settings: Settings, sent: dict[str, Any], told: tuple[int, str]
) -> None:
    assert error_of(api.post("/v1/jobs", **sent)) == told
    assert stored(settings) == []
    assert queued(settings) == []


def test_a_file_in_the_wrong_field_is_told_the_right_one(api: httpx.Client) -> None:
    answer = api.post("/v1/jobs", files={"file": ("scan.pdf", b"x" * 100_000)})
    assert error_of(answer) == (400, "BadRequest")
    assert "no field 'file'. Use files" in answer.text


def test_a_json_body_has_a_limit(api: httpx.Client) -> None:
    body = {"references": ["s3://inbox/scans/" + "a" * 3 * 2**20]}
    assert error_of(api.post("/v1/jobs", json=body)) == (400, "BadRequest")


# ---- Hostile names and bodies


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/absolute/scan.pdf", "scan.pdf"),
        ("a\x00b\x1b[31m\x7f.pdf", "ab[31m.pdf"),
        ("left\u202efdp.exe", "leftfdp.exe"),
        ("Prüfung № 3 – 手書き.pdf", "Prüfung № 3 – 手書き.pdf"),
        ("..", "document"),
        (" ", "document"),
        ("x" * 10_000 + ".pdf", "x" * (MAX_NAME - 4) + ".pdf"),
    ],
)
def test_hostile_names_are_made_harmless(api: httpx.Client, sent: str, kept: str) -> None:
    job = raw_post(api, part(sent.encode()))
    assert [document["name"] for document in job["documents"]] == [kept]


def part(file_name: bytes, content: bytes = b"x") -> bytes:
    disposition = b'Content-Disposition: form-data; name="files"; filename="' + file_name + b'"'
    return b"--B\r\n" + disposition + b"\r\n\r\n" + content + b"\r\n--B--\r\n"


def raw_post(
    api: httpx.Client, body: bytes, content_type: str = "multipart/form-data; boundary=B"
) -> Any:
    """Post a body that no well-behaved client would make."""
    headers = {"content-type": content_type}
    return api.post("/v1/jobs", content=body, headers=headers).json()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B",
        b"not multipart at all",
        b"--B--\r\n",
        part(b"a.pdf")[:-6],
        b'--B\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nxxxx',
        b"--B\r\n" + b"X: y\r\n" * 100 + b"\r\nx\r\n--B--\r\n",
        b"--B\r\nX: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--B--\r\n",
        b"--B\r\n\r\nno disposition\r\n--B--\r\n",
        b"--B\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--B--\r\n",
        b'--B\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nx\r\n--B--\r\n',
        b"--B\r\n\r\n\r\n" * 1000,
    ],
)
def test_hostile_bodies_are_refused(api: httpx.Client, settings: Settings, body: bytes) -> None:
    error = raw_post(api, body)["error"]
    assert error["code"] in {"BadRequest", "NoDocuments", "TooManyDocuments"}
    assert stored(settings) == []


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "B" * 300,
        "multipart/mixed; boundary=B",
    ],
)
def test_hostile_content_types_are_refused(api: httpx.Client, content_type: str) -> None:
    assert raw_post(api, part(b"a.pdf"), content_type)["error"]["code"] == "BadRequest"


def test_the_limit_holds_while_the_body_still_comes(api: httpx.Client, settings: Settings) -> None:
    """The refusal comes although the client would go on sending for ever."""
    with socket.create_connection((api.base_url.host, api.base_url.port), timeout=20) as connection:
        head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n"
        head += "Content-Type: multipart/form-data; boundary=B\r\n\r\n"
        connection.sendall(head.encode() + part(b"endless.pdf", b"x" * 2000)[:1900])
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert stored(settings) == []


def test_an_upload_that_breaks_off_leaves_nothing(api: httpx.Client, settings: Settings) -> None:
    with socket.create_connection((api.base_url.host, api.base_url.port)) as connection:
        head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
        head += "Content-Type: multipart/form-data; boundary=B\r\n\r\n"
        connection.sendall(
            head.encode() + part(b"whole.pdf")[:-4] + b"\r\n" + part(b"half.pdf")[5:60]
        )
        deadline = time.monotonic() + 5
        while not stored(settings) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(stored(settings)) == 1
    while stored(settings) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert stored(settings) == []


# ---- The same again


def test_the_same_key_is_the_same_job(either: httpx.Client) -> None:
    key = {"Idempotency-Key": "batch-7"}
    first = either.post("/v1/jobs", files=[PDF], headers=key)
    again = either.post("/v1/jobs", files=[PDF], headers=key)
    assert again.status_code == first.status_code == 202
    assert again.json()["id"] == first.json()["id"]


def test_a_repetition_stores_nothing_twice(api: httpx.Client, settings: Settings) -> None:
    for _ in range(3):
        api.post("/v1/jobs", files=[PDF], headers={"Idempotency-Key": "batch-7"})
    assert len(stored(settings)) == 1


def test_the_same_key_for_other_documents_is_a_conflict(
    api: httpx.Client, settings: Settings
) -> None:
    key = {"Idempotency-Key": "batch-7"}
    api.post("/v1/jobs", files=[PDF], headers=key)
    other = api.post("/v1/jobs", files=[("files", ("scan.pdf", b"other"))], headers=key)
    assert error_of(other) == (409, "IdempotencyConflict")
    assert len(stored(settings)) == 1


# ---- Looking and cancelling


def test_an_unknown_job(api: httpx.Client) -> None:
    for answer in (
        api.get("/v1/jobs/nothing"),
        api.get("/v1/jobs/nothing/results"),
        api.post("/v1/jobs/nothing/cancel"),
    ):
        assert error_of(answer) == (404, "JobNotFound")


def test_cancel(either: httpx.Client) -> None:
    job = either.post("/v1/jobs", files=[PDF]).json()
    for _ in range(2):
        assert either.post(f"{job['url']}/cancel").json()["state"] == "cancelled"
    answer = either.get(job["url"])
    assert answer.json()["documents"][0]["state"] == "cancelled"
    assert "retry-after" not in answer.headers
    assert either.get(job["results_url"]).json()["complete"] is True


def read_one_page(database: Database, document_id: str) -> None:
    """What split and read workers leave behind for the first of two pages."""
    with database.writing() as session:
        document = session.scalars(select(Document).where(Document.id == document_id)).one()
        document.state, document.stage, document.page_count = State.RUNNING, Stage.READ, 2
        document.pages_done = document.lines_done = 1
        page = Page(document_id=document_id, number=1, width=80, height=60, state=State.DONE)
        session.add(page)
        session.flush()
        line = {"polygon": [[0, 0], [9, 0], [9, 9]], "baseline": [[0, 8], [9, 8]]}
        session.add(Line(page_id=page.id, order=0, text="zwölf €", confidence=0.5, **line))


def test_partial_results_while_it_runs(api: httpx.Client, database: Database) -> None:
    job = api.post("/v1/jobs", files=[PDF]).json()
    read_one_page(database, job["documents"][0]["id"])
    answer = api.get(job["results_url"])
    assert int(answer.headers["retry-after"]) > 0
    results = answer.json()
    assert results["complete"] is False
    [document] = results["documents"]
    assert document["name"] == "scan.pdf"
    assert [page["number"] for page in document["pages"]] == [1]
    assert document["pages"][0]["lines"][0]["text"] == "zwölf €"
    assert api.get(job["url"]).json()["pages_done"] == 1


# ---- Keys and tenants


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wrong", "Basic bank-key", "bank-key", "Bearer é"],
)
def test_without_a_key_nothing_is_told(keyed: httpx.Client, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    for answer in (
        keyed.post("/v1/jobs", files=[PDF], headers=headers),
        keyed.get("/v1/jobs/x", headers=headers),
        keyed.get("/v1/jobs/x/results", headers=headers),
        keyed.post("/v1/jobs/x/cancel", headers=headers),
    ):
        assert error_of(answer) == (401, "KeyRefused")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_health_needs_no_key(keyed: httpx.Client) -> None:
    assert keyed.get("/healthz").status_code == 200
    assert keyed.get("/readyz").status_code == 200


def test_a_tenant_sees_only_its_own_jobs(keyed: httpx.Client) -> None:
    url = keyed.post("/v1/jobs", files=[PDF], headers=BANK).json()["url"]
    assert keyed.get(url, headers=BANK).status_code == 200
    assert error_of(keyed.get(url, headers=SCHOOL)) == (404, "JobNotFound")
    assert error_of(keyed.get(f"{url}/results", headers=SCHOOL)) == (404, "JobNotFound")
    assert error_of(keyed.post(f"{url}/cancel", headers=SCHOOL)) == (404, "JobNotFound")
    assert keyed.get(url, headers=BANK).json()["state"] == "queued"


def test_tenants_may_use_the_same_idempotency_key(keyed: httpx.Client) -> None:
    key = {"Idempotency-Key": "1"}
    bank = keyed.post("/v1/jobs", files=[PDF], headers=BANK | key)
    school = keyed.post("/v1/jobs", files=[("files", ("b.pdf", b"b"))], headers=SCHOOL | key)
    assert bank.json()["id"] != school.json()["id"]


# ---- Health and everything else


def test_ready(either: httpx.Client) -> None:
    assert either.get("/readyz").json() == {"status": "ready"}


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
        assert error_of(api.get("/v1/jobs/x")) == (503, "ServiceUnavailable")


def test_storage_that_is_away_is_an_outage(tmp_path: Path, redis_url: str) -> None:
    settings = make_settings(tmp_path, redis_url, storage_url="file:/proc/no")
    make_tables(settings)
    with open_api(settings) as api:
        answer = api.post("/v1/jobs", files=[PDF])
    assert error_of(answer) == (503, "StorageUnavailable")
    assert "retry-after" in answer.headers


def test_a_failure_of_ours_is_told_without_its_insides(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("insides")

    monkeypatch.setattr(jobs, "view", fail)
    answer = api.get("/v1/jobs/x")
    assert error_of(answer) == (500, "InternalError")
    assert "insides" not in answer.text


def test_other_addresses(api: httpx.Client) -> None:
    assert error_of(api.get("/v2/jobs")) == (404, "NotFound")
    assert error_of(api.delete("/v1/jobs")) == (405, "MethodNotAllowed")


def test_the_interface_is_described(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert set(paths["/v1/jobs"]["post"]["requestBody"]["content"]) == {
        "multipart/form-data",
        "application/json",
    }


def test_the_api_loads_no_model() -> None:
    code = (
        "import sys, workers.api.application as api; from workers.settings import Settings\n"
        "api.create_app(Settings())\n"
        "heavy = {'torch', 'cv2', 'hwr.model', 'boto3', 'numpy'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("either_settings", ["servers"], indirect=True)
def test_zero_characters_are_the_clients_mistake(either: httpx.Client) -> None:
    submitted = either.post("/v1/jobs", json={"references": ["s3://inbox/scans/a\0b.pdf"]})
    assert submitted.status_code == 400
    assert submitted.json()["error"]["code"] == "BadRequest"
    assert either.get("/v1/jobs/a%00b").status_code == 400
