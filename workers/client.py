"""A client of the HTTP interface.

```python
with Client("http://127.0.0.1:8080") as client:
    job = client.submit(["scan.pdf", "s3://bucket/other.pdf"])
    for job in client.follow(job["id"]):
        ...
    for document in client.documents(job["id"]):
        ...
```
"""

import shlex
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

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
from workers.uploads import form_parts

#: An answer of the service.
Json = dict[str, Any]

#: Seconds the service may take to answer, and an upload to make progress.
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)

#: The same where a thousand documents are taken in or deleted, perhaps behind a proxy that passes
#: nothing on before it has all.
_LONG_TIMEOUT = httpx.Timeout(60.0, connect=10.0, read=600.0)

#: Tries more to connect, for a service that is just being restarted.
_CONNECT_RETRIES = 2

#: Times that a request is sent again which the service asks to send later.
_RETRIES = 2

#: Documents whose results are fetched at a time.
_DOCUMENTS_AT_ONCE = 50

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

#: What OpenSSL calls a certificate that nobody vouches for whom we trust.
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"

#: Hosts that no proxy stands before, whatever the environment says.
_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})

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
        transport = _transport(self.url)
        self._http = httpx.Client(headers=headers, timeout=_TIMEOUT, transport=transport)

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
        default it is a fresh one. Where the answer is lost it is sent once more, after a pause;
        where the service asks to send it later, it is sent twice more, when that is asked for.

        Raises AnswerLost when that answer is lost too: the job may exist.
        """
        key = uuid.uuid4().hex if idempotency_key is None else _sendable(idempotency_key)
        send = partial(self._send, key, files, lane, profile)
        advice = ""
        with suppress(AnswerLost):
            answer = _patiently(send, lambda answer: _asks_to_wait(answer, definite=True))
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
        parts = form_parts(files, lane, profile)
        headers = {"Idempotency-Key": key}
        return self._ask("POST", "/v1/jobs", files=parts, headers=headers, timeout=_LONG_TIMEOUT)

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
                return _accepted(self._ask("GET", _address(job_id)))
            time.sleep(_POLL_S * 2**failed)
        return _accepted(self._ask("GET", _address(job_id)))

    def results(self, job_id: str) -> Json:
        """The results as far as they are known, all at once."""
        return self._json("GET", f"{_address(job_id)}/results")

    def documents(self, job_id: str) -> Iterator[Json]:
        """The result of each document as far as it is known, a few of them in memory at a time."""
        address: str | None = f"{_address(job_id)}/results?limit={_DOCUMENTS_AT_ONCE}"
        while address:
            answer = self._json("GET", address)
            yield from answer["documents"]
            address = answer.get("next")  # services of 0.1.0 send all at once

    def cancel(self, job_id: str) -> Json:
        """Call a job off."""
        return self._json("POST", f"{_address(job_id)}/cancel")

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its documents and results."""
        self._request("DELETE", _address(job_id), timeout=_LONG_TIMEOUT)

    def _json(self, method: str, path: str, **request: Any) -> Json:
        return _content(self._request(method, path, **request))

    def _request(self, method: str, path: str, **request: Any) -> httpx.Response:
        return _accepted(_patiently(partial(self._ask, method, path, **request), _asks_to_wait))

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._http.request(method, self.url + path, **request)
        except _LOST as error:
            raise AnswerLost(
                f"{self.url} was asked and did not answer ({error}). Try again soon."
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ServiceUnavailable(_unreached(self.url, error)) from error


def _transport(url: str) -> httpx.HTTPTransport:
    try:
        return httpx.HTTPTransport(retries=_CONNECT_RETRIES, proxy=_proxy(url))
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ServiceUnavailable(
            f"The proxy that the environment names cannot be used ({error}). Correct HTTP_PROXY or "
            "HTTPS_PROXY, or name the service's host in NO_PROXY."
        ) from error
    except OSError as error:
        raise ServiceUnavailable(
            f"The certificates that the environment names cannot be read ({error}). Correct "
            "SSL_CERT_FILE or SSL_CERT_DIR."
        ) from error


def _unreached(url: str, error: Exception) -> str:
    if _UNTRUSTED in str(error):
        return (
            f"The certificate of {url} is not trusted ({error}). If its authority is one of your "
            "own, name the file with that one's certificate in SSL_CERT_FILE."
        )
    return f'Nothing answers at {url} ({error}). Start it with "hwr up" or name another with --url.'


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for the service (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL at all, which the first request says
        return None
    if parts.hostname in _OWN_MACHINE or proxy_bypass(parts.netloc):
        return None
    named = getproxies().get(parts.scheme)
    return named if named is None or "://" in named else f"http://{named}"


def _patiently(
    ask: Callable[[], httpx.Response], asks_to_wait: Callable[[httpx.Response], bool]
) -> httpx.Response:
    """The answer, asked for again as often as the service wants that, within bounds."""
    answer = ask()
    for _ in range(_RETRIES):
        if not asks_to_wait(answer):
            break
        time.sleep(_pause(answer.headers["retry-after"]))
        answer = ask()
    return answer


def _asks_to_wait(answer: httpx.Response, *, definite: bool = False) -> bool:
    """Whether it is a refusal that says when to try again; a definite one did nothing so far."""
    refused = answer.status_code in _OUTAGES and "retry-after" in answer.headers
    return refused and not (definite and _in_doubt(answer))


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
