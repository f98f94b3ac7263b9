"""Fixtures that all tests share: real servers, started once a run and only when asked for."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
import services


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Redis for the whole run; most tests want `redis_url`."""
    with services.run_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """URL of an empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """SQLAlchemy URL of a PostgreSQL for the whole run; most tests want `postgres_url`."""
    with services.run_postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    plain = postgres_server.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield postgres_server.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.S3Server]:
    """An S3 server with a bucket for the whole run; most tests want `s3_url`."""
    with services.run_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_server: services.S3Server, monkeypatch: pytest.MonkeyPatch) -> services.S3Server:
    """The S3 server, with its credentials in the environment of this process."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def s3_url(s3: services.S3Server) -> str:
    """s3://BUCKET/PREFIX that no other test uses; `s3.endpoint_url` says where."""
    return f"s3://{s3.bucket}/{uuid.uuid4().hex}"


@pytest.fixture
def folder_url(tmp_path: Path) -> str:
    """file: URL of an empty folder."""
    return f"file:{tmp_path / 'store'}"
