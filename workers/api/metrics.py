"""GET /metrics: what wakes an operator, as Prometheus reads it.

It tells of the whole service and of no tenant, job or document, and only to whoever has the token
that is for nothing else: where the settings name none, there is no such address.
"""

import asyncio
import hmac
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hwr import __version__
from hwr.errors import KeyRefused
from workers.api.services import BEARER, ServicesOf
from workers.api.work_left import NONE_LEFT, Queues, WorkLeft
from workers.counts import Event
from workers.database import Lane, State

router = APIRouter()

#: States of what is not finished.
_LEFT = (State.QUEUED, State.RUNNING)

#: The counter of each event: what it says, and its labels.
_COUNTERS = {
    Event.PAGES_READ: (
        "Pages read, by hash of the model; empty: there was no line on them.",
        ("model",),
    ),
    Event.PAGES_FAILED: ("Pages given up, by name of the error.", ("error",)),
    Event.DOCUMENTS_FINISHED: (
        "Documents finished, by state and, where they failed, name of the error.",
        ("state", "error"),
    ),
    Event.SENT_AGAIN: ("Documents and pages sent again: a try failed, or a worker died.", ()),
}


@router.get("/metrics", include_in_schema=False)
async def metrics(
    services: ServicesOf,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
) -> Response:
    """The figures of the service, and of the requests to this process."""
    token = services.settings.metrics_token.get_secret_value()
    if not hmac.compare_digest((given.credentials if given else "").encode(), token.encode()):
        raise KeyRefused
    left, queues = await asyncio.gather(services.work_left.get(), services.queues.get())
    scrape = _Scrape(left=left, queues=queues, requests=services.times.registry)
    return Response(generate_latest(scrape), media_type=CONTENT_TYPE_PLAIN_0_0_4)


@dataclass(frozen=True, kw_only=True)
class _Scrape(Collector):
    """What is told at once. Of a server that is away it says only that."""

    left: WorkLeft | None
    queues: Queues | None
    requests: Collector

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        yield _gauge("build_info", "Version of this API.", ("version",), [((__version__,), 1)])
        yield _up("database", self.left)
        yield _up("redis", self.queues)
        if self.left is not None:
            yield from _documents(self.left)
            yield _pages(self.left)
        if self.queues is not None:
            yield _waiting(self.queues)
            yield from _counters(self.queues)
        yield from self.requests.collect()


def _up(server: str, answer: object) -> Metric:
    about = "1: it answered in time; 0: what it knows is missing here."
    return _gauge(f"{server}_up", about, (), [((), answer is not None)])


def _documents(left: WorkLeft) -> Iterator[Metric]:
    kinds = [(lane, state) for lane in Lane for state in _LEFT]
    found = {kind: left.documents.get(kind, NONE_LEFT) for kind in kinds}
    now, labels = time.time(), ("lane", "state")
    counts = [(kind, documents.count) for kind, documents in found.items()]
    yield _gauge("documents_unfinished", "Documents without a result.", labels, counts)
    ages = [(kind, max(0.0, now - (documents.oldest or now))) for kind, documents in found.items()]
    about = "Seconds since the oldest of them came in; 0: there is none."
    yield _gauge("documents_oldest_age_seconds", about, labels, ages)


def _pages(left: WorkLeft) -> Metric:
    counts = [((state,), left.pages.get(state, 0)) for state in _LEFT]
    return _gauge(
        "pages_unfinished", "Pages that were split, and not read yet.", ("state",), counts
    )


def _waiting(queues: Queues) -> Metric:
    lengths = [((queue,), length) for queue, length in queues.waiting.items()]
    return _gauge("queue_messages", "Messages that no worker has taken.", ("queue",), lengths)


def _counters(queues: Queues) -> Iterator[Metric]:
    for event, (about, labels) in _COUNTERS.items():
        family = CounterMetricFamily(f"hwr_{event}", about, labels=labels)
        for values, count in queues.counts[event].items():
            family.add_metric(values, count)
        yield family


def _gauge(
    name: str,
    about: str,
    labels: Iterable[str],
    samples: Iterable[tuple[tuple[str, ...], float]],
) -> Metric:
    family = GaugeMetricFamily(f"hwr_{name}", about, labels=tuple(labels))
    for values, value in samples:
        family.add_metric(values, value)
    return family
