"""The HTTP interface on a real Redis, with databases and storages of both kinds."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import services
from api_bench import KEYS, make_settings, make_tables, open_api

from workers.database import Database, open_database
from workers.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    return make_settings(tmp_path, redis_url)


@pytest.fixture
def api(settings: Settings) -> Iterator[httpx.Client]:
    make_tables(settings)
    with open_api(settings) as client:
        yield client


@pytest.fixture
def keyed(tmp_path: Path, redis_url: str) -> Iterator[httpx.Client]:
    """An API that asks for keys."""
    settings = make_settings(tmp_path, redis_url, api_keys=KEYS)
    make_tables(settings)
    with open_api(settings) as client:
        yield client


@pytest.fixture(params=["one machine", "servers"])
def either_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """SQLite and a folder, and PostgreSQL and S3."""
    if request.param == "one machine":
        return settings
    s3: services.S3Server = request.getfixturevalue("s3")
    servers = {
        "database_url": request.getfixturevalue("postgres_url"),
        "storage_url": request.getfixturevalue("s3_url"),
        "s3_endpoint_url": s3.endpoint_url,
    }
    return settings.model_copy(update=servers)


@pytest.fixture
def either(either_settings: Settings) -> Iterator[httpx.Client]:
    """The API on either kind of servers."""
    make_tables(either_settings)
    with open_api(either_settings) as client:
        yield client


@pytest.fixture
def database(api: httpx.Client, settings: Settings) -> Iterator[Database]:
    database = open_database(settings)
    yield database
    database.close()
