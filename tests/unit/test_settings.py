"""Settings that would open the service, and what the database's errors tell."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hwr.errors import ServiceError
from workers.api.auth import tenant_of
from workers.database import Database
from workers.settings import Settings, get_settings


def test_an_empty_key_opens_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWR_API_KEYS", '{"bank": ""}')
    with pytest.raises(ValidationError, match="at least 1 item"):
        Settings()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ('{"bank": "sesame", "school": "sesame"}', "'bank' and 'school' have the same key"),
        ('{"bank": " sesame"}', "key of 'bank' has spaces around it"),
        ('{"bank": "sesame\\n"}', "key of 'bank' has spaces around it"),
        ('{"bank": "s\u00e9same"}', "other than ASCII"),
        ('{"bank": "ses\\u0000ame"}', "other than ASCII"),
        ('{"bank": " "}', "key of 'bank' has spaces around it"),
        ('{"bank": ["a", "sesame"], "school": "sesame"}', "and 'school' have the same key"),
    ],
)
def test_keys_that_name_no_tenant_are_refused(
    keys: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HWR_API_KEYS", keys)
    with pytest.raises(ServiceError, match=rf"HWR_API_KEYS: .*{told}.*; give every.*") as refused:
        get_settings.__wrapped__()
    assert "sesame" not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize(
    ("token", "told"), [("sesame", "it is a key of 'bank'"), (" open", "spaces around it")]
)
def test_a_token_of_metrics_that_is_none_is_refused(
    token: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HWR_API_KEYS", '{"bank": ["old", "sesame"]}')
    monkeypatch.setenv("HWR_METRICS_TOKEN", token)
    with pytest.raises(ServiceError, match=rf"HWR_METRICS_TOKEN: .*{told}.*; give it") as refused:
        get_settings.__wrapped__()
    assert "sesame" not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAGE_DEADLINE_S", "nan"),
        ("LEASE_S", "inf"),
        ("REAP_EVERY_S", "0"),
        ("RENDER_DPI", "-5"),
        ("MAX_PAGES", "-1"),
        ("MAX_ATTEMPTS", "0"),
        ("API_PORT", "65536"),
        ("ENGINE_THREADS", "100000"),
        ("REFERENCE_PREFIXES", "s3://inbox"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("S3_ENDPOINT_URL", "127.0.0.1:9000"),
        ("DATABASE_URL", "hwr.db"),
        ("DATABASE_URL", "mysql://host/hwr"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "redis:///0"),
        ("REDIS_URL", "redis://host/first"),
        ("S3_ENDPOINT_URL", "http://host:port"),
        ("REFERENCE_PREFIXES", '["s3://"]'),
        ("REFERENCE_PREFIXES", '[""]'),
        ("REFERENCE_PREFIXES", '["/etc"]'),
        ("API_KEYS", '{"": "sesame"}'),
        ("MODEL", ""),
        ("MODEL_CACHE", ""),
        ("LANGUAGE_MODEL", ""),
        ("PROFILES", ""),
        ("PROFILES", "/etc/passwd"),
        ("PROFILES", "/no/such/folder"),
        ("READY_FILE", ""),
        ("REAP_EVERY_S", "1e300"),
        ("SPLIT_PROCESSES", "1000000"),
        ("READ_THREADS", "1000000"),
        ("RENDER_DPI", "100000"),
        ("VISIBILITY_TIMEOUT_S", "99999999999999999999"),
    ],
)
def test_what_no_setting_can_be_is_refused_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HWR_{name}", value)
    with pytest.raises(ServiceError, match=rf"HWR_{name}\b.*\. Set it"):
        get_settings.__wrapped__()


@pytest.mark.parametrize(
    ("name", "value", "example"),
    [("MODEL_CACHE", "", "'.hwr/models'"), ("READ_THREADS", "0", "'8'")],
)
def test_what_to_set_instead_is_told_as_it_is_written(
    name: str, value: str, example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HWR_{name}", value)
    with pytest.raises(ServiceError, match=rf"Set it to a value such as {example}\.$"):
        get_settings.__wrapped__()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("REDIS_URL", "redis://host:port/0"),
        ("REDIS_URL", "redis://host:65536/0"),
        ("REDIS_URL", "rediss://:sesame/open@host:6379/0"),
        ("REDIS_URL", "redis://[::1/0"),
        ("DATABASE_URL", "postgresql+psycopg://hwr@host:port/hwr"),
        ("DATABASE_URL", "postgresql+psycopg://hwr:open@sesame:x@host:5432/hwr"),
    ],
)
def test_a_port_that_is_no_number_is_named_and_no_part_of_a_password_is_shown(
    name: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HWR_{name}", url)
    with pytest.raises(
        ServiceError, match=rf"HWR_{name}: its port is no number.*%5D\. "
    ) as refused:
        get_settings.__wrapped__()
    assert "sesame" not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize("url", ["redis://host", "rediss://:secret@host:6380/15"])
def test_a_redis_with_and_without_a_number_is_taken(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HWR_REDIS_URL", url)
    assert get_settings.__wrapped__().redis_url == url


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().max_pages = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("LEASE_S", "7200"), ("READ_DEADLINE_S", "3601"), ("PAGE_DEADLINE_S", "1000")],
)
def test_what_may_take_longer_than_redis_waits_is_refused(
    name: str, seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HWR_{name}", seconds)
    with pytest.raises(
        ServiceError, match=rf"HWR_VISIBILITY_TIMEOUT_S: 3600 is too short for HWR_{name}"
    ):
        get_settings.__wrapped__()
    monkeypatch.setenv("HWR_VISIBILITY_TIMEOUT_S", "7200")
    get_settings.__wrapped__()


def test_a_misspelt_setting_is_told_with_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("HWR_API_KEY", "HWR_KEY", "HWR_URL", "HWR_PORT", "HWR_LEASE_S"):
        monkeypatch.setenv(name, "9")
    get_settings.__wrapped__()
    assert [record.getMessage() for record in caplog.records] == [
        "HWR_API_KEY is no setting and does nothing. Did you mean HWR_API_KEYS?"
    ]


@pytest.mark.parametrize("keys", ['{"bank": []}', '{"bank": ["sesame", ""]}'])
def test_a_list_of_keys_opens_no_door_either(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWR_API_KEYS", keys)
    with pytest.raises(ServiceError, match=r"HWR_API_KEYS: .* at least 1 item"):
        get_settings.__wrapped__()


def test_old_and_new_key_are_of_one_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWR_API_KEYS", '{"bank": ["old", "new"], "school": "other"}')
    keys = Settings().api_keys
    owners = [tenant_of(key, keys) for key in ("old", "new", "other")]
    assert owners == ["bank", "bank", "school"]


def test_keys_are_not_shown() -> None:
    settings = Settings.model_validate(
        {"api_keys": {"bank": ["open-sesame"], "school": "x-sesame"}}
    )
    assert "sesame" not in repr(settings)


def test_what_was_read_stays_out_of_the_databases_errors(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/hwr.db")
    with pytest.raises(SQLAlchemyError) as caught, database.writing() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:line)"), {"line": "Dear Sir"})
    database.close()
    assert "nowhere" in str(caught.value)
    assert "Dear Sir" not in str(caught.value)
