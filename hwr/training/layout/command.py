"""`hwr train-layout`: from a data folder to the weights of the line finder, in one command."""

import logging
from pathlib import Path

from hwr.errors import TrainingDataError
from hwr.training.datasets.packs import pack_names, read_pack
from hwr.training.layout.batches import Views
from hwr.training.layout.cutouts import Shelf
from hwr.training.layout.lettering import lettered
from hwr.training.layout.pages import held_out_names, tuning_pages
from hwr.training.layout.recipe import LayoutRecipe
from hwr.training.layout.trainer import LayoutTrainer
from hwr.training.layout.weights import load_weights
from hwr.training.progress import log_handler
from hwr.training.samples import LineSample

#: Every so many texts are lettered too.
_LETTERED_EVERY = 20
_PAGES, _LINES = "pages", "lines"


def train_layout(data: Path, out: Path, recipe: LayoutRecipe, after: Path | None = None) -> None:
    """Train on the pages of ``data`` and on drawn ones, writing checkpoints and weights to ``out``.

    A new run starts from the weights ``after``, a file or the folder of a run, if given.

    Raises:
        TrainingDataError: there are no transcribed pages or no lines in ``data``,
            or ``after`` holds no weights.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", handlers=[log_handler()]
    )
    pages = tuning_pages(data / _PAGES)
    collections = {page.collection for page in pages}
    lines = lines_to_draw(data, collections)
    if not lines:
        raise TrainingDataError(
            f"{data / _LINES} has no training line cut from these pages. Name its packs after"
            f" their collections ({', '.join(sorted(collections))}), as in NAME_lines.tsv, and see"
            " the log for lines left out."
        )
    shelf = Shelf([*lines, *lettered(line.text for line in lines[::_LETTERED_EVERY])])
    start = load_weights(after) if after else None
    LayoutTrainer(out, recipe, start).run(Views(pages, shelf, recipe))


def lines_to_draw(data: Path, collections: set[str]) -> list[LineSample]:
    """The training lines of ``data`` that were cut from pages, none of which is held out."""
    held_out = tuple(f"{stem}_" for stem in held_out_names(data / _PAGES))
    return [
        line
        for name in pack_names(data / _LINES)
        if name.partition("_")[0] in collections
        for line in read_pack(data / _LINES, name, "train")
        if not line.name.startswith(held_out)
    ]
