"""How a model reads drawn English by new hands: python tests/benchmarks/bench_hands.py DATA CUTTER.

Cuts the recorded words of DATA's validation writers into letters with CUTTER, a model's file or the
folder of a run (kept in build/hands), writes 160 lines in those hands, puts them on paper, and
reads them with the model and engine of the settings. No real English line is in it: letters are
real, what joins them is drawn.
"""

import sys
from pathlib import Path
from random import Random

import numpy as np

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.reader import Reader
from hwr.training.command import earlier
from hwr.training.drawn import hand_sample
from hwr.training.hands import read_hands
from hwr.training.metrics import error_rates
from hwr.training.paper import on_paper
from hwr.training.samples import Grey
from hwr.training.wording import Wording
from workers.models.choice import engine_of
from workers.settings import get_settings

LINES = 160
ALPHABET = Alphabet(DEFAULT_CHARACTERS)


def main(data: Path, after: Path) -> None:
    """Print the error rates of both decoders."""
    pictures, truths = draw(data / "strokes/writepad.jsonl.xz", after)
    for decoder in ("best-path", "auto"):
        with Reader(**engine_of(get_settings()) | {"decoder": decoder}) as reader:
            readings = [reading.text for reading in reader.read_lines(pictures)]
        rates = error_rates(zip(truths, readings, strict=True))
        sys.stdout.write(f"{decoder:10} CER {rates.cer:7.2%}  WER {rates.wer:7.2%}\n")


def draw(strokes: Path, after: Path) -> tuple[list[Grey], list[str]]:
    """Lines in the validation writers' hands, and what they say."""
    _, cutter = earlier(after, ALPHABET)
    if cutter is None:
        sys.exit(f"{after} lacks the head that cuts words. Name a run or a newer model.")
    hands = read_hands(strokes, "val", cutter, Path("build/hands"))
    rng, paper = Random(1), np.random.default_rng(1)
    samples = [
        hand_sample(rng.choice(hands), rng.choice(hands), Wording(), rng.getrandbits(40))
        for _ in range(LINES)
    ]
    truths = [ALPHABET.fold(sample.text) for sample in samples]
    return [on_paper(sample.load(), paper) for sample in samples], truths


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
