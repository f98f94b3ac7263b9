"""What the shells of docker-compose.yml run, with real servers."""

import os
import subprocess
from pathlib import Path

import pytest
import redis
import yaml
from services import S3Server, redis_binary, wait_until, weed_binary

from workers.processes import free_port, spawn, stop

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())


def make_bucket(server: S3Server) -> int:
    """Run the service `bucket` once; its exit status."""
    service = COMPOSE["services"]["bucket"]
    (script,) = service["command"]
    script = script.replace("s3:9333", server.master).replace("s3:8888", server.filer)
    path = f"{Path(weed_binary()).parent}:{os.environ['PATH']}"
    command = [*service["entrypoint"], script]
    return subprocess.run(command, env=os.environ | {"PATH": path}, timeout=120).returncode


def test_it_is_made_once_and_found_again_at_the_next_start(s3_server: S3Server) -> None:
    assert [make_bucket(s3_server) for _ in range(2)] == [0, 0]
    names = {bucket["Name"] for bucket in s3_server.client().list_buckets()["Buckets"]}
    assert "hwr" in names


def test_a_server_that_is_not_there_yet_is_tried_again(s3_server: S3Server) -> None:
    away = S3Server(endpoint_url="", master=s3_server.master, filer="127.0.0.1:1")
    assert make_bucket(away) != 0
    assert COMPOSE["services"]["bucket"]["restart"] == "on-failure"


def test_redis_gets_its_password_where_nobody_sees_it_and_ends_when_told(tmp_path: Path) -> None:
    service, port = COMPOSE["services"]["redis"], free_port()
    (tmp_path / "redis-server").symlink_to(redis_binary())
    script = service["command"][0].replace("$$", "$")
    script = script.replace("redis-server -", f"redis-server - --port {port} --dir {tmp_path}", 1)
    path = f"{tmp_path}:{os.environ['PATH']}"
    environment = {"PATH": path, "REDISCLI_AUTH": "sesame"}
    process = spawn([*service["entrypoint"], script], log=tmp_path / "log", environment=environment)
    with redis.Redis(port=port, password="sesame") as client:
        wait_until(client.ping, process, tmp_path / "log", redis.RedisError)
    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    assert b"sesame" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    stop(process, patience_s=30)
    assert process.returncode == 0
