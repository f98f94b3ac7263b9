"""Drawn lines as samples: the same seed draws the same line."""

from pathlib import Path
from random import Random

import numpy as np

from hwr.model.line_image import LINE_HEIGHT
from hwr.training import fonts, texts
from hwr.training.composition import can_write, compose
from hwr.training.letters import Hand
from hwr.training.pen import draw
from hwr.training.samples import Grey, LineSample
from hwr.training.wording import Wording


def hand_sample(hand: Hand, lender: Hand, wording: Wording, seed: int) -> LineSample:
    """A line of text written in `hand`."""
    rng = Random(seed)  # noqa: S311
    text = _writable(hand, lender, wording, rng)
    strokes = compose(hand, text, rng, lender)
    unit, top, bottom = rng.uniform(16, 30), rng.uniform(1.2, 2.2), rng.uniform(0.1, 0.9)
    points = np.concatenate(strokes)
    (left, high), (right, low) = points.min(axis=0), points.max(axis=0)
    # A word without ascenders would fill the height: keep the room that a page's line has.
    high, low = min(high, -top) - 0.15, max(low, bottom) + 0.15
    pen = max(1.0, unit * rng.uniform(0.05, 0.16))
    nib = rng.uniform(0.2, 0.6) if rng.random() < 0.3 else 0.0
    return LineSample(
        dataset="hands",
        name=f"hands-{seed}",
        writer=hand.writer,
        text=text,
        width=round((right - left + 0.8) / (low - high) * LINE_HEIGHT),
        load=lambda: draw(
            [(stroke - (left - 0.4, high)) * unit for stroke in strokes],
            pen,
            nib,
            shape=(int((low - high) * unit) + 1, int((right - left + 0.8) * unit) + 1),
        ),
    )


def _writable(hand: Hand, lender: Hand, wording: Wording, rng: Random) -> str:
    """A text without the words that neither hand can write."""
    text = ""
    while not text:
        words = wording.line(rng).split()
        text = " ".join(word for word in words if can_write(hand, word, lender))
    return text


def font_sample(path: Path, wording: Wording, seed: int) -> LineSample:
    """A line of text drawn with a font."""
    rng = Random(seed)  # noqa: S311
    text = wording.line(rng)
    while not fonts.can_draw(path, text):
        text = texts.sentence(rng).translate({ord(c): None for c in "\"'()?!;:"})

    def load() -> Grey:
        return fonts.draw_text(path, text, Random(seed))  # noqa: S311

    return LineSample(
        dataset="fonts",
        name=f"fonts-{seed}",
        writer=path.stem,
        text=text,
        width=len(text) * 19 + 20,
        load=load,
    )
