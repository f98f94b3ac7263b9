"""The client against answers that a service of ours never gives, and the address it is found by."""

import http.server
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest

from hwr.errors import AnswerLost, BadRequest, ServiceError, ServiceUnavailable
from workers.address import DEFAULT_URL, address_file, find_url, write_address
from workers.client import Client
from workers.uploads import is_reference


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers every request with the same bytes."""

    body = b""
    status = 200
    advice: str | None = None

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        if self.advice is not None:
            self.send_header("Retry-After", self.advice)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """URL of a web server that is not ours."""
    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"<html>not found</html>"),
        (500, b"[]"),
        (400, b'{"error": "text"}'),
        (400, b'{"error": {"code": "system", "message": "no error of ours"}}'),
        (400, b'{"error": {"code": "__name__", "message": "no error of ours"}}'),
    ],
)
def test_strange_refusals_are_service_errors(
    stranger: str, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    monkeypatch.setattr(Answer, "status", status)
    monkeypatch.setattr(Answer, "body", body)
    with Client(stranger) as client, pytest.raises(ServiceError):
        client.job("x")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b'{"error": "text"}'])
def test_what_a_proxy_says_of_an_outage_is_one(
    stranger: str, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    monkeypatch.setattr(Answer, "status", status)
    monkeypatch.setattr(Answer, "body", body)
    with Client(stranger) as client, pytest.raises(ServiceUnavailable, match=f"answered {status}"):
        client.job("x")


def test_a_strange_success_is_a_service_error(
    stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "body", b"<html>hello</html>")
    with Client(stranger) as client, pytest.raises(ServiceError, match="no answer of hwr"):
        client.job("x")


def test_a_refusal_is_raised_as_the_error_it_names(
    stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "status", 400)
    monkeypatch.setattr(Answer, "body", b'{"error": {"code": "BadRequest", "message": "Mend it."}}')
    with Client(stranger) as client, pytest.raises(BadRequest, match=r"Mend it\."):
        client.job("x")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://", "nonsense", "http://x:99999999"])
def test_an_address_where_nothing_answers(url: str) -> None:
    with Client(url) as client, pytest.raises(ServiceUnavailable, match="hwr up"):
        client.job("x")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(BadRequest, match=r"absent\.pdf"):
        client.submit([tmp_path / "absent.pdf"])


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "locked.pdf"
    path.write_bytes(b"%PDF-")
    monkeypatch.setattr(Path, "open", denied)
    with Client("http://127.0.0.1:1") as client:
        with pytest.raises(BadRequest, match=r"locked\.pdf cannot be read \(Permission denied\)"):
            client.submit([path])
        with pytest.raises(BadRequest, match="File name too long"):
            client.submit(["n" * 300])


PROXY = (502, b"<html>Bad Gateway</html>")
AWAY = (503, b'{"error": {"code": "DatabaseUnavailable", "message": "The database is away."}}')
DONE = (200, b'{"state": "done"}')


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bytes]]:
    """What the stranger answers, one after the other; nobody sleeps in between."""
    answers: list[tuple[int, bytes]] = []
    get = Answer.do_GET

    def answer(self: Answer) -> None:
        self.status, self.body = answers.pop(0)
        get(self)

    monkeypatch.setattr(Answer, "do_GET", answer)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return answers


def test_a_job_is_followed_past_a_restart(stranger: str, answers: list[tuple[int, bytes]]) -> None:
    answers += [AWAY] * 5 + [(200, b'{"state": "running"}')] + [PROXY] * 5 + [DONE]
    with Client(stranger) as client:
        assert [job["state"] for job in client.follow("x")] == ["running", "done"]


def test_lists_are_followed_to_their_end(stranger: str, answers: list[tuple[int, bytes]]) -> None:
    answers += [
        (200, b'{"jobs": [{"id": "2"}], "next": "/v1/jobs?cursor=2"}'),
        (200, b'{"jobs": [{"id": "1"}], "next": null}'),
    ]
    with Client(stranger) as client:
        assert [job["id"] for job in client.jobs("failed")] == ["2", "1"]


def test_results_are_fetched_some_documents_at_a_time(
    stranger: str, answers: list[tuple[int, bytes]]
) -> None:
    answers += [
        (200, b'{"documents": [{"id": "1"}], "next": "/v1/jobs/x/results?cursor=1"}'),
        (200, b'{"documents": [{"id": "2"}]}'),  # as of version 0.1.0
    ]
    with Client(stranger) as client:
        documents = client.documents("x")
        assert next(documents) == {"id": "1"}
        assert len(answers) == 1
        assert [document["id"] for document in documents] == ["2"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_is_sent_again_when_the_service_asks_for_it(
    stranger: str,
    answers: list[tuple[int, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(Answer, "advice", "7")
    monkeypatch.setattr(time, "sleep", pauses.append)
    answers += [(status, AWAY[1])] * 2 + [DONE]
    with Client(stranger) as client:
        assert client.job("x") == {"state": "done"}
        answers += [(status, AWAY[1])] * 3
        with pytest.raises(ServiceUnavailable):
            client.job("x")
    assert pauses == [7] * 4


def test_a_proxy_of_the_environment_is_used(stranger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answer, "body", b'{"state": "done"}')
    monkeypatch.setenv("http_proxy", stranger.removeprefix("http://"))
    monkeypatch.setenv("no_proxy", "other.invalid")
    with Client("http://service.invalid") as client:
        assert client.job("x") == {"state": "done"}
    with Client("http://other.invalid") as client, pytest.raises(ServiceUnavailable):
        client.job("x")


def test_no_proxy_stands_before_the_own_machine(
    stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "body", b'{"state": "done"}')
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with Client(stranger) as client:
        assert client.job("x") == {"state": "done"}


def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://proxy")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ServiceUnavailable, match="HTTP_PROXY"):
        Client("http://service.invalid")


def test_a_service_that_stays_away_ends_the_following(
    stranger: str, answers: list[tuple[int, bytes]]
) -> None:
    answers += [AWAY] * 6 + [DONE]
    with Client(stranger) as client, pytest.raises(ServiceUnavailable, match="database"):
        list(client.follow("x"))
    assert answers == [DONE]


@pytest.mark.parametrize(
    ("advice", "slept"),
    [
        (None, 1),
        ("7", 7),
        (formatdate(1_000_020, usegmt=True), 20),
        ("Monday, 12-Jan-70 13:47:20 GMT", 40),
        ("Mon Jan 12 13:47:20 1970", 40),
        (formatdate(999_000, usegmt=True), 1),
        ("9" * 400, 60),
        (formatdate(2_000_000, usegmt=True), 60),
        ("soon", 1),
        ("-5", 1),
        ("nan", 1),
        ("Mon, 99 Foo 99999 99:99:99 GMT", 1),
    ],
)
def test_the_advice_when_to_look_again_is_followed(
    stranger: str,
    answers: list[tuple[int, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    advice: str | None,
    slept: float,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(Answer, "advice", advice)
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    monkeypatch.setattr(time, "sleep", pauses.append)
    answers += [(200, b'{"state": "running"}'), DONE]
    with Client(stranger) as client:
        assert len(list(client.follow("x"))) == 2
    assert pauses == [slept]


@pytest.mark.parametrize(("profile", "told"), [("page", False), ("exam", True)])
def test_a_service_that_knows_no_profiles_is_not_told_of_free_text(
    stranger: str, monkeypatch: pytest.MonkeyPatch, profile: str, told: bool
) -> None:
    bodies = []

    def answer(self: Answer) -> None:
        bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    monkeypatch.setattr(Answer, "do_POST", answer, raising=False)
    monkeypatch.setattr(Answer, "body", b'{"id": "1"}')
    with Client(stranger) as client:
        client.submit(["s3://bucket/a.pdf"], profile=profile)
    (body,) = bodies
    assert (b'name="profile"' in body) is told
    assert b'name="lane"' in body


class Wire:
    """Stands in for the network: what becomes of each submission, an error or a status."""

    def __init__(self) -> None:
        self.fates: list[Exception | int | httpx.Response] = []
        self.pauses: list[float] = []
        self.keys: list[str] = []
        self.bodies: list[bytes] = []

    def carry(self, request: httpx.Request) -> httpx.Response:
        """An error strikes in the middle of the file."""
        fate = self.fates.pop(0)
        self.keys.append(request.headers["Idempotency-Key"])
        assert isinstance(request.stream, httpx.SyncByteStream)
        pieces = iter(request.stream)
        if isinstance(fate, Exception):
            while b"first" not in next(pieces):
                pass
            raise fate
        self.bodies.append(b"".join(pieces))
        return httpx.Response(fate, json={"id": "1"}) if isinstance(fate, int) else fate


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, asked: wire.carry(asked))
    monkeypatch.setattr(time, "sleep", wire.pauses.append)
    return wire


def outage(code: str, retry_after: str | None = "5") -> httpx.Response:
    """A 429 or 503 as the API answers it, or nearly so."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    error = {"code": code, "message": "Try again later."}
    status = 429 if code == "TooManyWaiting" else 503
    return httpx.Response(status, headers=headers, json={"error": error})


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A file that is sent in several pieces."""
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"first" + bytes(300_000) + b"last")
    return path


LOST: list[Exception | int] = [
    httpx.ReadTimeout("timed out"),
    httpx.ReadError("Connection reset by peer"),
    httpx.RemoteProtocolError("peer closed connection"),
    502,
    503,
    504,
]


@pytest.mark.parametrize("fate", LOST)
def test_a_submission_whose_answer_is_lost_is_sent_once_more(
    wire: Wire, scan: Path, fate: Exception | int
) -> None:
    wire.fates += [fate, 202]
    with Client("http://service") as client:
        assert client.submit([scan])["id"] == "1"
    assert len(wire.keys) == 2
    assert len(set(wire.keys)) == 1
    assert wire.pauses == [1]
    assert b"first" in wire.bodies[-1]
    assert b"last" in wire.bodies[-1]


@pytest.mark.parametrize("fate", [*LOST, httpx.ConnectError("Connection refused"), 429])
def test_a_submission_that_is_lost_again_says_how_to_go_on(
    wire: Wire, scan: Path, fate: Exception | int
) -> None:
    wire.fates += [LOST[0], fate]
    with Client("http://service") as client, pytest.raises(AnswerLost) as told:
        client.submit([scan], idempotency_key="monday 17")
    assert wire.keys == ["monday 17"] * 2
    assert "may exist" in str(told.value)
    assert "--idempotency-key 'monday 17'" in str(told.value)


@pytest.mark.parametrize("fate", [httpx.ConnectError("Connection refused"), 429, 500])
def test_a_submission_that_made_no_job_is_sent_once(
    wire: Wire, scan: Path, fate: Exception | int
) -> None:
    wire.fates.append(fate)
    with Client("http://service") as client, pytest.raises(ServiceError) as told:
        client.submit([scan])
    assert "may exist" not in str(told.value)


@pytest.mark.parametrize("code", ["ServiceUnavailable", "StorageUnavailable", "TooManyWaiting"])
def test_a_service_that_says_it_made_no_job_is_believed(wire: Wire, scan: Path, code: str) -> None:
    wire.fates += [outage(code) for _ in range(3)]
    with Client("http://service") as client, pytest.raises(ServiceUnavailable) as told:
        client.submit([scan])
    assert str(told.value) == "Try again later."
    assert (len(set(wire.keys)), wire.pauses) == (1, [5, 5])


@pytest.mark.parametrize("code", ["StorageUnavailable", "TooManyWaiting"])
def test_a_submission_is_sent_later_where_the_service_asks_for_it(
    wire: Wire, scan: Path, code: str
) -> None:
    wire.fates += [outage(code, "7"), 202]
    with Client("http://service") as client:
        assert client.submit([scan])["id"] == "1"
    assert (len(wire.keys), wire.pauses) == (2, [7])


@pytest.mark.parametrize(
    ("code", "advice", "slept"),
    [
        ("DatabaseUnavailable", "5", 5),
        ("DatabaseUnavailable", "9999", 60),
        ("StorageUnavailable", None, 1),
        ("Unknown", "5", 5),
    ],
)
def test_an_outage_in_doubt_is_waited_for_as_it_asks(
    wire: Wire, scan: Path, code: str, advice: str | None, slept: float
) -> None:
    wire.fates += [outage(code, advice), 202]
    with Client("http://service") as client:
        assert client.submit([scan])["id"] == "1"
    assert len(set(wire.keys)) == 1
    assert (len(wire.keys), wire.pauses) == (2, [slept])


def test_a_refusal_after_a_lost_answer_leaves_the_doubt(wire: Wire, scan: Path) -> None:
    wire.fates += [502, outage("StorageUnavailable")]
    with Client("http://service") as client, pytest.raises(AnswerLost, match="may exist"):
        client.submit([scan])


def test_submissions_have_keys_of_their_own(wire: Wire, scan: Path) -> None:
    wire.fates += [202, 202]
    with Client("http://service") as client:
        client.submit([scan])
        client.submit([scan])
    assert len(set(wire.keys)) == 2


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines", " spaced "])
def test_an_idempotency_key_that_no_header_can_carry(wire: Wire, scan: Path, key: str) -> None:
    with Client("http://service") as client, pytest.raises(BadRequest, match="idempotency key"):
        client.submit([scan], idempotency_key=key)
    assert wire.keys == []


def test_references_are_told_from_files() -> None:
    assert is_reference("s3://bucket/scan.pdf")
    assert not is_reference(Path("s3") / "scan.pdf")


def test_the_service_is_found_where_it_says(tmp_path: Path) -> None:
    assert find_url(None, tmp_path) == DEFAULT_URL
    write_address(tmp_path, "http://127.0.0.1:1234")
    assert find_url(None, tmp_path) == "http://127.0.0.1:1234"
    assert find_url("http://other", tmp_path) == "http://other"


@pytest.mark.parametrize("content", ["", "{}", "[]", "no json"])
def test_a_damaged_address_file_is_passed_over(tmp_path: Path, content: str) -> None:
    address_file(tmp_path).write_text(content)
    assert find_url(None, tmp_path) == DEFAULT_URL


def test_a_certificate_of_an_authority_of_ones_own_is_told_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(*_: object, **__: object) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer")

    monkeypatch.setattr(httpx.Client, "request", ask)
    refused = pytest.raises(ServiceUnavailable, match=r"not trusted.*SSL_CERT_FILE")
    with Client("https://service") as client, refused:
        client.job("1")


def test_certificates_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(ServiceUnavailable, match="Correct SSL_CERT_FILE"):
        Client("https://service")
