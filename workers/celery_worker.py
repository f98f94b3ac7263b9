"""A worker as Celery runs it.

A split worker opens hostile files, so each document is opened in a process of a prefork pool, which
can be bounded and killed. A read worker holds one reader for many pages at once, so it is threads.
"""

import argparse
import logging
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Timer
from typing import Any, Protocol

from hwr.errors import HwrError
from workers.role import Role
from workers.settings import Settings, get_settings

#: Address space of a split process in bytes: the largest page takes about a fifth of it.
SPLIT_MEMORY_BYTES = 4 * 2**30

#: CPU seconds that poppler gets at least; never less than a page's deadline, which ends it first.
POPPLER_CPU_S = 60

#: Loggers of Celery that tell of each message that it came and that all went well. That was half of
#: all logs, and it names no document; our stages say the same by name.
_WORDY = ("celery.worker.strategy", "celery.app.trace")

#: Seconds that pages at work get after SIGTERM before their lines are given to another worker.
DRAIN_S = 20.0


def arguments(role: Role, settings: Settings) -> list[str]:
    """Celery's command line for a worker of the role."""
    from workers.dispatch import read_worker_queues, split_worker_queues

    pools = {
        Role.SPLIT: ("prefork", settings.split_processes, split_worker_queues()),
        Role.READ: ("threads", settings.read_threads, read_worker_queues()),
    }
    pool, size, queues = pools[role]
    return [
        "worker",
        *("--pool", pool, "--concurrency", str(size), "--queues", ",".join(queues)),
        *("--hostname", f"{role.value}-{os.getpid()}@%h", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def main() -> None:
    """Bring the database up to date and work until told to stop."""
    role = _role()
    if role is Role.SPLIT:
        # SIGTERM lets running splits come to a good place, then hands them back. Read by billiard
        # when it is imported, so before anything of Celery is.
        os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    _prepare()
    _connect_signals(role)
    _quieten()
    from workers.app import app
    from workers.scratch import pool_folder

    if role is Role.READ:
        # Threads cannot be killed; their pages keep their leases and are finished.
        app.conf.worker_cancel_long_running_tasks_on_connection_loss = False
        _load_reader()
    pool_files = pool_folder() if role is Role.SPLIT else nullcontext()
    with _ending_with_a_word(), pool_files:
        app.worker_main(arguments(role, get_settings()))
    sys.exit(_status())


def _quieten() -> None:
    for name in _WORDY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _role() -> Role:
    parser = argparse.ArgumentParser(prog="python -m workers.worker")
    parser.add_argument("role", choices=[role.value for role in Role])
    return Role(parser.parse_args().role)


def _status() -> int:
    """Why the worker ended, which Celery keeps to itself: 0 if somebody asked for it."""
    from celery.worker import state

    if state.should_stop is not None:
        return int(state.should_stop)
    # SIGTERM of a split worker: Celery would call that a failure.
    return int(state.should_terminate is None)


def _prepare() -> None:
    from workers.database import short_lived_database
    from workers.migrations import upgrade

    with _ending_with_a_word():
        if ready_file := get_settings().ready_file:
            ready_file.unlink(missing_ok=True)  # of the process before, in the same container
        with short_lived_database(get_settings()) as database:
            upgrade(database)


def _connect_signals(role: Role) -> None:
    from celery import signals

    from workers.app import app
    from workers.reaper import Reaper

    _run_with_worker(Reaper(app, get_settings()))
    signals.worker_ready.connect(_say_ready)
    if role is Role.SPLIT:
        signals.worker_process_init.connect(_bound_process)
    else:
        _run_while_reading()
        signals.worker_shutting_down.connect(_drain)


def _run_while_reading() -> None:
    from workers.models.rolling import ModelWatch
    from workers.reading_log import ReadingLog
    from workers.tasks import get_follower

    _run_with_worker(ModelWatch(get_follower, get_settings().model_look_every_s))
    _run_with_worker(ReadingLog(_reading_figures))


class _Running(Protocol):
    """What is to run as long as the worker does."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


def _run_with_worker(running: _Running) -> None:
    from celery import signals

    signals.worker_ready.connect(lambda **_: running.start(), weak=False)
    signals.worker_shutting_down.connect(lambda **_: running.stop(), weak=False)


def _say_ready(**_: Any) -> None:
    if ready_file := get_settings().ready_file:
        ready_file.touch()


def _reading_figures() -> str:
    from workers.tasks import get_follower, get_readers

    follower = get_follower()
    return f"{get_readers().statistics()}" + (f"; model {follower}" if follower else "")


def _bound_process(**_: Any) -> None:
    from hwr.documents.sandbox import limit_process
    from workers.scratch import sweep

    child_cpu_s = max(POPPLER_CPU_S, math.ceil(get_settings().page_deadline_s))
    limit_process(SPLIT_MEMORY_BYTES, child_cpu_s)
    sweep()


def _load_reader() -> None:
    """Load the model before the first page comes."""
    from workers.tasks import get_readers

    with _ending_with_a_word():
        get_readers()


@contextmanager
def _ending_with_a_word() -> Iterator[None]:
    try:
        yield
    except HwrError as error:
        sys.exit(f"{error.code}: {error}")


def _drain(**_: Any) -> None:
    """Let pages at work be finished for a while, then hand them back."""
    from workers.tasks import close_readers

    timer = Timer(DRAIN_S, close_readers)
    timer.daemon = True
    timer.start()
