"""`hwr train`: from a data folder to a model, in one command that can be stopped and started again.

The folder holds data sets (`hwr.training.datasets`), and if there strokes/writepad.jsonl.xz.
Recorded words are cut into letters by an earlier run, so the first run does without them.
"""

import logging
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from hwr.errors import ModelError, TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.weights import load_model
from hwr.training.batches import BatchPlan, Sources
from hwr.training.compute import Compute, join_processes, one_first
from hwr.training.corpora import ENGLISH, FRENCH, Corpus, corpus_texts
from hwr.training.cutter import Cutter
from hwr.training.datasets import read_folder
from hwr.training.fonts import fetch_fonts
from hwr.training.hands import read_hands
from hwr.training.letters import Hand
from hwr.training.progress import log_handler
from hwr.training.recipe import Recipe, default_network
from hwr.training.recombination import Recombination
from hwr.training.samples import LineSample
from hwr.training.splits import MORE_TO_VALIDATE
from hwr.training.texts import Prose
from hwr.training.trainer import Trainer, load_averaged
from hwr.training.validation import curve_validation
from hwr.training.wording import Wording, in_words
from hwr.training.words import read_cuts

log = logging.getLogger(__name__)

_STROKES = "strokes/writepad.jsonl.xz"
#: Lines of each set that the curve is measured on; `hwr evaluate` takes all of them.
_CURVE_LINES = 120


def train(
    data: Path,
    out: Path,
    recipe: Recipe,
    fonts: Path,
    corpora: Path,
    after: Path | None = None,
    loaders: int = 0,
) -> None:
    """Train on `data`, writing checkpoints, curve and model to `out`.

    `fonts` and `corpora` keep what is fetched to draw lines; a recipe without fonts fetches
    nothing. `after` is an earlier run's folder or a model's file: training starts from its weights,
    and it cuts the recorded words into letters and parts real lines into words, unless it is a file
    without the shortcut head, which older ones are. `loaders` processes draw and distort lines
    ahead.

    Raises:
        TrainingDataError: there is nothing to train on, `after` holds no checkpoint or a model
            with another alphabet, or nothing is named whose convolutions could stay as they are or
            which could part lines into words.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", handlers=[log_handler()]
    )
    join_processes(Compute.best())
    torch.set_num_threads(1 if dist.is_initialized() else torch.get_num_threads())
    alphabet = Alphabet(DEFAULT_CHARACTERS)
    weights, cutter = earlier(after, alphabet) if after else (None, None)
    _check_taught(recipe, out, weights, cutter)
    if after:
        recipe = replace(recipe, short_pools=0)
    real = _real_lines(data)
    sources = Sources(
        real=real,
        hands=_hands(data / _STROKES, cutter, out) if recipe.hands else [],
        fonts=_fonts(fonts) if recipe.fonts else [],
        wording=wording(corpora, real, alphabet) if recipe.fonts else Wording(),
        parted=_parted(_with_text(real, alphabet), cutter, out) if recipe.recombined else None,
    )
    validating = _validating(data)
    validate = curve_validation(validating, alphabet, out / "worst.png")
    rank = dist.get_rank() if dist.is_initialized() else 0
    network = default_network(alphabet.classes)
    trainer = Trainer(out, recipe, network, alphabet, validate, start=weights)
    trainer.run(BatchPlan(sources, recipe, alphabet, rank), loaders=loaders)


def _check_taught(
    recipe: Recipe, out: Path, weights: dict[str, Tensor] | None, cutter: Cutter | None
) -> None:
    """See that what must know something already does."""
    if recipe.frozen and weights is None and not (out / "checkpoint.pt").exists():
        raise TrainingDataError("New convolutions must learn. Name trained ones with --after.")
    if recipe.recombined and cutter is None:
        raise TrainingDataError(
            "Only a trained network can tell where words are. Name one with --after, a run's folder"
            " or a model with the shortcut head, or leave --recombined out."
        )


def earlier(after: Path, alphabet: Alphabet) -> tuple[dict[str, Tensor], Cutter | None]:
    """The weights of a run's folder or of a model's file, and what they can cut words with.

    Raises:
        TrainingDataError: it is neither, or has another alphabet.
    """
    if after.is_dir():
        network = load_averaged(after)
        return network.state_dict(), Cutter(network, alphabet)
    try:
        model = load_model(after)
    except ModelError as error:
        raise TrainingDataError(
            f"{after} is neither the folder of a run nor a model ({error}). Name one of the two."
        ) from error
    if model.alphabet != alphabet:
        raise TrainingDataError(
            f"{after} has another alphabet than models are trained with. Name another model, or"
            " train without one."
        )
    weights = {name: torch.from_numpy(values) for name, values in model.tensors.items()}
    cuts = model.config.training_tensors().keys() <= weights.keys()
    return weights, Cutter(model.network, alphabet) if cuts else None


def _real_lines(data: Path) -> list[LineSample]:
    real = read_folder(data, "train")
    if not real:
        raise TrainingDataError(f"{data} has no line to train on. See the log for those left out.")
    return real


def _validating(data: Path) -> list[LineSample]:
    found = some_of_each(read_folder(data, "val"))
    if not found:
        log.warning(
            "No line validates: nothing tells how well this run reads, and its last weights are"
            " kept, the best or not. %s",
            MORE_TO_VALIDATE,
        )
    return found


def _hands(strokes: Path, cutter: Cutter | None, kept: Path) -> list[Hand]:
    if cutter is None or not strokes.exists():
        return []
    with one_first():
        return read_hands(strokes, "train", cutter, kept)


def _parted(real: list[LineSample], cutter: Cutter | None, kept: Path) -> Recombination | None:
    if cutter is None:
        return None
    with one_first():
        return Recombination(real, read_cuts(real, cutter, kept))


def _with_text(lines: list[LineSample], alphabet: Alphabet) -> list[LineSample]:
    """Those that can be learned from: of another the ink would come into lines without a letter."""
    return [line for line in lines if alphabet.fold(line.text)]


def _fonts(kept: Path) -> list[Path]:
    with one_first():
        return fetch_fonts(kept)


def wording(corpora: Path, real: list[LineSample], alphabet: Alphabet) -> Wording:
    """What drawn lines say: fetched text, which `corpora` keeps, and the words of `real` lines.

    All of it is folded to `alphabet`: hands have no typographic quotes.
    """
    with one_first():
        english, french = (_prose(corpora, texts, alphabet) for texts in (ENGLISH, FRENCH))
    transcribed = in_words(alphabet.fold(line.text) for line in real)
    return Wording(english=english, french=french, transcribed=transcribed)


def _prose(kept: Path, corpora: tuple[Corpus, ...], alphabet: Alphabet) -> Prose:
    found = (text for corpus in corpora for text in corpus_texts(kept, corpus))
    return Prose.of(map(alphabet.fold, found))


def some_of_each(samples: list[LineSample]) -> list[LineSample]:
    """The first lines of each set, as many as the curve is measured on."""
    kept: dict[str, int] = {}
    few = []
    for sample in samples:
        kept[sample.dataset] = kept.get(sample.dataset, 0) + 1
        if kept[sample.dataset] <= _CURVE_LINES:
            few.append(sample)
    return few
