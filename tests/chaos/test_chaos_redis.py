"""Redis is killed in mid-job and comes back with nothing, or is full: the jobs end complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import redis
from pipeline import draw_lines, quick_settings, run_service, tiff
from services import redis_binary, wait_until

from workers.database import State
from workers.processes import free_port, kill, spawn


@contextmanager
def redis_on(port: int, folder: Path) -> Iterator[Popen[bytes]]:
    """A Redis that remembers nothing."""
    log = folder / "redis-server.log"
    arguments = f"--port {port} --bind 127.0.0.1 --appendonly no --dir {folder}"
    process = spawn([redis_binary(), *arguments.split(), "--save", ""], log=log)
    with redis.Redis.from_url(f"redis://127.0.0.1:{port}/0") as client:
        wait_until(client.ping, process, log, redis.RedisError)
    try:
        yield process
    finally:
        kill(process)


def test_workers_wait_for_redis_and_go_on(tmp_path: Path) -> None:
    port = free_port()
    settings = quick_settings(tmp_path, f"redis://127.0.0.1:{port}/0")
    lines = [2, 1, 3] * 4
    document = tiff([draw_lines(count, seed=seed) for seed, count in enumerate(lines)])
    with run_service(tmp_path, settings) as service:
        with redis_on(port, tmp_path):
            service.start("split")
            service.start("read")
            job_id = service.submit(document)
            service.wait_for(lambda: service.view(job_id).pages_done >= 2)
        assert service.view(job_id).state == State.RUNNING
        later = service.submit(document)  # while Redis is away
        with redis_on(port, tmp_path):
            for submitted in (job_id, later):
                assert service.wait(submitted).state == State.DONE, service.logs()
                assert service.rows(submitted) == (len(lines), sum(lines))
            assert service.texts(job_id) == service.texts(later)


def test_workers_stay_while_redis_is_full(tmp_path: Path) -> None:
    port = free_port()
    settings = quick_settings(tmp_path, f"redis://127.0.0.1:{port}/0")
    document = tiff([draw_lines(1), draw_lines(2)])
    with (
        redis_on(port, tmp_path),
        redis.Redis.from_url(settings.redis_url) as client,
        run_service(tmp_path, settings) as service,
    ):
        submitted = [service.submit(document) for _ in range(12)]
        workers = [service.start("split"), service.start("read")]
        service.wait_for(lambda: service.view(submitted[0]).state == State.DONE)
        client.config_set("maxmemory", 1)
        service.wait_for(lambda: "'maxmemory'" in service.logs())
        client.config_set("maxmemory", 0)
        for job_id in submitted:
            assert service.wait(job_id).state == State.DONE, service.logs()
            assert service.rows(job_id) == (2, 3)
        assert [worker.poll() for worker in workers] == [None, None]
