"""What the API says at its start of a service that is open to everybody."""

import logging
from typing import Any

import pytest
import uvicorn

from workers.api import application, exposure
from workers.settings import Settings

KEYS = {"bank": ("sesame",)}


def exposures(**values: Any) -> list[str]:
    return list(exposure.exposures(Settings.model_validate(values)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.7", "api.example"])
def test_an_open_api_is_told(host: str) -> None:
    [warning] = exposures(api_host=host)
    assert "Set HWR_API_KEYS" in warning
    assert exposures(api_host=host, api_keys=KEYS) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_one_that_only_this_machine_reaches_is_not(host: str) -> None:
    assert exposures(api_host=host) == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("HWR_API_KEYS of 'bank'", {"api_keys": {"bank": ["sesame", "change-me"]}}),
        ("HWR_METRICS_TOKEN", {"metrics_token": "change-me"}),
        ("HWR_REDIS_URL", {"redis_url": "redis://:change-me@redis:6379/0"}),
        ("HWR_DATABASE_URL", {"database_url": "postgresql+psycopg://hwr:change-me@postgres/hwr"}),
    ],
)
def test_an_unchanged_secret_is_told(name: str, values: dict[str, Any]) -> None:
    [warning] = exposures(**values)
    assert warning.startswith(f"{name} still holds change-me")


def test_an_unchanged_secret_of_s3_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "change-me")
    [warning] = exposures()
    assert warning.startswith("AWS_SECRET_ACCESS_KEY ")


def test_the_api_logs_them_before_it_listens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logged: list[str] = []

    def listen(*_: object, **__: object) -> None:
        logged.extend(record.getMessage() for record in caplog.records)

    monkeypatch.setattr(uvicorn, "run", listen)
    with caplog.at_level(logging.WARNING):
        application.serve(Settings(api_host="0.0.0.0"))
    assert len(logged) == 1
    assert "asks for no key" in logged[0]
