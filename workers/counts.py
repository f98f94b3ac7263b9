"""What has happened so far, counted in Redis for GET /metrics of every API.

Counting is no part of the work: a Redis that is away costs a count, never a page. One that loses
its memory begins again at 0, as counters of Prometheus may.
"""

import logging
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from workers.settings import Settings

log = logging.getLogger(__name__)

#: The hash that has all counts; a field is an event and its labels.
KEY = "hwr:counts"

#: Seconds that a count may hold up the work it counts.
_REDIS_S = 1.0

#: Stands in no label: these are states, hashes and names of errors.
_BETWEEN = " "


class Event(StrEnum):
    """What is counted, by which labels."""

    PAGES_READ = "pages_read"  # hash of the model; empty: a page without a line
    PAGES_FAILED = "pages_failed"  # name of the error
    DOCUMENTS_FINISHED = "documents_finished"  # state, name of the error or empty
    SENT_AGAIN = "work_sent_again"  # no label: documents and pages together


class Counting(Protocol):
    """Where the stages count."""

    def add(self, event: Event, *labels: str, by: int = 1) -> None:
        """Count so many more."""


class Counts:
    """The counts in a Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, event: Event, *labels: str, by: int = 1) -> None:
        """Count so many more, unless Redis is away."""
        try:
            self._redis.hincrby(KEY, _BETWEEN.join((event, *labels)), by)
        except RedisError as error:
            log.warning("%s %s is not counted: %s", event, labels, error)


def open_counts(settings: Settings) -> Counts:
    """Counts of this process's own."""
    return Counts(
        Redis.from_url(
            settings.redis_url,
            socket_timeout=_REDIS_S,
            socket_connect_timeout=_REDIS_S,
            # Asked again after a timeout, it would count twice.
            retry=Retry(NoBackoff(), 0),
        )
    )


def parse(fields: dict[bytes, bytes]) -> dict[Event, dict[tuple[str, ...], int]]:
    """The counts of each event by their labels, from the fields of the hash."""
    counts: dict[Event, dict[tuple[str, ...], int]] = {event: {} for event in Event}
    for field, count in fields.items():
        event, *labels = field.decode().split(_BETWEEN)
        with suppress(ValueError):  # an event of a newer hwr
            counts[Event(event)][tuple(labels)] = int(count)
    return counts
