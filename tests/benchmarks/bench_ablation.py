"""What each source of lines and each kind of distortion brings, at equal small budgets.

    python tests/benchmarks/bench_ablation.py DATA RUN [--steps 200] [--only NAME …]

RUN is the folder of a run. Its network's convolutions stay as they are, its last recurrent layer is
taught anew for some steps, once with everything and once without each part; the other layers go on
from what they know. So it says what each part is worth to the recurrent layers; convolutions have
seen all of them. Every variant sees as many columns, from the same seed, and is judged by the
averaged weights on up to 120 validation lines of each set, and on drawn English lines in hands of
validation writers.

Each variant is a run of its own in the folder RUN/ablation-STEPS, and goes on where it was stopped.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import torch

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.network import Crnn
from hwr.training.augmentation import Group
from hwr.training.batches import BatchPlan, Sources
from hwr.training.command import some_of_each, wording
from hwr.training.cutter import Cutter
from hwr.training.datasets import read_folder
from hwr.training.drawn import hand_sample
from hwr.training.fonts import fetch_fonts
from hwr.training.hands import read_hands
from hwr.training.paper import on_paper
from hwr.training.recipe import Recipe
from hwr.training.samples import LineSample
from hwr.training.trainer import Trainer, load_averaged
from hwr.training.validation import curve_validation
from hwr.training.wording import Wording

ALPHABET = Alphabet(DEFAULT_CHARACTERS)
#: Drawn lines that judge English.
DRAWN_LINES = 120


def without(recipe: Recipe, group: Group) -> Recipe:
    """The recipe with every kind of distortion but one."""
    return replace(recipe, distortions=tuple(kind for kind in Group if kind is not group))


VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    "everything": lambda recipe: recipe,
    "without recorded hands": lambda recipe: replace(recipe, hands=0.0),
    "without fonts": lambda recipe: replace(recipe, fonts=0.0),
    "without real lines": lambda recipe: replace(recipe, hands=0.7, fonts=0.3),
    **{f"without {group}": partial(without, group=group) for group in Group},
}


def main() -> None:
    """Train and judge the variants, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    recipe = Recipe(steps=given.steps, warmup=20, short_pools=0, frozen=True, average=0.98)
    earlier = load_averaged(given.run)
    sources, judges = read(given.data, given.run, earlier)
    for name in given.only:
        folder = given.run / f"ablation-{given.steps}" / name.replace(" ", "-")
        scores = measure(folder, VARIANTS[name](recipe), sources, judges, earlier)
        print(f"{name:24}" + "".join(f"  {key} {cer:6.1%}" for key, cer in scores.items()))  # noqa: T201


def read(data: Path, run: Path, network: Crnn) -> tuple[Sources, list[LineSample]]:
    """What lines are made of, and the lines that judge."""
    strokes, cutter = data / "strokes/writepad.jsonl.xz", Cutter(network, ALPHABET)
    hands = {split: read_hands(strokes, split, cutter, run) for split in ("train", "val")}
    real = read_folder(data, "train")
    sources = Sources(
        real=real,
        hands=hands["train"],
        fonts=fetch_fonts(Path("build/fonts")),
        wording=wording(Path("build/corpora"), real, ALPHABET),
    )
    rng = Random(1)
    drawn = [
        on_its_paper(
            hand_sample(
                rng.choice(hands["val"]), rng.choice(hands["val"]), Wording(), rng.getrandbits(40)
            )
        )
        for _ in range(DRAWN_LINES)
    ]
    return sources, some_of_each(read_folder(data, "val")) + drawn


def on_its_paper(sample: LineSample) -> LineSample:
    """The drawn line on paper, the same whenever it is asked for."""
    seed = int(sample.name.removeprefix("hands-"))
    return replace(sample, load=lambda: on_paper(sample.load(), np.random.default_rng(seed)))


def measure(
    folder: Path, recipe: Recipe, sources: Sources, judges: list[LineSample], earlier: Crnn
) -> dict[str, float]:
    """The error rates of one variant."""
    curve = folder / "curve.jsonl"
    trainer = Trainer(
        folder,
        recipe,
        earlier.config,
        ALPHABET,
        curve_validation(judges, ALPHABET, folder / "worst.png"),
        start=forgetful(earlier, recipe.seed).state_dict(),
    )
    trainer.run(BatchPlan(sources, recipe, ALPHABET), every=recipe.steps)
    row = json.loads(curve.read_text(encoding="utf-8").splitlines()[-1])
    return {key: value for key, value in row.items() if key in {s.dataset for s in judges}}


def forgetful(network: Crnn, seed: int) -> Crnn:
    """The network with new weights in its last recurrent layer."""
    torch.manual_seed(seed)
    fresh = Crnn(network.config)
    last = f"_l{network.config.layers - 1}"
    kept = {name: tensor for name, tensor in network.state_dict().items() if last not in name}
    fresh.load_state_dict(kept, strict=False)
    return fresh


if __name__ == "__main__":
    main()
