"""What stands behind the `?` of an address: only what the address knows, and each once."""

from collections import Counter

from fastapi import Request
from fastapi.routing import APIRoute

from hwr.errors import BadRequest
from workers.api.services import Tenant


def check_parameters(request: Request, _: Tenant) -> None:
    """Refuse what would be ignored; who has no key learns no more than that.

    Raises:
        BadRequest: a parameter is unknown or comes twice.
    """
    counted = Counter(name for name, _ in request.query_params.multi_items())
    known = _known(request)
    for name, count in counted.items():
        if name not in known:
            raise BadRequest(f"There is no query parameter {name[:100]!r}. {_instead(known)}")
        if count > 1:
            raise BadRequest(f"The query parameter {name!r} comes {count} times. Send it once.")


def _known(request: Request) -> list[str]:
    route = request.scope["route"]
    assert isinstance(route, APIRoute)  # noqa: S101 (only such have dependencies)
    return [parameter.alias for parameter in route.dependant.query_params]


def _instead(known: list[str]) -> str:
    return f"Use {', '.join(known)}." if known else "This address takes none."
