"""Listings that a server sends in several answers, as it does with more than a thousand objects."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from workers.s3 import S3Storage

#: Keys by answer, and the day of October 2026 that their objects were written on.
ANSWERS = [{"x/a/1": 3, "x/a/2": 9}, {"x/a/3": 6}]


@pytest.fixture
def deleted() -> list[str]:
    return []


@pytest.fixture
def storage(deleted: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Storage]:
    class Listing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            assert asked["prefix"] == ["x/a/"]
            self.answer(200, answer(int(asked.get("continuation-token", ["0"])[0])))

        def do_DELETE(self) -> None:
            deleted.append(urlsplit(self.path).path)
            self.answer(204, b"")

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Listing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield S3Storage("s3://bucket/x/", endpoint_url=url)
        server.shutdown()


def answer(number: int) -> bytes:
    objects = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-10-{day:02}T00:00:00Z</LastModified></Contents>"
        for key, day in ANSWERS[number].items()
    )
    is_last = number == len(ANSWERS) - 1
    more = "" if is_last else f"<NextContinuationToken>{number + 1}</NextContinuationToken>"
    truncated = f"<IsTruncated>{str(not is_last).lower()}</IsTruncated>"
    return f"<ListBucketResult>{truncated}{objects}{more}</ListBucketResult>".encode()


def test_all_answers_count(storage: S3Storage, deleted: list[str]) -> None:
    assert storage.names("a") == ["1", "2", "3"]
    assert storage.last_written("a") == 1_791_504_000  # the 9th
    storage.delete_below("a")
    assert sorted(deleted) == ["/bucket/x/a/1", "/bucket/x/a/2", "/bucket/x/a/3"]


def test_a_slash_behind_the_prefix_makes_no_second_one(storage: S3Storage) -> None:
    assert storage.url("a/1") == "s3://bucket/x/a/1"
