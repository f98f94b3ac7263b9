"""Processes are killed and queues are lost in mid-job: the job ends complete all the same.

All tests share one service; each leaves it with one split worker and one read worker.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import redis
from pipeline import Service, draw_lines, quick_settings, run_service, stop_politely, tiff
from poisoned_worker import HANGS, KILLING_LINES, KILLS
from sqlalchemy import func, select

from workers.database import Page, State
from workers.processes import kill, spawn

#: Lines of the pages of the document that all tests submit.
LINES = [3, 1, 2, 4] * 3

DOCUMENT = tiff([draw_lines(count, seed=seed, width=900) for seed, count in enumerate(LINES)])


@pytest.fixture(scope="module")
def service(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with its two workers."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    folder = tmp_path_factory.mktemp("service")
    with run_service(folder, quick_settings(folder, redis_server)) as service:
        for role in ("split", "read"):
            service.start(role)
        yield service


@pytest.fixture(scope="module")
def undisturbed(service: Service) -> Any:
    """What the document says when nobody disturbs."""
    job_id = service.submit(DOCUMENT)
    assert service.wait(job_id).state == State.DONE, service.logs()
    return service.texts(job_id)


def assert_whole(service: Service, job_id: str, undisturbed: Any) -> None:
    """The job has every line once, and reads as if nobody had disturbed it."""
    assert service.wait(job_id).state == State.DONE, service.logs()
    assert service.rows(job_id) == (len(LINES), sum(LINES))
    assert service.texts(job_id) == undisturbed
    assert service.published(job_id) == service.results(job_id)


def worker(service: Service, role: str) -> Popen[bytes]:
    """The worker of the role that runs."""
    running = [worker for worker in service.workers if worker.poll() is None]
    return next(
        worker for worker in running if isinstance(worker.args, list) and role in worker.args
    )


def freeze(service: Service, victim: Popen[bytes], condition: Callable[[], bool]) -> None:
    """Stop a worker at a moment when the condition is true."""

    def caught() -> bool:
        os.killpg(victim.pid, signal.SIGSTOP)
        if condition():
            return True
        os.killpg(victim.pid, signal.SIGCONT)
        return False

    service.wait_for(caught)


def held_pages(service: Service) -> int:
    """Pages that a worker holds."""
    with service.database.reading() as session:
        held = select(func.count()).select_from(Page).where(Page.lease_token.is_not(None))
        return session.scalars(held).one()


def test_a_read_worker_is_killed(service: Service, undisturbed: Any) -> None:
    job_id, victim = service.submit(DOCUMENT), worker(service, "read")
    freeze(service, victim, lambda: service.view(job_id).pages_done > 0 and held_pages(service) > 0)
    assert service.view(job_id).pages_done < len(LINES)
    kill(victim)
    service.start("read")
    assert_whole(service, job_id, undisturbed)


def test_redis_is_flushed(service: Service, undisturbed: Any) -> None:
    reader = worker(service, "read")
    os.killpg(reader.pid, signal.SIGSTOP)
    job_id = service.submit(DOCUMENT)
    service.wait_for(lambda: service.rows(job_id)[0] >= 5)
    with redis.Redis.from_url(service.settings.redis_url) as client:
        assert client.llen("read.normal") > 0
        client.flushall()
    os.killpg(reader.pid, signal.SIGCONT)
    assert_whole(service, job_id, undisturbed)


def test_a_split_process_is_killed(service: Service, undisturbed: Any) -> None:
    splitter, job_id = worker(service, "split"), service.submit(DOCUMENT)
    for pages in (2, 5, 9):
        service.wait_for(lambda pages=pages: service.rows(job_id)[0] >= pages)
        for child in children(splitter.pid):
            os.kill(child, signal.SIGKILL)
    assert_whole(service, job_id, undisturbed)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_whole_split_worker_is_killed(service: Service, undisturbed: Any) -> None:
    job_id = service.submit(DOCUMENT)
    service.wait_for(lambda: service.rows(job_id)[0] >= 3)
    kill(worker(service, "split"))
    assert service.rows(job_id)[0] < len(LINES)
    service.start("split")
    assert_whole(service, job_id, undisturbed)


def test_workers_are_asked_to_end(service: Service, undisturbed: Any) -> None:
    job_id = service.submit(DOCUMENT)
    service.wait_for(lambda: service.view(job_id).pages_done >= 1)
    began = time.monotonic()
    assert [stop_politely(worker(service, role)) for role in ("split", "read")] == [0, 0]
    assert time.monotonic() - began < 20
    assert held_pages(service) == 0
    for role in ("split", "read"):
        service.start(role)
    assert_whole(service, job_id, undisturbed)


def test_poisoned_pages_are_failed_by_name(service: Service) -> None:
    kill(worker(service, "split"))
    start_poisoned(service, "split", {"HWR_MAX_ATTEMPTS": "1", "HWR_PAGE_DEADLINE_S": "3"})
    widths = (900, KILLS, 900, HANGS, 900)
    job_id = service.submit(tiff([draw_lines(2, width=width) for width in widths]))
    assert service.wait(job_id).state == State.DONE_WITH_ERRORS, service.logs()
    pages = service.results(job_id)[0]["pages"]
    errors = [page["error"] and page["error"]["code"] for page in pages]
    assert errors == [None, "PageFailed", None, "PageFailed", None]
    assert [len(page["lines"]) for page in pages] == [2, 0, 2, 0, 2]


def start_poisoned(service: Service, role: str, changes: dict[str, str]) -> Popen[bytes]:
    """A worker that poisoned pages kill."""
    script = Path(__file__).with_name("poisoned_worker.py")
    log = service.folder / f"poisoned-{role}.log"
    command: list[str | Path] = [sys.executable, script, role]
    service.workers.append(spawn(command, log=log, environment=service.environment | changes))
    return service.workers[-1]


def test_a_page_that_kills_its_readers_fails_alone(service: Service) -> None:
    for role in ("split", "read"):
        kill(worker(service, role))
    service.start("split")
    lines = [2, KILLING_LINES, 1, 3]
    job_id = service.submit(tiff([draw_lines(count) for count in lines]))
    service.wait_for(lambda: service.rows(job_id)[0] == len(lines))
    readers: list[Popen[bytes]] = []

    def ended() -> bool:
        if not readers or readers[-1].poll() is not None:
            readers.append(start_poisoned(service, "read", {"HWR_MAX_ATTEMPTS": "1"}))
        return service.view(job_id).finished is not None

    service.wait_for(ended, patience_s=150)
    pages = service.results(job_id)[0]["pages"]
    errors = [page["error"] and page["error"]["code"] for page in pages]
    assert errors == [None, "PageFailed", None, None], service.logs()
    assert [len(page["lines"]) for page in pages] == [2, 0, 1, 3]
    assert len(readers) == 3  # one died among others, one of it alone
    kill(readers[-1])
    service.start("read")
