"""`hwr purge`, for those who run the service."""

from typing import Annotated

import typer

from workers.commands.show import ALL_READ, SOME_FAILED, complain


def purge(
    older_than: Annotated[
        int,
        typer.Option(min=0, max=36_500, metavar="DAYS", help="Only jobs that ended before that."),
    ],
    tenant: Annotated[str | None, typer.Option(help="Only jobs of this tenant.")] = None,
    abandoned: Annotated[
        bool,
        typer.Option("--abandoned", help="Also what the storage has of no job, a day old or more."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing, only say.")] = False,
) -> None:
    """Delete jobs that ended long ago, from the database and the storage that HWR_… name."""
    from workers.purge import purge as run
    from workers.settings import get_settings

    if abandoned and tenant is not None:
        raise typer.BadParameter("What is abandoned has no tenant. Leave one of both out.")
    gone = run(
        get_settings(),
        typer.echo,
        complain,
        days=older_than,
        tenant=tenant,
        abandoned=abandoned,
        dry_run=dry_run,
    )
    raise typer.Exit(ALL_READ if gone else SOME_FAILED)
