"""What a request needs: settings, database, storage and Redis, opened once a process."""

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import redis
from celery import Celery
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from hwr.errors import KeyRefused
from workers.api.auth import tenant_of
from workers.api.latest import Latest
from workers.api.sending import Sending
from workers.api.threads import Threads
from workers.api.timing import RequestTimes
from workers.api.unfinished import Unfinished
from workers.api.work_left import Queues, WorkLeft, queues, work_left
from workers.app import make_app
from workers.database import Database, open_database
from workers.settings import Settings
from workers.storage import Storage, open_storage

#: Seconds Redis may take to answer the question whether it is there.
_REDIS_S = 2.0

#: Calls of the storage at once, further ones wait: as many as Starlette lends to all other work.
_STORAGE_CALLS = 40

#: Questions whether the servers are there that are asked at once; apart from all other work, so
#: that they neither wait for uploads nor hold up requests.
_CHECKS = 4

#: The header that keys come in.
BEARER = HTTPBearer(
    auto_error=False,
    description="The tenant's key, where the service asks for keys (HWR_API_KEYS)",
)


@dataclass(frozen=True, kw_only=True)
class Services:
    """The servers behind the API. Nothing connects before it is used."""

    #: The settings it was started with.
    settings: Settings
    #: Jobs, documents, pages and lines.
    database: Database
    #: Originals and results.
    storage: Storage
    #: Sends the work.
    celery: Celery
    #: Where messages are sent.
    sending: Sending
    #: Asked only whether it is there, and for metrics.
    redis: redis.Redis
    #: What the database says of the work left, for metrics.
    work_left: Latest[WorkLeft]
    #: What Redis says of the queues, for metrics.
    queues: Latest[Queues]
    #: How long requests took, for metrics.
    times: RequestTimes = field(default_factory=RequestTimes)
    #: Submissions that are on their way in.
    submissions: Unfinished = field(default_factory=Unfinished)
    #: Where the storage is called.
    storing: Threads = field(default_factory=partial(Threads, _STORAGE_CALLS))
    #: Where the servers are asked whether they are there.
    checking: Threads = field(default_factory=partial(Threads, _CHECKS))

    def close(self) -> None:
        """Close all connections."""
        self.celery.close()
        self.redis.close()
        self.database.close()


def open_services(settings: Settings) -> Services:
    """The services that the settings name."""
    database = open_database(settings)
    celery = make_app(settings)
    client = redis.Redis.from_url(
        settings.redis_url, socket_timeout=_REDIS_S, socket_connect_timeout=_REDIS_S
    )
    return Services(
        settings=settings,
        database=database,
        storage=open_storage(settings),
        celery=celery,
        sending=Sending(celery, database),
        redis=client,
        work_left=Latest("database", partial(work_left, database), SQLAlchemyError),
        queues=Latest("redis", partial(queues, client), RedisError),
    )


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _tenant(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
) -> str:
    if len(request.headers.getlist("authorization")) > 1:
        raise KeyRefused("The header Authorization comes more than once. Send it once.")
    key = given.credentials if given else None
    tenant = tenant_of(key, _services(request).settings.api_keys)
    request.state.tenant = tenant
    return tenant


#: The services of the application.
ServicesOf = Annotated[Services, Depends(_services)]

#: The tenant that asks; refuses those without a key.
Tenant = Annotated[str, Depends(_tenant)]
