"""The FastAPI application, and how it is served."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from celery.app.defaults import DEFAULT_PROCESS_LOG_FMT
from fastapi import FastAPI

import hwr
from workers.api import documentation, errors, exposure, health, jobs, metrics, results
from workers.api.audit import Audit
from workers.api.browser_headers import BrowserHeaders
from workers.api.framing import Framing
from workers.api.services import open_services
from workers.api.timing import Timing
from workers.settings import Settings

#: Seconds that requests in progress get when the API is told to end. Of the minute that supervisors
#: give it, the rest is for taking back what was cut off.
_GRACE_S = 50


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings. Connects to nothing before the first request."""
    services = open_services(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await services.submissions.over()
        await services.sending.over()
        await asyncio.to_thread(services.close)

    # An address with a slash too many is a 404: a redirection would have an upload sent twice, and
    # behind a proxy that does TLS it names the wrong scheme.
    app = FastAPI(
        title="hwr",
        version=hwr.__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # FastAPI's own pages fetch scripts from elsewhere
        redoc_url=None,
    )
    app.state.services = services
    app.include_router(documentation.router)
    app.include_router(health.router)
    app.include_router(jobs.router)
    app.include_router(results.router)
    if settings.metrics_token:
        app.include_router(metrics.router)
    errors.install(app)
    app.add_middleware(Framing)
    app.add_middleware(BrowserHeaders)
    app.add_middleware(Timing, services.times)
    app.add_middleware(Audit)  # around it, for it keeps what was cut off to itself
    return app


def serve(settings: Settings) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    _log_as_workers_do()
    exposure.warn(settings)
    uvicorn.run(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        server_header=False,
        access_log=False,
        ws="none",
        log_config=None,
        timeout_graceful_shutdown=_GRACE_S,
    )


def _log_as_workers_do() -> None:
    logging.basicConfig(level=logging.INFO, format=DEFAULT_PROCESS_LOG_FMT, stream=sys.stderr)
