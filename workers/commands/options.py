"""What several commands take."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hwr.profiles import Profile

Data = Annotated[
    Path,
    typer.Argument(
        exists=True, help="Folder of data sets, or a zip (CONTRIBUTING.md tells which)."
    ),
]

DecoderName = Annotated[
    str | None,
    typer.Option("--decoder", help="How logits become text; default: HWR_DECODER."),
]

ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="What kind of document: page, exam, cheque, one of HWR_PROFILES, or a .toml file.",
    ),
]

RunFolder = Annotated[Path, typer.Option(help="Folder of the run; a run there goes on.")]

Steps = Annotated[int | None, typer.Option(min=1, help="Optimiser steps; default: the recipe's.")]


def profile_of(given: str | None) -> "Profile":
    """The profile that is meant; free text where none was given.

    Raises:
        ProfileError: there is none, or its file cannot be used.
    """
    from hwr.forms import check_templates
    from hwr.profiles import FREE_TEXT, open_profile
    from workers.settings import get_settings

    profile = open_profile(given or FREE_TEXT, get_settings().profiles)
    check_templates(profile)
    return profile


def to_write(path: Path | None) -> Path | None:
    """A file that a command writes once its work is done, refused before where it cannot be."""
    if path and (path.is_dir() or not os.access(_written(path), os.W_OK)):
        raise typer.BadParameter(f"{path} cannot be written. Make its folder or name another file.")
    return path


def _written(path: Path) -> Path:
    """What has to let us write: a device itself, of a file its folder, where a new one is made."""
    from hwr.model.files import stays

    return path if stays(path) else path.resolve().parent


def write_whole(path: Path, text: str) -> None:
    """Write the file, as a whole or not at all."""
    from hwr.model.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
