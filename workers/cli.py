"""The command line: every command by its heading, and what an error of one looks like.

Exit codes: 0 all was read, 1 something was not, 2 the command line is wrong, 130 Ctrl-C.
"""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from hwr import __version__
from hwr.errors import HwrError
from workers.commands import (
    bench,
    jobs,
    language,
    layout,
    layout_training,
    local,
    measure,
    models,
    purge,
    registry,
    serve,
)
from workers.commands.show import SOME_FAILED, complain

app = typer.Typer(
    help="Reads handwriting from documents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

#: Commands by the heading they stand under in `hwr --help`.
COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Without a service": (local.read, local.lines, layout.layout),
    "With a service": (
        jobs.submit,
        jobs.status,
        jobs.results,
        jobs.cancel,
        jobs.jobs,
        jobs.delete,
    ),
    "Run the service": (serve.up, serve.api, serve.worker, purge.purge),
    "Make models": (
        models.train,
        language.train_language,
        layout_training.train_layout,
        models.average,
        models.quantise,
    ),
    "Measure": (measure.evaluate, measure.calibrate, bench.bench),
}


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hwr {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Reads handwriting from documents."""


for heading, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=heading)(command)


app.add_typer(registry.app, name="models", rich_help_panel="Make models")


def main() -> None:
    """Run the command; an error of ours or of a disk is one line on standard error."""
    try:
        app()
    except HwrError as error:
        complain(f"{error.code}: {error}")
        sys.exit(SOME_FAILED)
    except FileExistsError as error:
        complain(f"{error.filename} is a file. Name a folder, or remove the file.")
        sys.exit(SOME_FAILED)
    except OSError as error:
        complain(f"{error}. Check the path, its permissions and the space on its disk.")
        sys.exit(SOME_FAILED)
