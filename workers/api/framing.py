"""Requests whose end a proxy may see elsewhere than we do: so is one smuggled behind another."""

import logging

from starlette.types import ASGIApp, Receive, Scope, Send

from workers.api.errors import error_response

log = logging.getLogger(__name__)


class Framing:
    """The application, without requests that say their length twice (RFC 9112, section 6.1)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and where it is such a one end its connection."""
        if not _is_ambiguous(scope):
            await self._app(scope, receive, send)
            return
        log.warning("a request was refused whose length is not sure: check the proxy it came by")
        refusal = error_response(
            400,
            "BadRequest",
            "The request has a Transfer-Encoding beside a Content-Length, or in HTTP/1.0. Send it"
            " with one of them.",
        )
        refusal.headers["Connection"] = "close"
        await refusal(scope, receive, send)


def _is_ambiguous(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    names = {name for name, _ in scope["headers"]}
    in_chunks = b"transfer-encoding" in names
    return in_chunks and (b"content-length" in names or scope["http_version"] == "1.0")
