"""New lines out of the words of real ones: what one writer wrote nearby, in another order.

A network that sees each real line dozens of times learns its text by heart; of words in ever new
order it can only learn the writing. Pieces come from lines that are near each other in the data
set, so that pen and paper are the same, and the middles of their ink are brought to one height.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

import cv2
import numpy as np

from hwr.model.line_image import LINE_HEIGHT, normalise_line
from hwr.training.samples import Grey, LineSample
from hwr.training.words import Cuts

#: Lines before and after one whose words may stand beside its own.
_NEAR = 12
#: Most pieces taken from a line in a row, and rows that a piece is moved at most.
_IN_A_ROW, _MOST_ROWS = 3, 8
_PAPER = 255


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A word of a real line, or several that could not be parted."""

    text: str
    #: Columns at 64 pixels of height; the last one is open where it is the line's end.
    start: int
    end: int | None


@dataclass(frozen=True, kw_only=True)
class PartedLine:
    """A real line and its pieces from left to right."""

    sample: LineSample
    pieces: tuple[Piece, ...]

    def width(self, piece: Piece) -> int:
        """Pixels at 64 pixels of height."""
        return (self.sample.width if piece.end is None else piece.end) - piece.start


#: Neighbouring pieces of one line.
Run = tuple[PartedLine, tuple[Piece, ...]]


class Recombination:
    """Real lines, parted, by their place among the lines of their writer."""

    def __init__(self, samples: Sequence[LineSample], cuts: Sequence[Cuts]) -> None:
        self._near: dict[tuple[str, str], list[PartedLine]] = defaultdict(list)
        self._place: dict[tuple[str, str, str], int] = {}
        for sample, own in zip(samples, cuts, strict=True):
            lines = self._near[sample.dataset, sample.writer]
            self._place[sample.dataset, sample.writer, sample.name] = len(lines)
            lines.append(PartedLine(sample=sample, pieces=_pieces(sample.text, own)))

    def like(self, sample: LineSample, rng: Random) -> LineSample:
        """A line about as wide as `sample`, of words that its writer wrote near it.

        A sample whose writer wrote no other line comes back as it is.
        """
        lines = self._near[sample.dataset, sample.writer]
        if len(lines) < 2:
            return sample
        place = self._place[sample.dataset, sample.writer, sample.name]
        near = lines[max(0, place - _NEAR) : place + _NEAR + 1]
        runs = _runs(near, rng.uniform(0.6, 1.1) * sample.width, rng)
        return replace(
            sample,
            text=" ".join(piece.text for _, pieces in runs for piece in pieces),
            width=sum(line.width(piece) for line, pieces in runs for piece in pieces),
            load=partial(_picture, runs),
        )


def _pieces(text: str, cuts: Cuts) -> tuple[Piece, ...]:
    words = text.split()
    if len(words) != len(cuts) + 1:
        return (Piece(text=" ".join(words), start=0, end=None),)
    pieces, start, first = [], 0, 0
    for index, cut in enumerate(cuts, 1):
        if cut is not None:
            pieces.append(Piece(text=" ".join(words[first:index]), start=start, end=cut))
            start, first = cut, index
    return (*pieces, Piece(text=" ".join(words[first:]), start=start, end=None))


def _runs(lines: Sequence[PartedLine], width: float, rng: Random) -> list[Run]:
    runs: list[Run] = []
    while width > 0:
        line = rng.choice(lines)
        first = rng.randrange(len(line.pieces))
        pieces = line.pieces[first : first + rng.randint(1, _IN_A_ROW)]
        runs.append((line, pieces))
        width -= sum(map(line.width, pieces))
    return runs


def _picture(runs: Sequence[Run]) -> Grey:
    images = [normalise_line(line.sample.load()) for line, _ in runs]
    middles = [_middle(image) for image in images]
    parts = []
    for (_, pieces), image, middle in zip(runs, images, middles, strict=True):
        rows = round(max(-_MOST_ROWS, min(_MOST_ROWS, middles[0] - middle)))
        parts.append(_moved(image[:, pieces[0].start : pieces[-1].end], rows))
    return np.hstack(parts)


def _middle(image: Grey) -> float:
    """The mean row of the ink."""
    ink = (_PAPER - image.astype(np.float32)).sum(axis=1)
    return float((ink * np.arange(LINE_HEIGHT)).sum() / max(float(ink.sum()), 1.0))


def _moved(image: Grey, rows: int) -> Grey:
    """`image` (64, w) moved down by `rows`; paper comes after it."""
    shift = np.array([[1, 0, 0], [0, 1, rows]], np.float32)
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.warpAffine(image, shift, size, borderValue=_PAPER), np.uint8)
