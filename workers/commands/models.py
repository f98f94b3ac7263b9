"""Commands that make and measure models: train and evaluate."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.commands.show import complain
from workers.settings import engine_of, get_settings

if TYPE_CHECKING:
    from hwr.model.alphabet import Alphabet
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
) -> None:
    """Train a model; stop it when you like, the same command goes on where it was."""
    from hwr.training.command import train as run
    from hwr.training.recipe import Recipe

    recipe = replace(Recipe(), steps=steps) if steps else Recipe()
    recipe = recipe if draw_fonts else replace(recipe, fonts=0.0)
    run(data, out, recipe, fonts)


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
) -> None:
    """Measure the model: CER and WER per data set, or per page with --pages."""
    from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
    from hwr.reader import Reader

    settings = get_settings()
    options = engine_of(settings) | ({"engine": engine} if engine else {})
    alphabet = Alphabet(DEFAULT_CHARACTERS)
    figures: dict[str, Any] = {}
    with Reader(**options) as reader:
        complain(f"{reader.identity}")
        rows = _pages(reader, data, alphabet) if pages else _sets(reader, data, split, alphabet)
        for name, text, entry in rows:
            typer.echo(f"{name:36} {text}")
            figures[name] = entry
        figures["reader"] = reader.identity
    if save:
        save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


Row = tuple[str, str, dict[str, Any]]


def _sets(reader: "Reader", data: Path, split: str, alphabet: "Alphabet") -> Iterator[Row]:
    from hwr.training.command import read_lines
    from hwr.training.evaluation import evaluate as measure

    for name, rates in measure(read_lines(data, split), reader.read_lines, alphabet).items():
        text = f"{rates.lines:5} lines  CER {rates.cer:7.2%}  WER {rates.wer:7.2%}"
        yield name, f"{text}  exact {rates.exact:7.2%}", asdict(rates)


def _pages(reader: "Reader", data: Path, alphabet: "Alphabet") -> Iterator[Row]:
    from hwr.training.pages import PlacedText, score_page, transcribed_pages

    for picture, truth in transcribed_pages(data / "pages"):
        (page,) = reader.pages(picture)
        read = [PlacedText(text=line.text, polygon=line.polygon) for line in page.lines]
        score = score_page(truth, read, alphabet)
        text = f"CER {score.inside.cer:7.2%}  with print {score.whole.cer:7.2%}"
        yield picture.stem, f"{text}  lines {score.lines[1]}/{score.lines[0]}", asdict(score)
