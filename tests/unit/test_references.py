"""What a reference's refusal means: whether the document is refused, or fetched again later."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hwr.errors import ReferenceUnreadable, StorageUnavailable
from workers.s3 import S3Storage, fetch_reference
from workers.settings import Settings
from workers.storage import split_reference

#: Starts a server that answers everything with a status and the code of an error.
Serve = Callable[[int, str], str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, code: str) -> str:
        class Refusing(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("x-amz-bucket-region", "eu-west-1")
                self.end_headers()
                self.wfile.write(body)

            def do_HEAD(self) -> None:
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
        servers.append(server)
        threading.Thread(target=server.serve_forever).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def fetch(endpoint_url: str, folder: Path, reference: str = "s3://inbox/scan.pdf") -> None:
    settings = Settings(s3_endpoint_url=endpoint_url)
    fetch_reference(settings, reference, folder / "copy", lambda: None)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "PermanentRedirect"),  # a bucket of another region than the endpoint's
        (400, "InvalidRequest"),  # encrypted with a key of the client's own
        (403, "AccessDenied"),
        (403, "InvalidObjectState"),  # in an archive
        (404, "NoSuchKey"),
        (405, "MethodNotAllowed"),  # deleted, in a bucket with versions
    ],
)
def test_what_stays_refuses_the_document_by_name(
    serve: Serve, tmp_path: Path, status: int, code: str
) -> None:
    with pytest.raises(ReferenceUnreadable, match=rf"scan\.pdf .*\({code}\)"):
        fetch(serve(status, code), tmp_path)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ExpiredToken"),
        (400, "RequestTimeout"),
        (403, "RequestTimeTooSkewed"),
        (408, ""),
        (429, "TooMany"),
        (500, "InternalError"),
        (503, "SlowDown"),
    ],
)
def test_what_passes_is_waited_for(serve: Serve, tmp_path: Path, status: int, code: str) -> None:
    with pytest.raises(StorageUnavailable):
        fetch(serve(status, code), tmp_path)


def test_what_no_request_can_ask_for_is_refused(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(ReferenceUnreadable, match="ParamValidationError"):
        fetch(serve(200, ""), tmp_path, "s3://no bucket/scan.pdf")


@pytest.mark.parametrize(
    ("status", "code"), [(400, "InvalidRequest"), (400, "ExpiredToken"), (403, "AccessDenied")]
)
def test_a_refusal_of_our_own_objects_is_an_outage(serve: Serve, status: int, code: str) -> None:
    storage = S3Storage("s3://bucket/x", endpoint_url=serve(status, code))
    with pytest.raises(StorageUnavailable, match="credentials"):
        storage.get("jobs/1/2/original")


def test_a_server_that_has_nothing_to_list_is_no_missing_object(serve: Serve) -> None:
    storage = S3Storage("s3://bucket/x", endpoint_url=serve(404, "NoSuchKey"))
    with pytest.raises(StorageUnavailable, match="does not serve s3://bucket/x/ "):
        storage.check()


@pytest.mark.parametrize("key", ["", "k" * 1025, "手" * 342])
def test_a_key_that_no_file_has_is_no_reference(key: str) -> None:
    with pytest.raises(ReferenceUnreadable, match="1 to 1024 bytes"):
        split_reference(f"s3://inbox/{key}")


@pytest.mark.parametrize("address", ["s3:///scan.pdf", "http://inbox/scan.pdf", "inbox/scan.pdf"])
def test_what_names_no_bucket_is_no_reference(address: str) -> None:
    with pytest.raises(ReferenceUnreadable, match="is no address"):
        split_reference(address)


def test_dots_in_a_name_climb_nowhere() -> None:
    assert split_reference("s3://inbox/a..b.pdf") == ("inbox", "a..b.pdf")


def test_the_longest_key_is_a_reference() -> None:
    assert split_reference("s3://inbox/" + "k" * 1024) == ("inbox", "k" * 1024)


def test_an_empty_endpoint_is_that_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    storage = S3Storage("s3://bucket/x", endpoint_url=Settings(s3_endpoint_url="").s3_endpoint_url)
    assert storage._client.meta.endpoint_url.endswith(".amazonaws.com")
