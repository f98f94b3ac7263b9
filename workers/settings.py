"""Every setting of the service: one frozen record, filled from HWR_* environment variables."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from hwr.errors import ServiceError

log = logging.getLogger(__name__)

_PREFIX = "HWR_"
#: Some time, but not for ever: no lock or thread can be told to wait much longer.
Seconds = Annotated[float, Field(gt=0, le=1e6)]


def _named(path: object) -> object:
    if path == "":  # would be the folder that the process was started in
        raise PydanticCustomError(
            "no_path", "it is empty, which names no file; unset it, or name one"
        )
    return path


NamedPath = Annotated[Path, BeforeValidator(_named)]


def _listed(keys: object) -> object:
    return (keys,) if isinstance(keys, str | SecretStr) else keys


#: What a tenant may show: one key, or several while one takes the place of another.
Keys = Annotated[
    tuple[Annotated[SecretStr, Field(min_length=1)], ...],
    BeforeValidator(_listed),
    Field(min_length=1),
]


class Settings(BaseSettings):
    """Settings of API and workers. Each field is an environment variable HWR_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        pattern="^rediss?://",
        description="Redis that carries the work",
    )
    database_url: str = Field(
        "sqlite:///.hwr/hwr.db",
        pattern=r"^(sqlite|postgresql(\+psycopg)?)://",
        description="SQLAlchemy URL; PostgreSQL: postgresql+psycopg://…",
    )
    storage_url: str = Field(
        "file:.hwr/store",
        description="Where originals and results live: file:PATH or s3://BUCKET/PREFIX",
    )
    s3_endpoint_url: str | None = Field(
        None, pattern="^(https?://.+)?$", description="S3 server other than AWS"
    )
    reference_prefixes: tuple[str, ...] = Field(
        (), description="s3:// prefixes that clients may submit by reference (JSON list)"
    )
    api_host: str = Field("127.0.0.1", description="Address the API listens on")
    api_port: int = Field(8080, ge=0, le=65535, description="Port the API listens on")
    api_keys: dict[Annotated[str, Field(min_length=1)], Keys] = Field(
        {},
        description="Tenant → bearer key, or a list of them (JSON object);"
        ' empty: no keys, tenant "default"',
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of GET /metrics; empty: there is no such address"
    )

    model: NamedPath | None = Field(
        None,
        description="Model other than the shipped one: a file, or NAME@VERSION of the registry;"
        " NAME@current follows what is put to use",
    )
    model_registry: str = Field(
        "file:models", description="Where named models live: file:PATH or s3://BUCKET/PREFIX"
    )
    model_cache: NamedPath = Field(
        Path(".hwr/models"), description="Folder that keeps what was fetched from the registry"
    )
    model_cache_bytes: int = Field(
        2 * 2**30, ge=1, description="Most bytes of that folder, so also of a version"
    )
    model_look_every_s: Seconds = Field(
        30.0, description="How often a read worker looks which version is current"
    )
    engine: str = Field(
        "auto",
        description="Engine that reads: auto, onnx, torch, torch-bf16, torch-cuda, tensorrt,"
        " tensorrt-graphs",
    )
    engine_threads: int = Field(1, ge=1, le=256, description="CPU threads of one engine")
    decoder: str = Field(
        "auto",
        description="How logits become text: auto, best-path, beam, beam:WIDTH, thorough, digits,"
        " amount, amount-in-words, date, capitals or lexicon:FILE",
    )
    language_model: NamedPath | None = Field(
        None, description="Language model file other than the shipped one"
    )
    profiles: NamedPath | None = Field(
        None, description="Folder of your own profiles (docs/profiles.md), beside the shipped ones"
    )
    review_below: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Lines less likely than this to be read exactly are marked needs_review",
    )
    read_threads: int = Field(8, ge=1, le=1024, description="Pages one read worker holds at once")
    ready_file: NamedPath | None = Field(None, description="File a worker makes when it is ready")
    split_processes: int = Field(1, ge=1, le=256, description="Split processes of one worker")

    max_bytes: int = Field(500 * 2**20, ge=1, description="Largest document in bytes")
    max_pages: int = Field(3000, ge=1, description="Most pages of a document")
    max_side: int = Field(10_000, ge=1, description="Longest side of a page in pixels")
    max_documents: int = Field(1000, ge=1, description="Most documents of a job")
    max_waiting_documents: int = Field(
        0, ge=0, description="Most documents of a tenant without a result; 0: any number"
    )
    render_dpi: int = Field(200, ge=1, le=2400, description="Resolution PDF pages are rendered at")
    page_deadline_s: Seconds = Field(
        60.0, description="Most seconds for opening or splitting a page"
    )
    read_deadline_s: Seconds = Field(300.0, description="Most seconds for reading a page")

    lease_s: Seconds = Field(
        120.0, description="A page or document unheard of for so long is taken back"
    )
    reap_every_s: Seconds = Field(15.0, description="How often unfinished work is looked for")
    max_attempts: int = Field(4, ge=1, description="Tries of a page before it is given up by name")
    visibility_timeout_s: int = Field(
        3600, ge=1, le=10**6, description="Redis redelivers an unacknowledged message after"
    )

    @field_validator("redis_url")
    @classmethod
    def _check_redis_port(cls, url: str) -> str:
        with _ports_named():
            parts = urlsplit(url)
            parts.port  # noqa: B018 (looked at, it is checked)
        if not parts.hostname or not re.fullmatch(r"(/\d{0,5})?", parts.path):
            raise PydanticCustomError(
                "bad_redis", "it needs a host, and a number if any after it: redis://HOST:6379/0"
            )
        return url

    @field_validator("s3_endpoint_url")
    @classmethod
    def _check_s3_port(cls, url: str | None) -> str | None:
        with _ports_named():
            urlsplit(url or "").port  # noqa: B018 (looked at, it is checked)
        return url

    @field_validator("reference_prefixes")
    @classmethod
    def _check_prefixes(cls, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in prefixes:
            if not re.match("s3://[^/]", prefix):
                raise PydanticCustomError(
                    "bad_prefix",
                    "{prefix} names no bucket as s3://BUCKET does",
                    {"prefix": repr(prefix)},
                )
        return prefixes

    @field_validator("profiles")
    @classmethod
    def _check_profiles(cls, folder: Path | None) -> Path | None:
        if folder and not folder.is_dir():
            raise PydanticCustomError(
                "no_folder", "{folder} is no folder; make or mount it", {"folder": str(folder)}
            )
        return folder

    @field_validator("visibility_timeout_s")
    @classmethod
    def _check_visibility(cls, seconds: int, info: ValidationInfo) -> int:
        # A page is split within half of it at most, and what is read or held is not sent again.
        for name, times in (("page_deadline_s", 4), ("read_deadline_s", 1), ("lease_s", 1)):
            least = times * info.data.get(name, 0)
            if seconds < least:
                raise PydanticCustomError(
                    "too_short",
                    "{seconds} is too short for {name}, which needs {least} here; raise it, or"
                    " lower that",
                    {"seconds": seconds, "name": f"HWR_{name.upper()}", "least": f"{least:g}"},
                )
        return seconds

    @field_validator("database_url")
    @classmethod
    def _check_database_port(cls, url: str) -> str:
        from sqlalchemy import make_url  # slow to import, and not for those who set no database

        with _ports_named():
            parts = make_url(url)
        if parts.drivername == "sqlite" and parts.database in (None, "", ":memory:"):
            raise PydanticCustomError(
                "no_database", "it names no file, which processes could share: sqlite:///PATH"
            )
        return url

    @field_validator("metrics_token")
    @classmethod
    def _tell_tenants_from_operators(cls, token: SecretStr, info: ValidationInfo) -> SecretStr:
        keys: dict[str, Keys] = info.data.get("api_keys", {})
        if not _fits_a_header(token.get_secret_value()):
            raise _bad_token("it has spaces around it or characters other than ASCII")
        for tenant, own in keys.items():
            if token in own:
                raise _bad_token(f"it is a key of {tenant!r}, who may not see all that goes on")
        return token

    @field_validator("api_keys")
    @classmethod
    def _tell_tenants_apart(cls, keys: dict[str, Keys]) -> dict[str, Keys]:
        owners: dict[str, str] = {}
        for tenant, secret in ((tenant, secret) for tenant, own in keys.items() for secret in own):
            key = secret.get_secret_value()
            if not _fits_a_header(key):
                raise _bad_key(
                    f"the key of {tenant!r} has spaces around it or characters other than ASCII"
                )
            if owners.setdefault(key, tenant) != tenant:
                raise _bad_key(f"{owners[key]!r} and {tenant!r} have the same key")
        return keys


@contextmanager
def _ports_named() -> Iterator[None]:
    try:
        yield
    except ValueError:  # whose words may hold a part of the password
        raise PydanticCustomError(
            "bad_port",
            "its port is no number, or its password has one of @ : / ? # [ ], which are written"
            " %40 %3A %2F %3F %23 %5B %5D",
        ) from None


def _fits_a_header(secret: str) -> bool:
    """Whether clients can send it: of other characters no two make the same bytes."""
    return secret == secret.strip() and secret.isascii() and secret.isprintable()


def _bad_key(reason: str) -> PydanticCustomError:
    return PydanticCustomError(
        "bad_key", "{reason}; give every tenant a key of its own", {"reason": reason}
    )


def _bad_token(reason: str) -> PydanticCustomError:
    return PydanticCustomError("bad_token", "{reason}; give it one of its own", {"reason": reason})


@cache
def get_settings() -> Settings:
    """The process's settings, read from the environment once.

    Raises:
        ServiceError: a variable does not hold what its setting takes.
    """
    try:
        _warn_of_misspelt()
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        example = Settings.model_fields[name].default
        another = f"a value such as {str(example)!r}" if example else "another value"
        raise ServiceError(f"HWR_{name.upper()}: {first['msg']}. Set it to {another}.") from error
    except SettingsError as error:
        # The message is all that names the field: 'error parsing value for field "api_keys" …'
        field = str(error).split('"')[1]
        raise ServiceError(
            f"HWR_{field.upper()} is not JSON. Set it to what README.md says it takes."
        ) from error


def _warn_of_misspelt() -> None:
    """Tell of variables that are hardly meant for another program: HWR_API_KEY opens a service."""
    known = [_PREFIX + name.upper() for name in Settings.model_fields]
    for name in os.environ:
        if name.startswith(_PREFIX) and name not in known:
            for near in get_close_matches(name, known, n=1, cutoff=0.85):
                log.warning("%s is no setting and does nothing. Did you mean %s?", name, near)
