"""How long the requests to this process took, by route, method and status class."""

import time

from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Seconds; uploads and long results are the slow ones.
_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

#: What else a client puts there is "other": labels are kept for ever.
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})

# Else each series comes with another that says since when, which Prometheus has no use for.
disable_created_metrics()  # type: ignore[no-untyped-call]


class RequestTimes:
    """The histogram of one application."""

    def __init__(self) -> None:
        #: Of this application alone: a process may have several.
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "hwr_http_request_duration_seconds",
            "Seconds from a request's head to the end of its answer.",
            ("route", "method", "status"),
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def add(self, scope: Scope, status: int, seconds: float) -> None:
        """Note a request that was answered."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        labels = (_template(scope), method, f"{status // 100}xx")
        self._seconds.labels(*labels).observe(seconds)


class Timing:
    """The application, with its requests timed."""

    def __init__(self, app: ASGIApp, times: RequestTimes) -> None:
        self._app = app
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, ended = time.monotonic(), 0, False

        async def timing(message: Message) -> None:
            nonlocal status, ended
            status = message.get("status", status)
            await send(message)
            # What is done after the answer holds up no client.
            if message["type"] == "http.response.body" and not message.get("more_body"):
                ended = True
                self._times.add(scope, status, time.monotonic() - begun)

        try:
            await self._app(scope, receive, timing)
        except Exception:  # answered by who called us, or broken off in the middle
            if not ended:
                self._times.add(scope, 500, time.monotonic() - begun)
            raise


def _template(scope: Scope) -> str:
    """The route as it is written, without ids; nobody's addresses are all one."""
    return getattr(scope.get("route"), "path", "none")
