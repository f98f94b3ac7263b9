"""Commands that run the service: everything at once, or one part of it on a server."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from workers.address import DEFAULT_DATA
from workers.role import Role


def up(
    data: Annotated[Path, typer.Option(help="Folder that everything is kept in.")] = DEFAULT_DATA,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the API; default: HWR_API_PORT or 8080."),
    ] = None,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from workers.settings import get_settings
    from workers.up import up as run

    run(data, port or get_settings().api_port, typer.echo)


def api() -> None:
    """Run the HTTP interface with the servers that HWR_… name."""
    from workers.api.application import serve
    from workers.database import open_database
    from workers.migrations import upgrade
    from workers.settings import get_settings

    database = open_database(get_settings())
    upgrade(database)
    database.close()
    serve(get_settings())


def worker(role: Annotated[Role, typer.Argument(help="split or read")]) -> None:
    """Run a worker with the servers that HWR_… name."""
    # A fresh process: Celery must find some variables set before it is imported.
    command = [sys.executable, "-P", "-m", "workers.worker", role.value]
    os.execv(sys.executable, command)  # noqa: S606 (this very interpreter)
