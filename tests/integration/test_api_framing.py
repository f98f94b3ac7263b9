"""Requests that a proxy and the API might take for different ones, and what they cost others."""

import gzip
import logging
import socket
from pathlib import Path

import httpx
import pytest
from api_bench import BANK, PDF, SCHOOL, error_of, make_settings, open_api

from workers.api import submission

_SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def exchanged(api: httpx.Client, request: bytes) -> bytes:
    """All that comes back until the connection is closed, or until nothing comes for a while."""
    address = (api.base_url.host, api.base_url.port or 0)
    told = b""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        while more := connection.recv(2**16):
            told += more
    return told


@pytest.mark.parametrize(
    ("version", "length"),
    [(b"1.1", b"Content-Length: 5\r\n"), (b"1.0", b""), (b"1.0", b"Content-Length: 5\r\n")],
)
def test_a_request_whose_length_is_not_sure_ends_its_connection(
    api: httpx.Client, version: bytes, length: bytes
) -> None:
    head = b"POST /v1/jobs HTTP/" + version + b"\r\nHost: x\r\nConnection: keep-alive\r\n" + length
    told = exchanged(api, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"BadRequest"' in told
    assert told.count(b"HTTP/1.1 ") == 1


def test_a_body_in_chunks_is_taken(api: httpx.Client) -> None:
    body = httpx.Request("POST", "http://x", files=[PDF])
    chunks = (chunk for chunk in [body.read()])
    headers = {"Content-Type": body.headers["content-type"]}
    assert api.post("/v1/jobs", content=chunks, headers=headers).status_code == 202


def test_who_sends_two_keys_is_told_to_send_one(keyed: httpx.Client) -> None:
    headers = [*BANK.items(), *SCHOOL.items()]
    assert error_of(keyed.get("/v1/jobs", headers=headers)) == (401, "KeyRefused")


def test_a_submission_has_one_idempotency_key(api: httpx.Client) -> None:
    headers = [("Idempotency-Key", "monday"), ("Idempotency-Key", "tuesday")]
    assert error_of(api.post("/v1/jobs", files=[PDF], headers=headers)) == (400, "BadRequest")
    assert api.get("/v1/jobs").json()["jobs"] == []


@pytest.mark.parametrize("encoding", ["gzip", "identity, GZIP"])
def test_a_compressed_body_is_told_as_such(api: httpx.Client, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = api.post("/v1/jobs", content=gzip.compress(b"{}"), headers=headers)
    assert error_of(answer) == (415, "UnsupportedMediaType")
    assert f"Content-Encoding is {encoding}" in answer.text


@pytest.mark.parametrize("encoding", ["", "identity", "UTF-8"])
def test_a_body_that_is_not_compressed_is_taken(api: httpx.Client, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    assert api.post("/v1/jobs", files=[PDF], headers=headers).status_code == 202


def test_too_many_references_are_refused_before_each_is_noted(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(submission.Received, "add_reference", lambda _, told: noted.append(told))
    answer = api.post("/v1/jobs", json={"references": ["s3://inbox/scans/a.pdf"] * 6})
    assert error_of(answer) == (413, "TooManyDocuments")
    assert "6 documents, 5 are permitted" in answer.text
    assert noted == []


def test_an_address_is_told_again_in_part(api: httpx.Client) -> None:
    long = "a" * 50_000
    for address, status in (
        (f"/{long}", 404),
        (f"/v1/jobs/{long}", 404),
        (f"/v1/jobs?{long}", 400),
    ):
        answer = api.get(address)
        assert answer.status_code == status
        assert len(answer.content) < 1000


def test_the_log_takes_no_orders_from_addresses(
    tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with open_api(make_settings(tmp_path, redis_url)) as api:  # without tables
        answer = api.get("/v1/jobs/%1b%5b2J%0d%0afake")
    assert error_of(answer) == (503, "DatabaseUnavailable")
    assert "GET /v1/jobs/%1B%5B2J" in caplog.text
    assert "\x1b[2J" not in caplog.text
