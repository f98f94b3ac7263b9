"""Submitting over HTTP: files, references, lanes, limits, and the same submission again."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_bench import PDF, error_of, make_settings, make_tables, open_api, queued, stored

from hwr.errors import StorageUnavailable
from workers import jobs
from workers.settings import Settings
from workers.storage import FolderStorage, open_storage

UNSUPPORTED = (415, "UnsupportedMediaType")

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
    deadline = time.monotonic() + 30
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


def test_files_are_stored_beside_each_other_and_keep_their_order(
    api: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, waiting = FolderStorage.put, threading.Barrier(2)

    def put(self: FolderStorage, key: str, content: Any) -> None:
        waiting.wait(30)  # two at once, or it breaks
        usual(self, key, content)

    monkeypatch.setattr(FolderStorage, "put", put)
    files = [("files", (f"{number}.png", bytes([number]))) for number in (3, 1, 2, 4)]
    job = api.post("/v1/jobs", files=files).json()
    names = [document["name"] for document in job["documents"]]
    assert names == ["3.png", "1.png", "2.png", "4.png"]
    storage = open_storage(settings)
    for document, (_, (_, content)) in zip(job["documents"], files, strict=True):
        assert storage.get(f"jobs/{job['id']}/{document['id']}/original") == content


def test_one_file_that_cannot_be_stored_leaves_nothing_of_the_others(
    api: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, calls = FolderStorage.put, itertools.count(1)

    def put(self: FolderStorage, key: str, content: Any) -> None:
        if next(calls) == 2:
            raise StorageUnavailable("It is full. Free space.")
        time.sleep(0.1)  # still under way when the other fails
        usual(self, key, content)

    monkeypatch.setattr(FolderStorage, "put", put)
    assert error_of(api.post("/v1/jobs", files=[PDF] * 5)) == (503, "StorageUnavailable")
    assert stored(settings) == []
    assert api.get("/v1/jobs").json()["jobs"] == []


def test_an_empty_file_is_left_to_the_split_stage(api: httpx.Client) -> None:
    assert api.post("/v1/jobs", files=[("files", ("empty.pdf", b""))]).status_code == 202


def test_the_profile_is_kept_and_free_text_is_the_usual(api: httpx.Client) -> None:
    told = [{}, {"profile": "cheque"}]
    jobs = [api.post("/v1/jobs", files=[PDF], data=data).json() for data in told]
    assert [job["profile"] for job in jobs] == ["page", "cheque"]
    by_reference = {"references": ["s3://allowed/a.pdf"], "profile": "receipt"}
    assert error_of(api.post("/v1/jobs", json=by_reference))[1] == "ReferenceRefused"


def test_an_unknown_profile_is_told_the_known_ones(api: httpx.Client, settings: Settings) -> None:
    answer = api.post("/v1/jobs", files=[PDF], data={"profile": "../check"})
    assert error_of(answer) == (422, "UnknownProfile")
    assert "cheque, exam, page" in answer.json()["error"]["message"]
    assert stored(settings) == []


def test_the_same_key_with_another_profile_is_a_conflict(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": "one"}
    assert api.post("/v1/jobs", files=[PDF], headers=headers).status_code == 202
    other = api.post("/v1/jobs", files=[PDF], headers=headers, data={"profile": "exam"})
    assert error_of(other) == (409, "IdempotencyConflict")


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
        "s3://inbox/",
        "s3://inbox/scans/" + "k" * 1020,
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
        ({"content": b"x", "headers": {"content-type": "text/plain"}}, UNSUPPORTED),
        ({"content": b"x", "headers": {"content-type": "application/jsonl"}}, UNSUPPORTED),
        (
            {"content": b"x", "headers": {"content-type": "multipart/mixed; boundary=B"}},
            UNSUPPORTED,
        ),
        ({"content": b"x" * 10}, UNSUPPORTED),
        ({}, UNSUPPORTED),
        ({"json": {"references": ["s3://inbox/scans/a"] * 6}}, (413, "TooManyDocuments")),
        ({"files": [PDF] * 6}, (413, "TooManyDocuments")),
        ({"files": [PDF] * 50}, (413, "TooManyDocuments")),
        ({"files": [PDF], "data": {"lane": "fast"}}, (400, "BadRequest")),
        ({"files": [PDF], "data": {"lane": ["low", "high"]}}, (400, "BadRequest")),
        ({"files": [PDF], "data": {"profile": ["exam", "page"]}}, (400, "BadRequest")),
        ({"files": [PDF], "data": {"colour": "blue"}}, (400, "BadRequest")),
        ({"files": [PDF], "data": {"lane": "x" * 10_000}}, (400, "BadRequest")),
        ({"files": [("files", ("big.pdf", b"x" * 1001))]}, (413, "DocumentTooLarge")),
        ({"files": [PDF, ("files", ("big.pdf", b"x" * 10**6))]}, (413, "DocumentTooLarge")),
        ({"files": [PDF], "headers": {"Idempotency-Key": "k" * 201}}, (400, "BadRequest")),
        ({"files": [PDF], "headers": [("Idempotency-Key", "clé".encode())]}, (400, "BadRequest")),
        ({"files": [PDF], "headers": [("Idempotency-Key", b"a\tb")]}, (400, "BadRequest")),
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


# ---- The same again


def test_the_same_key_is_the_same_job(either: httpx.Client) -> None:
    key = {"Idempotency-Key": "batch-7"}
    first = either.post("/v1/jobs", files=[PDF], headers=key)
    again = either.post("/v1/jobs", files=[PDF], headers=key)
    assert again.status_code == first.status_code == 202
    assert again.json()["id"] == first.json()["id"]


def test_a_repetition_is_told_before_anything_is_stored(
    api: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: FolderStorage, key: str, content: object) -> None:
        raise StorageUnavailable(key)

    key = {"Idempotency-Key": "batch-7"}
    files = [PDF, ("files", ("other.pdf", b"other"))]
    first = api.post("/v1/jobs", files=files, headers=key).json()["id"]
    monkeypatch.setattr(FolderStorage, "put", refuse)
    monkeypatch.setattr(FolderStorage, "delete_below", refuse)
    again = api.post("/v1/jobs", files=files, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, first)
    for changed in (files[:1], files[::-1], [PDF, ("files", ("other.pdf", b"othes"))]):
        refused = api.post("/v1/jobs", files=changed, headers=key)
        assert error_of(refused) == (409, "IdempotencyConflict")
    assert len(stored(settings)) == 2


def test_the_same_twice_at_once_is_one_job(
    either: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*given: Any, **of: Any) -> Any:
        asked.append(of)
        if len(asked) > 2:
            return usual(*given, **of)
        both.wait()  # until both have asked, of which neither has written its job down
        return None

    asked: list[Any] = []
    usual, both = jobs.find_submission, threading.Barrier(2, timeout=30)
    monkeypatch.setattr(jobs, "find_submission", find)
    key = {"Idempotency-Key": "batch-7"}
    with ThreadPoolExecutor(2) as pool:
        posts = [pool.submit(either.post, "/v1/jobs", files=[PDF], headers=key) for _ in range(2)]
        answers = [post.result() for post in posts]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(either.get("/v1/jobs").json()["jobs"]) == 1


def test_the_same_key_for_other_documents_is_a_conflict(
    api: httpx.Client, settings: Settings
) -> None:
    key = {"Idempotency-Key": "batch-7"}
    api.post("/v1/jobs", files=[PDF], headers=key)
    other = api.post("/v1/jobs", files=[("files", ("scan.pdf", b"other"))], headers=key)
    assert error_of(other) == (409, "IdempotencyConflict")
    assert len(stored(settings)) == 1
