"""A line in the log for each submission, cancelling, deletion, fetching of results, refused key.

It names tenant, job, status and error, never what was sent or read.
"""

import logging
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hwr.errors import HwrError
from workers.database import OUTAGES

log = logging.getLogger(__name__)

#: The functions of workers.api.jobs and workers.api.results that are noted whatever comes of them.
_NOTED = frozenset({"submit", "cancel", "delete", "results", "document_result"})

#: What may happen while an answer is sent: its job is deleted, or a server goes away.
_TOLD_IN_A_LINE = (HwrError, *OUTAGES)

#: Status of a request whose key was refused, noted wherever it was sent.
_REFUSED = 401

#: Longest id that is noted whole: far longer than ours.
_MAX_ID = 100


class Audit:
    """The application, with its requests noted as their answers begin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _note(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if begun and isinstance(error.__cause__, _TOLD_IN_A_LINE):
                # Who called us breaks the answer off, for it has no end.
                log.error("%s was cut off: %s", scope["path"], error.__cause__)
                return
            if not begun:
                _note(scope, 500)  # answered by who called us
            raise


def _note(scope: Scope, status: int) -> None:
    action = getattr(scope.get("endpoint"), "__name__", "request")
    if action not in _NOTED and status != _REFUSED:
        return
    known = scope.get("state", {})
    # An id in an address is whatever a client put there: no line of its own, and no end of it.
    job = known.get("job") or quote(scope.get("path_params", {}).get("job_id", "-")[:_MAX_ID])
    why = f" error={known['error']}" if "error" in known else ""
    log.info("%s tenant=%s job=%s status=%d%s", action, known.get("tenant", "-"), job, status, why)
