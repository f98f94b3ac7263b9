"""What docker-compose.yml runs to make its bucket, on the S3 server that it pins."""

import os
import subprocess
from pathlib import Path

import yaml
from services import S3Server, weed_binary

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
