"""Commands that make and measure models: train and evaluate."""

import json
import logging
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.commands.show import complain
from workers.settings import engine_of, get_settings

if TYPE_CHECKING:
    from hwr.reader import Reader

Data = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="Folder that holds lines/ with packs.")
]


def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the run; a run there goes on.")],
    steps: Annotated[
        int | None, typer.Option(help="Optimiser steps; default: the recipe's.")
    ] = None,
    fonts: Annotated[Path, typer.Option(help="Folder that keeps fetched fonts.")] = Path(
        "build/fonts"
    ),
    draw_fonts: Annotated[bool, typer.Option(help="Draw lines with fonts; needs npm.")] = True,
    after: Annotated[
        Path | None,
        typer.Option(
            help="Folder of an earlier run: start from its weights, and write lines in recorded"
            " hands, which it cuts into letters."
        ),
    ] = None,
) -> None:
    """Train a model; stop it when you like, the same command goes on where it was."""
    from hwr.training.command import train as run
    from hwr.training.recipe import Recipe

    recipe = replace(Recipe(), steps=steps) if steps else Recipe()
    recipe = recipe if draw_fonts else replace(recipe, fonts=0.0)
    run(data, out, recipe, fonts, after)


def evaluate(
    data: Data,
    split: Annotated[str, typer.Option(help="val or train")] = "val",
    pages: Annotated[bool, typer.Option(help="Whole pages of DATA/pages, not lines.")] = False,
    engine: Annotated[
        str | None, typer.Option(help="Engine that reads; default: the setting HWR_ENGINE.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--json", help="Also write the figures here.")
    ] = None,
    worst: Annotated[
        Path | None,
        typer.Option(help="Also draw the worst-read lines with their texts to this PNG."),
    ] = None,
) -> None:
    """Measure the model: CER and WER per data set and writer, or per page with --pages."""
    from hwr.reader import Reader

    settings = get_settings()
    options = engine_of(settings) | ({"engine": engine} if engine else {})
    with Reader(**options) as reader:
        complain(f"{reader.identity}")
        found = _pages(reader, data) if pages else _lines(reader, data, split, worst)
        figures = {"reader": reader.identity, **found}
    if save:
        save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _lines(reader: "Reader", data: Path, split: str, worst: Path | None) -> dict[str, Any]:
    from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
    from hwr.training.command import read_lines
    from hwr.training.evaluation import read_samples
    from hwr.training.report import report
    from hwr.training.sheet import write_sheet
    from workers.commands.tables import report_tables

    alphabet = Alphabet(DEFAULT_CHARACTERS)
    results = read_samples(read_lines(data, split), reader.read_lines, alphabet)
    found = report(results)
    for row in report_tables(found):
        typer.echo(row)
    if worst:
        write_sheet(worst, results)
    return asdict(found)


def _pages(reader: "Reader", data: Path) -> dict[str, Any]:
    from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
    from hwr.training.pages import PlacedText, score_page, transcribed_pages

    alphabet = Alphabet(DEFAULT_CHARACTERS)
    scores: dict[str, Any] = {}
    for picture, truth in transcribed_pages(data / "pages"):
        (page,) = reader.pages(picture)
        read = [PlacedText(text=line.text, polygon=line.polygon) for line in page.lines]
        score = score_page(truth, read, alphabet)
        scores[picture.stem] = asdict(score)
        text = f"CER {score.inside.cer:7.2%}  with print {score.whole.cer:7.2%}"
        typer.echo(f"{picture.stem:36} {text}  lines {score.lines[1]}/{score.lines[0]}")
    return {"pages": scores}


def quantise(
    data: Data,
    allow: Annotated[
        float, typer.Option(help="Points of CER that a validation set may lose.")
    ] = 0.1,
) -> None:
    """Prepare the model (HWR_MODEL) for reading in 8 bits on CPUs; the result lies beside it."""
    from hwr.model.quantisation import quantisation_path, save_quantisation
    from hwr.model.weights import load_model
    from hwr.training.command import read_lines
    from hwr.training.quantising import quantise as run

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model = load_model(get_settings().model)
    found = run(model, read_lines(data, "train"), read_lines(data, "val"), allow / 100)
    save_quantisation(model.path, found)
    for name, (lines, exact, rounded) in found.cer.items():
        change = f"{100 * (rounded - exact):+.2f} points"
        typer.echo(f"{name:36} {lines:5} lines  CER {exact:7.2%} → {rounded:7.2%}  {change}")
    typer.echo(f"{quantisation_path(model.path)} {found.hash}")
