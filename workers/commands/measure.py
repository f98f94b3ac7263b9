"""Commands that measure what is read: evaluate, and calibrate its confidence."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwr.errors import TrainingDataError
from hwr.training.pages.halves import Half
from hwr.training.splits import Split
from workers.commands.options import Data, DecoderName, to_write, write_whole
from workers.commands.show import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hwr.reader import Reader
    from hwr.training.evaluation import LineResult
    from workers.models.choice import EngineOptions

EngineName = Annotated[
    str | None, typer.Option("--engine", help="Engine that reads; default: HWR_ENGINE.")
]
Plot = Annotated[
    Path | None,
    typer.Option(callback=to_write, help="Also plot confidence and risk–coverage to this SVG."),
]

#: What is calibrated where no decoder is named.
USUAL_DECODERS = ("best-path", "auto")


def evaluate(
    data: Data,
    split: Annotated[Split, typer.Option(help="Which lines; all of your own.")] = Split.VAL,
    pages: Annotated[
        bool, typer.Option(help="Whole pages of DATA or DATA/pages, not lines.")
    ] = False,
    half: Annotated[Half, typer.Option(help="Which pages, sorted by name.")] = Half.ALL,
    engine: EngineName = None,
    decoder: DecoderName = None,
    save: Annotated[
        Path | None,
        typer.Option("--json", callback=to_write, help="Also write the figures here."),
    ] = None,
    worst: Annotated[
        Path | None,
        typer.Option(callback=to_write, help="Also draw the worst lines or pages to this PNG."),
    ] = None,
    plot: Plot = None,
) -> None:
    """Measure the model: error rates per data set and writer, or of whole pages with --pages."""
    from hwr.reader import Reader
    from workers.commands.pages import measure_pages

    with Reader(**_options(engine, decoder)) as reader:
        complain(f"{reader.identity}")
        found = (
            measure_pages(reader, data, half, worst)
            if pages
            else _lines(reader, data, split, worst, plot)
        )
        figures = {"reader": reader.identity, **found}
    if save:
        write_whole(save, json.dumps(figures, indent=1) + "\n")


def calibrate(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Model file.")],
    data: Data,
    decoder: Annotated[
        list[str] | None,
        typer.Option(help="Decoder, may be repeated; default: best-path and auto."),
    ] = None,
    engine: EngineName = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            callback=to_write, help="Also plot the last decoder's confidence to this SVG."
        ),
    ] = None,
) -> None:
    """Make a model's confidence true, on validation lines; the scales are saved beside it.

    The figures shown are cross-validated: every writer's confidence is scaled by what was learnt
    from the others.
    """
    from hwr.decoding.decoders import open_decoder
    from hwr.engines import open_engine
    from hwr.model.confidence import add_scale, scales_path
    from hwr.model.weights import load_model
    from hwr.training.calibrating import calibrate as fit
    from hwr.training.calibrating import weighing_reader
    from hwr.training.datasets import read_folder
    from hwr.training.evaluation import read_samples

    options = _options(engine, None)
    loaded = load_model(model)
    reading = open_engine(options["engine"], loaded, options["threads"])
    complain(f"{loaded.hash}, {reading.identity}")
    lines = read_folder(data, "val")
    for name in decoder or USUAL_DECODERS:
        by = open_decoder(name, loaded.alphabet, options["language_model"])
        read = weighing_reader(reading, by)
        found = fit(read_samples(lines, read, loaded.alphabet))
        typer.echo(f"{by.identity}: line {found.scale.line}, character {found.scale.character}")
        _reliability(found.results, plot)
        add_scale(scales_path(model), loaded.hash, by.identity, found.scale)
    complain(f"Saved {scales_path(model)}, which belongs to these weights and no others.")


def _options(engine: str | None, decoder: str | None) -> "EngineOptions":
    from workers.models.choice import engine_of
    from workers.settings import get_settings

    options = engine_of(get_settings(), decoder)
    if engine:
        options["engine"] = engine
    return options


def _lines(
    reader: "Reader", data: Path, split: Split, worst: Path | None, plot: Path | None
) -> dict[str, Any]:
    from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
    from hwr.training.datasets import read_folder
    from hwr.training.evaluation import read_samples
    from hwr.training.report import report
    from hwr.training.sheet import write_sheet
    from workers.commands.tables import report_tables

    alphabet = Alphabet(DEFAULT_CHARACTERS)
    results = read_samples(read_folder(data, split), reader.read_normalised, alphabet)
    if not results:
        raise TrainingDataError(_no_line(data, split))
    found = report(results)
    for row in report_tables(found):
        typer.echo(row)
    typer.echo("")
    confidence = _reliability(results, plot)
    if worst:
        write_sheet(worst, results)
    return {**asdict(found), "confidence": confidence}


def _no_line(data: Path, split: Split) -> str:
    from hwr.training.datasets import read_folder

    counts = {other: len(read_folder(data, other)) for other in Split if other is not split}
    others = [f"--split {other} ({count} lines)" for other, count in counts.items() if count]
    remedy = f"Take {' or '.join(others)}." if others else "See above for those left out."
    return f"{data} has no line of the split {split}. {remedy}"


def _reliability(results: "Sequence[LineResult]", plot: Path | None) -> dict[str, Any]:
    from hwr.training.plots import reliability_plot
    from hwr.training.reliability import by_set_and_all
    from workers.commands.tables import reliability_table

    sets = by_set_and_all(results)
    for row in reliability_table(sets):
        typer.echo(row)
    if plot:
        write_whole(plot, reliability_plot(results, sets))
    return {name: asdict(found) for name, found in sets.items()}
