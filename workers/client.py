"""A client of the HTTP interface.

```python
with Client("http://127.0.0.1:8080") as client:
    job = client.submit(["scan.pdf", "s3://bucket/other.pdf"])
    for job in client.follow(job["id"]):
        ...
    results = client.results(job["id"])
```
"""

import shlex
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

import httpx

from hwr import errors
from hwr.errors import (
    AnswerLost,
    BadRequest,
    HwrError,
    JobNotFound,
    KeyRefused,
    ServiceError,
    ServiceUnavailable,
)
from hwr.free_text import FREE_TEXT
from hwr.states import FINAL_STATES
from workers.file_names import clean_name

#: An answer of the service.
Json = dict[str, Any]

#: Seconds the service may take to answer, and an upload to make progress.
_TIMEOUT_S = 60.0

#: Tries more to connect, for a service that is just being restarted.
_CONNECT_RETRIES = 2

#: Looks at a job that may fail in a row, each after a pause twice as long: a restart's time.
_FAILED_LOOKS = 5

#: Seconds between two looks at a job when the service gives no advice; the least there are.
_POLL_S = 1.0

#: Most seconds between two looks: advice in the form of a date is wrong where a clock is.
_MAX_PAUSE_S = 60.0

#: Statuses of an outage. They may come from a proxy, whose answer is a page for people.
_OUTAGES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

#: Those after which the request may have been carried out all the same.
_IN_DOUBT = _OUTAGES - {HTTPStatus.TOO_MANY_REQUESTS}

#: Codes of a 503 by which the API says that it made no job.
_DEFINITE = frozenset({"ServiceUnavailable", "StorageUnavailable"})

#: The same as in doubt where no answer came at all.
_LOST = (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError)


