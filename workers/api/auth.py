"""Who is asking: a bearer key names its tenant."""

import hmac
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from hwr.errors import KeyRefused

#: Everybody's tenant where the service asks for no keys.
DEFAULT_TENANT = "default"


def tenant_of(key: str | None, keys: Mapping[str, Sequence[SecretStr]]) -> str:
    """The tenant whose key this is.

    Raises:
        KeyRefused: keys are asked for, and this is none of them.
    """
    if not keys:
        return DEFAULT_TENANT
    tenant = _owner(key or "", keys)
    if tenant is None:
        raise KeyRefused
    return tenant


def _owner(given: str, keys: Mapping[str, Sequence[SecretStr]]) -> str | None:
    # Every key is compared in full, so that the time taken tells nothing about any of them.
    owner = None
    for tenant, key in ((tenant, key) for tenant, own in keys.items() for key in own):
        if hmac.compare_digest(given.encode(), key.get_secret_value().encode()):
            owner = tenant
    return owner
