"""Commands that make models: train, average and quantise."""

import logging
import sys
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer

from hwr.errors import ModelError
from workers.commands.options import Data, RunFolder, Steps


def train(
    data: Data,
    out: RunFolder,
    steps: Steps = None,
    fonts: Annotated[Path, typer.Option(help="Folder that keeps fetched fonts.")] = Path(
        "build/fonts"
    ),
    corpora: Annotated[Path, typer.Option(help="Folder that keeps fetched running text.")] = Path(
        "build/corpora"
    ),
    draw_fonts: Annotated[
        bool, typer.Option(help="Draw lines with fonts, and running text; needs npm.")
    ] = True,
    after: Annotated[
        Path | None,
        typer.Option(
            help="Folder of an earlier run, or a model's file: start from its weights, and write"
            " lines in recorded hands, which it cuts into letters."
        ),
    ] = None,
    freeze: Annotated[
        bool,
        typer.Option("--freeze", help="Train only what follows the convolutions."),
    ] = False,
    columns: Annotated[
        int | None,
        typer.Option(min=64, help="Columns of pixels a step; a GPU wants 65536 and more."),
    ] = None,
    loaders: Annotated[
        int,
        typer.Option(
            min=0, max=64, help="Processes that draw and distort lines ahead, for each of torchrun."
        ),
    ] = 0,
    patience: Annotated[
        int,
        typer.Option(min=0, help="Validations without a better one before it ends; 0: never."),
    ] = 0,
    recombined: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of real lines made of words of their writer; with --after."
        ),
    ] = 0.0,
    agreement: Annotated[
        float,
        typer.Option(min=0, help="Weight of reading two distorted copies of a line alike."),
    ] = 0.0,
    rate: Annotated[
        float | None,
        typer.Option(min=1e-7, max=1, help="Peak learning rate; default: as --columns want it."),
    ] = None,
    cooldown: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of the steps over which the rate falls; default: the recipe's.",
        ),
    ] = None,
) -> None:
    """Train a model; stop it when you like, the same command goes on where it was."""
    from hwr.training.command import train as run
    from hwr.training.recipe import Recipe

    chosen: dict[str, Any] = {
        "steps": steps,
        "fonts": None if draw_fonts else 0.0,
        "frozen": freeze,
        "patience": patience,
        "recombined": recombined,
        "agreement": agreement,
        "rate": rate,
        "cooldown": cooldown,
    }
    usual = Recipe().for_columns(columns) if columns else Recipe()
    recipe = replace(usual, **{name: value for name, value in chosen.items() if value is not None})
    run(data, out, recipe, fonts, corpora, after, loaders=loaders)


def average(
    out: Annotated[Path, typer.Argument(help="File that the mean is written to.")],
    models: Annotated[
        list[str], typer.Argument(help="Each model and its share: FILE=SHARE.", metavar="MODELS...")
    ],
) -> None:
    """Average the weights of models of which one went on from the other."""
    from hwr.model.weights import load_model, save_model
    from hwr.training.averaging import mean

    named = [_share(model) for model in models]
    loaded = [load_model(path) for path, _ in named]
    save_model(out, mean(loaded, [share for _, share in named]), loaded[0].alphabet)
    typer.echo(f"{out} {load_model(out).hash}")


def _share(model: str) -> tuple[Path, float]:
    name, _, share = model.rpartition("=")
    try:
        value = float(share)
    except ValueError:
        value = 0.0
    if not (name and 0 < value < inf):
        raise typer.BadParameter(f"{model} is not FILE=SHARE with a share above 0, as in a.st=0.6")
    return Path(name), value


def quantise(
    data: Data,
    allow: Annotated[
        float, typer.Option(help="Points of CER that a validation set may lose.")
    ] = 0.1,
) -> None:
    """Prepare the model (HWR_MODEL) for reading in 8 bits on CPUs; the result lies beside it."""
    from hwr.model.quantisation import quantisation_path, save_quantisation
    from hwr.model.weights import load_model
    from hwr.training.datasets import read_folder
    from hwr.training.quantising import quantise as run
    from workers.models.choice import registered
    from workers.settings import get_settings

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    settings = get_settings()
    if version := registered(settings):
        raise ModelError(
            f"HWR_MODEL is {version}, and versions never change. Name the model's file, and"
            " publish it with the result as another version."
        )
    model = load_model(settings.model)
    found = run(model, read_folder(data, "train"), read_folder(data, "val"), allow / 100)
    save_quantisation(model.path, found)
    for name, (lines, exact, rounded) in found.cer.items():
        change = f"{100 * (rounded - exact):+.2f} points"
        typer.echo(f"{name:36} {lines:5} lines  CER {exact:7.2%} → {rounded:7.2%}  {change}")
    typer.echo(f"{quantisation_path(model.path)} {found.hash}")