class Client:
    """Talks to one service.

    Every method raises ServiceUnavailable when nothing answers or a proxy says so, and the error
    that the service names (see hwr.errors) when it refuses.
    """

    def __init__(self, url: str, *, key: str | None = None) -> None:
        """The service at `url`; `key` is the tenant's bearer key, if the service asks for one."""
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {_checked(key)}"} if key else {}
        transport = httpx.HTTPTransport(retries=_CONNECT_RETRIES)
        self._http = httpx.Client(headers=headers, timeout=_TIMEOUT_S, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def submit(
        self,
        files: Sequence[str | Path],
        *,
        lane: str = "normal",
        profile: str = FREE_TEXT,
        idempotency_key: str | None = None,
    ) -> Json:
        """Submit files and s3:// references as one job; the job as it stands then.

        `profile` says what kind of documents these are, by a name that the service knows.
        `idempotency_key` names the submission, which makes one job however often it is sent; by
        default it is a fresh one. Where the answer is lost it is sent once more, after a pause.

        Raises AnswerLost when that answer is lost too: the job may exist.
        """
        key = uuid.uuid4().hex if idempotency_key is None else _sendable(idempotency_key)
        send = partial(self._send, key, files, lane, profile)
        advice = ""
        with suppress(AnswerLost):
            answer = send()
            if not _in_doubt(answer):
                return _content(_accepted(answer))
            advice = answer.headers.get("retry-after", "")
        time.sleep(_pause(advice))
        try:
            return _content(_accepted(send()))
        except ServiceUnavailable as error:
            raise AnswerLost(
                f"{error} The job may exist all the same: see hwr status --idempotency-key "
                f"{shlex.quote(key)}. To submit it again with that option makes no second one."
            ) from error

    def _send(
        self, key: str, files: Sequence[str | Path], lane: str, profile: str
    ) -> httpx.Response:
        # Parts of its own for each try: the last one may have ended in the middle of a file.
        parts = _parts(files, lane, profile)
        return self._ask("POST", "/v1/jobs", files=parts, headers={"Idempotency-Key": key})

    def job(self, job_id: str) -> Json:
        """Where a job stands."""
        return self._json("GET", _address(job_id))

    def find(self, idempotency_key: str) -> Json:
        """Where the job stands that was submitted under the key.

        Raises JobNotFound when there is none yet.
        """
        asked = {"idempotency_key": idempotency_key}
        for job in self._json("GET", "/v1/jobs", params=asked)["jobs"]:
            return self.job(job["id"])
        raise JobNotFound(
            f"No job has the idempotency key {idempotency_key!r}, unless it is just coming in. "
            "Check it and --key, or submit again with it."
        )

    def jobs(self, state: str | None = None) -> Iterator[Json]:
        """Every job, newest first, or those in one state: `id`, `state`, `created` and more."""
        address: str | None = f"/v1/jobs?state={state}" if state else "/v1/jobs"
        while address:
            answer = self._json("GET", address)
            yield from answer["jobs"]
            address = answer["next"]

    def follow(self, job_id: str) -> Iterator[Json]:
        """The job again and again, as often as the service likes to be asked, until it ends.

        A service that does not answer for half a minute, as while it is restarted, is waited for.
        """
        while True:
            answer = self._look(job_id)
            job = _content(answer)
            yield job
            if job["state"] in FINAL_STATES:
                return
            time.sleep(_pause(answer.headers.get("retry-after", "")))

    def _look(self, job_id: str) -> httpx.Response:
        for failed in range(_FAILED_LOOKS):
            with suppress(ServiceUnavailable):
                return self._request("GET", _address(job_id))
            time.sleep(_POLL_S * 2**failed)
        return self._request("GET", _address(job_id))

    def results(self, job_id: str) -> Json:
        """The results as far as they are known."""
        return self._json("GET", f"{_address(job_id)}/results")

    def cancel(self, job_id: str) -> Json:
        """Call a job off."""
        return self._json("POST", f"{_address(job_id)}/cancel")

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its documents and results."""
        self._request("DELETE", _address(job_id))

    def _json(self, method: str, path: str, **request: Any) -> Json:
        return _content(self._request(method, path, **request))

    def _request(self, method: str, path: str, **request: Any) -> httpx.Response:
        return _accepted(self._ask(method, path, **request))

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._http.request(method, self.url + path, **request)
        except _LOST as error:
            raise AnswerLost(
                f"{self.url} was asked and did not answer ({error}). Try again soon."
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ServiceUnavailable(
                f"Nothing answers at {self.url} ({error}). "
                'Start it with "hwr up" or name another with --url.'
            ) from error


def _checked(key: str) -> str:
    if not (key.isascii() and key.isprintable()):
        raise KeyRefused("The key has characters that no header can carry. Check HWR_KEY or --key.")
    return key


def _sendable(idempotency_key: str) -> str:
    key = idempotency_key
    if not (key.isascii() and key.isprintable() and key == key.strip()):
        raise BadRequest(
            f"No header can carry the idempotency key {key!r}. Use letters, digits and hyphens."
        )
    return key


def is_reference(file: str | Path) -> bool:
    """Whether this is no file of ours, but an address that the service fetches."""
    return str(file).startswith("s3://")


def _address(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _content(answer: httpx.Response) -> Json:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if isinstance(content, dict):
        return content
    raise ServiceError(
        f"{answer.url} answered {answer.status_code}, which is no answer of hwr. Check --url."
    )


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise _refusal(answer)
    return answer


def _refusal(answer: httpx.Response) -> HwrError:
    if answer.status_code in _OUTAGES:
        return ServiceUnavailable(_outage(answer))
    error = _content(answer).get("error")
    if not isinstance(error, dict):
        return ServiceError(f"{answer.url} answered {answer.status_code}. Check --url.")
    message = str(error.get("message"))
    named = getattr(errors, str(error.get("code")), None)
    if isinstance(named, type) and issubclass(named, HwrError):
        return named(message)
    return ServiceError(message)


def _in_doubt(answer: httpx.Response) -> bool:
    """Whether the request may have been carried out, whatever the answer says."""
    if "retry-after" in answer.headers and str(_error(answer).get("code")) in _DEFINITE:
        return False
    return answer.status_code in _IN_DOUBT


def _error(answer: httpx.Response) -> Json:
    """What the service says of a failure; empty where it is none of its answers."""
    with suppress(ServiceError):
        error = _content(answer).get("error")
        if isinstance(error, dict):
            return error
    return {}


def _outage(answer: httpx.Response) -> str:
    if error := _error(answer):
        return str(error.get("message"))
    return f"{answer.url} answered {answer.status_code} {answer.reason_phrase}. Try again soon."


def _pause(advice: str) -> float:
    """Seconds that a Retry-After asks for, in either of its forms (RFC 9110, section 10.2.3)."""
    try:
        seconds = float(advice) if advice.isdecimal() else _seconds_until(advice)
    except ValueError:
        return _POLL_S
    return min(max(seconds, _POLL_S), _MAX_PAUSE_S)


def _seconds_until(date: str) -> float:
    # Dates of HTTP are UTC, also in the old form that does not say so.
    return parsedate_to_datetime(date).replace(tzinfo=UTC).timestamp() - time.time()


def _parts(files: Sequence[str | Path], lane: str, profile: str) -> list[tuple[str, Any]]:
    parts: list[tuple[str, Any]] = [("lane", (None, lane))]
    if profile != FREE_TEXT:  # services of 0.1.0 know no profiles
        parts.append(("profile", (None, profile)))
    return parts + list(map(_part, files))


def _part(file: str | Path) -> tuple[str, Any]:
    if is_reference(file):
        return "references", (None, file)
    path = Path(file)
    _check_file(path)
    return "files", (clean_name(path.name), _LateFile(path))


def _check_file(path: Path) -> None:
    try:
        if not path.is_file():
            raise BadRequest(f"{path} is no file. Check its name.")
        path.open("rb").close()
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read ({error.strerror}). Check its name and permissions."
        ) from error


class _LateFile:
    """A file that is open only while it is sent: a thousand of them are too many at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def read(self, size: int = -1) -> bytes:
        """The next bytes; closes the file at its end."""
        self._file = self._file or self._path.open("rb")
        data = self._file.read(size)
        if not data:
            self._file.close()
            self._file = None
        return data
