"""What an operator should know before others reach the API: said once, when it starts."""

import ipaddress
import logging
import os
from collections.abc import Iterator

from workers.settings import Settings

log = logging.getLogger(__name__)

#: What .env.example has for every key and password.
_UNCHANGED = "change-me"

#: Credentials that boto3 reads by itself.
_S3_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def warn(settings: Settings) -> None:
    """Log what leaves the service open, each with its remedy."""
    for warning in exposures(settings):
        log.warning("%s", warning)


def exposures(settings: Settings) -> Iterator[str]:
    """What leaves the service open, each with its remedy."""
    if not settings.api_keys and not _is_loopback(settings.api_host):
        yield (
            f"The API listens at {settings.api_host} and asks for no key: who reaches it may submit"
            " and sees every job. Set HWR_API_KEYS, or HWR_API_HOST=127.0.0.1."
        )
    for name, value in _secrets(settings):
        if _UNCHANGED in value:
            yield f"{name} still holds {_UNCHANGED}, which everybody knows. Set it to a secret."


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    for tenant, keys in settings.api_keys.items():
        for key in keys:
            yield f"HWR_API_KEYS of {tenant!r}", key.get_secret_value()
    yield "HWR_METRICS_TOKEN", settings.metrics_token.get_secret_value()
    yield "HWR_REDIS_URL", settings.redis_url
    yield "HWR_DATABASE_URL", settings.database_url
    for name in _S3_VARIABLES:
        yield name, os.environ.get(name, "")
