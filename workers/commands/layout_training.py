"""The command that trains the finding of lines: train-layout."""

from pathlib import Path
from typing import Annotated

import typer

from workers.commands.options import RunFolder, Steps


def train_layout(
    data: Annotated[
        Path,
        typer.Argument(
            exists=True, help="Folder with transcribed pages/ and line packs in lines/."
        ),
    ],
    out: RunFolder,
    steps: Steps = None,
    after: Annotated[
        Path | None,
        typer.Option(
            exists=True, help="Weights to start from: a file, or an earlier run's folder."
        ),
    ] = None,
) -> None:
    """Train the network that finds lines; stop it when you like, the same command goes on."""
    from dataclasses import replace

    from hwr.training.layout.command import train_layout as run
    from hwr.training.layout.recipe import LayoutRecipe

    recipe = LayoutRecipe()
    run(data, out, replace(recipe, steps=steps) if steps else recipe, after)
