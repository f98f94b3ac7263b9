"""`hwr train`: from a data folder to a model, in one command that can be stopped and started again.

The folder holds lines/ (packs), and if there strokes/writepad.jsonl.xz.
"""

import logging
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.training.batches import BatchPlan, Sources
from hwr.training.fonts import fetch_fonts
from hwr.training.packs import pack_names, read_pack
from hwr.training.recipe import Recipe, default_network
from hwr.training.samples import LineSample
from hwr.training.strokes import read_hands
from hwr.training.trainer import Trainer, join_processes
from hwr.training.validation import curve_validation

_STROKES = "strokes/writepad.jsonl.xz"
#: Lines of each set that the curve is measured on; `hwr evaluate` takes all of them.
_CURVE_LINES = 120


def train(data: Path, out: Path, recipe: Recipe, fonts: Path, every: int = 500) -> None:
    """Train on `data`, writing checkpoints, curve and model to `out`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    join_processes()
    torch.set_num_threads(1 if dist.is_initialized() else torch.get_num_threads())
    alphabet = Alphabet(DEFAULT_CHARACTERS)
    rank = dist.get_rank() if dist.is_initialized() else 0
    plan = BatchPlan(read_sources(data, fonts if recipe.fonts else None), recipe, alphabet, rank)
    validate = curve_validation(_few(read_lines(data, "val")), alphabet, out / "worst.png")
    network = default_network(alphabet.classes)
    Trainer(out, recipe, network, alphabet, validate).run(plan, every=every)


def read_lines(data: Path, split: str) -> list[LineSample]:
    """All real lines of a split."""
    lines = data / "lines"
    return [s for name in pack_names(lines) for s in read_pack(lines, name, split)]


def read_sources(data: Path, fonts: Path | None) -> Sources:
    """Everything the shipped model is trained on; other data folders may lack strokes."""
    strokes = data / _STROKES
    return Sources(
        real=read_lines(data, "train"),
        hands=read_hands(strokes, "train") if strokes.exists() else [],
        fonts=fetch_fonts(fonts) if fonts else [],
    )


def _few(samples: list[LineSample]) -> list[LineSample]:
    kept: dict[str, int] = {}
    few = []
    for sample in samples:
        kept[sample.dataset] = kept.get(sample.dataset, 0) + 1
        if kept[sample.dataset] <= _CURVE_LINES:
            few.append(sample)
    return few
