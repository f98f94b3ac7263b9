"""What the commands have in common: printing results, and what they end with."""

from collections.abc import Iterable
from pathlib import Path

import typer

from workers.output import Folder, Format, Result, problems, render

#: Exit codes; 2 is a mistake on the command line.
ALL_READ, SOME_FAILED = 0, 1


def complain(message: str) -> None:
    """Say something on standard error."""
    typer.echo(message, err=True)


def show(results: Iterable[Result], form: Format, out: Path | None, *, several: bool) -> int:
    """Print results, or save them in a folder; problems go to standard error.

    Args:
        several: Whether there may be more than one, so that texts need a heading.

    Returns:
        The exit code: ALL_READ or SOME_FAILED.
    """
    folder = Folder(out) if out else None
    code = ALL_READ
    for result in results:
        if folder:
            complain(f"{result['name']} → {folder.save(result, form)}")
        else:
            _print(result, form, several)
        for problem in problems(result):
            code = SOME_FAILED
            complain(problem)
    return code


def _print(result: Result, form: Format, several: bool) -> None:
    if several and form is Format.TEXT:
        typer.echo(f"==> {result['name']} <==")
    typer.echo(render(result, form), nl=False)
