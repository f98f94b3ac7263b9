"""Whether the API lives, and whether what it needs does."""

import logging
from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hwr.errors import ServiceError, ServiceUnavailable
from workers.api.errors import error_response, refusals
from workers.api.services import Services, ServicesOf

log = logging.getLogger(__name__)

router = APIRouter(tags=["health"])


@router.get("/healthz", operation_id="is_alive")
@router.head("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """The process answers, also while all its threads wait for a server."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    operation_id="is_ready",
    response_model=dict[str, str],
    responses=refusals(ServiceUnavailable),
)
@router.head("/readyz", include_in_schema=False)
async def readyz(services: ServicesOf) -> JSONResponse:
    """Database, Redis and storage answer too."""
    if away := await services.checking.run(_away, services):
        message = f"Not there: {', '.join(away)}. See the log of the API for the reasons."
        return error_response(503, "ServiceUnavailable", message)
    return JSONResponse({"status": "ready"})


def _away(services: Services) -> list[str]:
    return [name for name, check in _checks(services).items() if not _passes(name, check)]


def _checks(services: Services) -> dict[str, Callable[[], object]]:
    return {
        "database": lambda: _ask_database(services),
        "redis": services.redis.ping,
        "storage": services.storage.check,
    }


def _ask_database(services: Services) -> None:
    with services.database.reading() as session:
        session.execute(text("SELECT 1 FROM jobs LIMIT 1"))


def _passes(name: str, check: Callable[[], object]) -> bool:
    try:
        check()
    except (RedisError, SQLAlchemyError, ServiceError) as error:
        log.warning("%s is not ready: %s", name, error)
        return False
    return True
