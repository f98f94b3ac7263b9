"""Every error that leaves the API is JSON: {"error": {"code", "message"}}, with a remedy."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from hwr import errors
from hwr.errors import HwrError
from workers.api.browser_headers import BROWSER_HEADERS
from workers.api.schema import Refusal
from workers.database import OUTAGES

log = logging.getLogger(__name__)

#: Statuses of the errors that are the client's or the operator's to mend; others are ours: 500.
_STATUS: dict[type[HwrError], int] = {
    errors.BadRequest: 400,
    errors.NoDocuments: 400,
    errors.ReferenceUnreadable: 400,
    errors.KeyRefused: 401,
    errors.ReferenceRefused: 403,
    errors.JobNotFound: 404,
    errors.DocumentNotFound: 404,
    errors.IdempotencyConflict: 409,
    errors.JobUnfinished: 409,
    errors.JobDeleted: 409,
    errors.DocumentTooLarge: 413,
    errors.TooManyDocuments: 413,
    errors.UnsupportedMediaType: 415,
    errors.ProfileError: 422,
    errors.UnknownProfile: 422,
    errors.TooManyWaiting: 429,
    errors.DatabaseUnavailable: 503,
    errors.ServiceUnavailable: 503,
    errors.StorageUnavailable: 503,
}

#: Seconds after which a client may try again what an outage refused.
_RETRY_AFTER_S = "5"

#: What clients are told of a failure by its status: where the servers are, and how they are mended,
#: is for the log and concerns no tenant.
_NEUTRAL = {
    500: "The service failed; its log says why. Try again, and if it stays, report it.",
    503: "The service cannot do this now; its log says why. Try again later.",
}

#: Characters of an address that are told again: far longer than ours.
_MAX_PATH = 200

#: What headers say, for /docs.
_HEADER_TEXTS = {"WWW-Authenticate": "Bearer", "Retry-After": "Seconds until trying again"}

_HEADERS: dict[int | str, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": _RETRY_AFTER_S},
    503: {"Retry-After": _RETRY_AFTER_S},
}


def install(app: FastAPI) -> None:
    """Have the application answer every error in this form."""
    app.add_exception_handler(HwrError, _named)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for outage in OUTAGES:
        app.add_exception_handler(outage, _database)
    app.add_exception_handler(exc.DataError, _unfit)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


def refusals(*refused: type[HwrError]) -> dict[int | str, dict[str, Any]]:
    """The answers of an address that refuses with these, and with any other error, for /docs."""
    codes: dict[int | str, list[str]] = {}
    for error in refused:
        codes.setdefault(_STATUS[error], []).append(error.__name__)
    named = {status: ", ".join(names) for status, names in codes.items()}
    return {
        status: {"model": Refusal, "description": text}
        | headers({name: _HEADER_TEXTS[name] for name in _HEADERS.get(status, {})})
        for status, text in (named | {"default": "Any other error"}).items()
    }


def headers(texts: Mapping[str, str]) -> dict[str, Any]:
    """The headers of an answer by name, with what each says, for /docs."""
    described = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in texts.items()
    }
    return {"headers": described} if described else {}


def error_response(status: int, code: str, message: str) -> JSONResponse:
    """An error as JSON with the headers its status asks for."""
    body = {"error": {"code": code, "message": message}}
    return JSONResponse(body, status, headers=_HEADERS.get(status))


def _refused(request: Request, status: int, code: str, message: str) -> JSONResponse:
    """The same, with its code for the line of the log (workers.api.audit)."""
    request.state.error = code
    return error_response(status, code, message)


def _place(request: Request) -> str:
    """Where a request went, for the log: its address is whatever a client put there."""
    return f"{request.method} {quote(request.url.path[:_MAX_PATH])}"


def _named(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HwrError)  # noqa: S101 (this is what the handler is installed for)
    status = _STATUS.get(type(error), 500)
    if status not in _NEUTRAL:
        return _refused(request, status, error.code, str(error))
    log.error("%s: %s", _place(request), error)
    return _refused(request, status, error.code, _NEUTRAL[status])


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    path = request.url.path[:_MAX_PATH]
    message = f"{error.detail}: {request.method} {path}. See /docs for the addresses."
    code = HTTPStatus(error.status_code).phrase.replace(" ", "")
    response = _refused(request, error.status_code, code, message)
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return response


def _methods(request: Request) -> set[str]:
    """Those of all routes of the address: each route by itself names only its own."""
    return {
        method
        for route in iter_route_contexts(request.app.routes)
        if route.original_route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return _refused(request, 400, "BadRequest", f"{where}: {first['msg']}. See /docs.")


def _database(request: Request, error: Exception) -> JSONResponse:
    log.error("%s: %s", _place(request), error)
    # A code of its own: a commit may have been carried out, while other outages made no job.
    return _refused(
        request, 503, "DatabaseUnavailable", "The database does not answer. Try again soon."
    )


def _unfit(request: Request, error: Exception) -> JSONResponse:
    # PostgreSQL takes no zero character, wherever in a request a client puts one.
    log.info("%s: %s", _place(request), error)
    return _refused(
        request,
        400,
        "BadRequest",
        "The request has characters that cannot be kept. Leave zero characters out.",
    )


def _gone(request: Request, _: Exception) -> JSONResponse:
    log.info("%s: the client went away", _place(request))
    return _refused(request, 400, "BadRequest", "The upload was cut off. Send it again.")


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("%s", _place(request), exc_info=error)
    response = error_response(500, "InternalError", _NEUTRAL[500])
    response.headers.update(BROWSER_HEADERS)  # it is sent from around all that would add them
    return response
