"""Drawn lines as samples: the same seed draws the same line."""

from pathlib import Path
from random import Random

from hwr.training import fonts, strokes, texts
from hwr.training.samples import Grey, LineSample


def stroke_sample(hand: strokes.Hand, seed: int) -> LineSample:
    """A line composed in `hand`."""
    rng = Random(seed)  # noqa: S311
    text, placed = strokes.compose(hand, rng)
    unit = rng.uniform(0.5, 0.85) * 44 / hand.height
    pen = max(1.0, rng.gauss(2.6, 0.7))
    x, _, last = placed[-1]
    return LineSample(
        dataset="strokes",
        name=f"strokes-{seed}",
        writer=hand.writer,
        text=text,
        width=round((x + last.width) * unit) + 16,
        load=lambda: strokes.draw(placed, unit, pen),
    )


def font_sample(path: Path, seed: int) -> LineSample:
    """A line of English text drawn with a font."""
    rng = Random(seed)  # noqa: S311
    text = texts.line_text(rng)
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
