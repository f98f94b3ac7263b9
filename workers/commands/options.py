"""What several commands take."""

import os
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Argument(
        exists=True, help="Folder of data sets, or a zip (CONTRIBUTING.md tells which)."
    ),
]


def to_write(path: Path | None) -> Path | None:
    """A file that a command writes once its work is done, refused before where it cannot be."""
    if path and (path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK)):
        raise typer.BadParameter(f"{path} cannot be written. Make its folder or name another file.")
    return path
