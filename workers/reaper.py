"""Sends again what the database says is unfinished and nobody is at work on.

One thread in the main process of every worker. It looks for rows whose `due_at` has passed, which
an index of unfinished rows makes cheap, and puts off their date in the same transaction, so that
several reapers do not send the same row. They are sent after it; one that ends between the two
leaves them to their new date. A message too many does no harm: it is claimed once.
"""

import logging
import os
import threading
from collections import Counter

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from workers import leases
from workers.counts import Counts, Event
from workers.database import (
    Database,
    Document,
    Job,
    Lane,
    Page,
    Stage,
    be_patient,
    short_lived_database,
)
from workers.dispatch import Dispatch, QueueDispatch, send_all
from workers.settings import Settings
from workers.stages.context import page_name

log = logging.getLogger(__name__)

#: A key that lives as long as the queues do: where it is missing, Redis has lost its memory.
MARKER = "hwr:queues"

#: Rows that one pass sends at most, of each kind; the next pass follows at once.
BATCH = 500

#: Seconds until Redis counts as away.
REDIS_TIMEOUT_S = 5

# A process forked in the middle of a pass would inherit locks that no thread of it ever opens, and
# connections that belong to its parent. So forks wait for the pass to end, and a pass leaves no
# connection open.
_no_fork = threading.Lock()
os.register_at_fork(
    before=_no_fork.acquire, after_in_parent=_no_fork.release, after_in_child=_no_fork.release
)


class Reaper(threading.Thread):
    """Makes a pass every `reap_every_s` until it is stopped."""

    def __init__(self, app: Celery, settings: Settings) -> None:
        super().__init__(name="reaper", daemon=True)
        self._app = app
        self._settings = settings
        self._stopped = threading.Event()

    def run(self) -> None:
        """Go on until stopped, whatever happens to the servers."""
        while not self._stopped.is_set():
            if not self._pass():
                self._stopped.wait(self._settings.reap_every_s)

    def stop(self) -> None:
        """End after the pass at work."""
        self._stopped.set()

    def _pass(self) -> bool:
        """Send what is due; True: there may be more."""
        try:
            with _no_fork, short_lived_database(self._settings) as database:
                return look_after(database, self._settings, QueueDispatch(self._app))
        except (SQLAlchemyError, RedisError, OperationalError, OSError) as error:
            log.warning("the reaper cannot work now: %s", error)
        except Exception:
            log.exception("the reaper failed and goes on")
        return False


def look_after(database: Database, settings: Settings, dispatch: Dispatch) -> bool:
    """One pass, with a look at whether the queues are still there; True: there may be more.

    Raises:
        RedisError, OperationalError: Redis is away; what was not sent is due again.
    """
    lost = queues_lost(settings)
    if lost:
        recall(database)
    sent = reap(database, settings, dispatch)
    with _redis(settings) as redis:
        Counts(redis).add(Event.SENT_AGAIN, by=sent[True])
    if lost:
        mark_queues(settings)
    return sent.total() >= BATCH


def queues_lost(settings: Settings) -> bool:
    """Whether Redis has forgotten the queues since they were marked.

    Raises:
        RedisError: Redis is away.
    """
    with _redis(settings) as redis:
        return not redis.exists(MARKER)


def mark_queues(settings: Settings) -> None:
    """Leave the mark in Redis that a flush takes away."""
    with _redis(settings) as redis:
        redis.set(MARKER, 1)


def recall(database: Database) -> None:
    """Make all work due that waited in the lost queues."""
    for work in (Document, Page):
        with database.writing() as session:
            be_patient(session.connection())
            count = leases.make_due(session, work)
        log.info("the queues were lost: %d %s are sent again", count, work.__tablename__)


def reap(database: Database, settings: Settings, dispatch: Dispatch) -> Counter[bool]:
    """Send what is due; returns how many that somebody had begun (True), and how many others.

    The others wait in a long queue, or their messages are lost: nobody can tell which.
    """
    return _reap_documents(database, settings, dispatch) + _reap_pages(database, settings, dispatch)


def _reap_documents(database: Database, settings: Settings, dispatch: Dispatch) -> Counter[bool]:
    with database.writing() as session:
        begun = leases.take_due(session, settings, Document, BATCH)
        query = select(Document.id, Document.stage, Job.lane).join(Job)
        due = session.execute(query.where(Document.id.in_(begun))).all()

    def send(document_id: str, stage: Stage, lane: Lane) -> None:
        if begun[document_id]:
            log.info("document %s: sent again for stage %s", document_id, stage)
        if stage == Stage.SPLIT:
            dispatch.split(document_id, lane)
        else:
            dispatch.publish(document_id)

    send_all(database, Document, due, send)
    return Counter(begun[row.id] for row in due)


def _reap_pages(database: Database, settings: Settings, dispatch: Dispatch) -> Counter[bool]:
    with database.writing() as session:
        begun = leases.take_due(session, settings, Page, BATCH)
        query = select(Page.id, Page.number, Page.document_id, Job.lane)
        query = query.join(Document, Page.document_id == Document.id).join(Job)
        due = session.execute(query.where(Page.id.in_(begun))).all()

    def send(page_id: int, number: int, document_id: str, lane: Lane) -> None:
        if begun[page_id]:
            log.info("%s: sent again", page_name(page_id, number, document_id))
        dispatch.read(page_id, lane)

    send_all(database, Page, due, send)
    return Counter(begun[row.id] for row in due)


def _redis(settings: Settings) -> Redis:
    return Redis.from_url(
        settings.redis_url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S
    )
