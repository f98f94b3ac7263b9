"""The command that makes a language model: train-language."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwr.errors import TrainingDataError
from hwr.training.splits import MORE_TO_VALIDATE
from workers.commands.options import Data

if TYPE_CHECKING:
    from hwr.decoding.decoders import Decoder
    from hwr.training.heed import SeenLine


def train_language(
    data: Data,
    out: Annotated[Path, typer.Option(help="File to write the language model to.")],
    corpora: Annotated[Path, typer.Option(help="Folder that keeps fetched text.")] = Path(
        "build/corpora"
    ),
) -> None:
    """Train a language model, choose how far to heed it, and show what it brings.

    It learns from open text and from the training transcriptions of DATA. Half of the validation
    lines choose its weight, under the recogniser that the settings name; the table is about the
    other half.
    """
    from hwr.decoding.decoders import BestPathDecoder
    from hwr.decoding.language_model import LanguageModel, save_language_model
    from hwr.engines import open_engine
    from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
    from hwr.model.weights import load_model
    from hwr.training.datasets import read_folder
    from hwr.training.heed import beam, choose_heed, halve, see_lines
    from hwr.training.language import LanguageRecipe
    from hwr.training.language import train_language as train
    from workers.models.choice import model_files
    from workers.settings import get_settings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    settings = get_settings()
    recogniser = load_model(model_files(settings).line)
    if not (validation := read_folder(data, "val")):
        raise TrainingDataError(
            f"{data} has no line to choose with how far to heed the model. {MORE_TO_VALIDATE}"
        )
    table = train(data, corpora, Alphabet(DEFAULT_CHARACTERS), LanguageRecipe())
    engine = open_engine(settings.engine, recogniser, settings.engine_threads)
    lines = see_lines(validation, engine, recogniser.alphabet)
    choosing, others = halve(lines)
    model = LanguageModel(table)
    heed = choose_heed(choosing, model, recogniser.alphabet)
    save_language_model(out, table, heed)
    guided = beam(model, recogniser.alphabet, heed)
    _show(others, BestPathDecoder(recogniser.alphabet), guided)


def _show(lines: "Sequence[SeenLine]", plain: "Decoder", guided: "Decoder") -> None:
    from hwr.training.heed import rates

    before, after = rates(lines, plain), rates(lines, guided)
    typer.echo(f"{'set':36} lines  best path: CER     WER   beam: CER     WER")
    for name, one in before.items():
        two = after[name]
        row = f"{name:36} {one.lines:5}  {one.cer:14.2%} {one.wer:7.2%}"
        typer.echo(f"{row}  {two.cer:9.2%} {two.wer:7.2%}")
