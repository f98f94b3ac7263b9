"""Which lines a step sees. A function of (recipe, rank, step) alone, so that resuming is exact."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from hwr.errors import TrainingDataError
from hwr.model.alphabet import Alphabet
from hwr.model.line_image import normalise_line
from hwr.training.augmentation import Group, augment
from hwr.training.drawn import font_sample, hand_sample
from hwr.training.learnable import learnable
from hwr.training.letters import Hand
from hwr.training.paper import cluttered, on_paper
from hwr.training.recipe import Recipe
from hwr.training.recombination import Recombination
from hwr.training.samples import Grey, LineSample, stack_lines
from hwr.training.wording import Wording

_DRAWN = ("hands", "fonts")

#: (pool, batch inside the pool)
Position = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Lines of one step, all as wide as the widest: the rest is paper.

    Where lines come in two copies, all first copies are before all second ones.
    """

    #: (B, 64, W) uint8, ink is dark.
    lines: Grey
    #: (sum of lengths,) int64 classes of all lines, one after the other.
    targets: NDArray[np.int64]
    #: (B,) int64 characters of each line.
    target_lengths: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Everything lines can come from."""

    real: Sequence[LineSample]
    hands: Sequence[Hand]
    fonts: Sequence[Path]
    #: What the drawn lines say, besides words, names and amounts of their own.
    wording: Wording = field(default_factory=Wording)
    #: The real lines, parted into words; none: each line stays as it was written.
    parted: Recombination | None = None


class BatchPlan:
    """Endless batches for one process of a run.

    Raises:
        TrainingDataError: no real line can be used.
    """

    def __init__(self, sources: Sources, recipe: Recipe, alphabet: Alphabet, rank: int = 0) -> None:
        self._sources = sources
        self._recipe = recipe
        self._alphabet = alphabet
        self._rank = rank
        self._real = learnable(sources.real, recipe.widest, alphabet)
        if not self._real:
            raise TrainingDataError(
                "None of the lines can be trained on. See the log for the reason of each."
            )
        drawn = bool(sources.hands or sources.fonts)
        #: Whether a pool of short lines can be filled.
        self._has_short = drawn or any(s.width <= recipe.short_width for s in self._real)
        self._weights = np.cumsum([recipe.weights.get(s.dataset, 1.0) for s in self._real])

    def batches(self, start: Position = (0, 0)) -> Iterator[tuple[Position, Batch]]:
        """Batches from `start` on, each with the position after it, which is where to resume."""
        pool, offset = start
        while True:
            for index, batch in enumerate(self.batches_in(pool, offset), offset):
                yield (pool, index + 1), batch
            pool, offset = pool + 1, 0

    def batches_in(self, pool: int, first: int = 0) -> Iterator[Batch]:
        """The batches of one pool, from number `first` on."""
        rng = self._rng(pool)
        samples = self._pool(rng, self._limit(pool))
        lines = [self._line(sample, pool, index) for index, sample in enumerate(samples)]
        # As wide as distortion made them: by what was planned, a quarter of a batch was padding.
        groups = _by_area(sorted(lines, key=lambda line: line.width), self._recipe.columns)
        rng.shuffle(groups)
        yield from map(_batch, groups[first:])

    def _limit(self, pool: int) -> int:
        short = self._has_short and pool < self._recipe.short_pools
        return self._recipe.short_width if short else self._recipe.widest

    def _pool(self, rng: Random, limit: int) -> list[LineSample]:
        lines: list[LineSample] = []
        while len(lines) < self._recipe.pool:
            sample = self._draw(rng)
            if sample.width <= limit and self._alphabet.fold(sample.text):
                lines.append(sample)
        return lines

    def _draw(self, rng: Random) -> LineSample:
        chance, seed = rng.random(), rng.getrandbits(40)
        share = self._recipe.hands if self._sources.hands else 0.0
        if chance < share:
            hand, lender = rng.choice(self._sources.hands), rng.choice(self._sources.hands)
            return hand_sample(hand, lender, self._sources.wording, seed)
        if self._sources.fonts and chance < share + self._recipe.fonts:
            return font_sample(rng.choice(self._sources.fonts), self._sources.wording, seed)
        return self._real_line(rng)

    def _real_line(self, rng: Random) -> LineSample:
        point = rng.random() * self._weights[-1]
        line = self._real[int(np.searchsorted(self._weights, point, side="right"))]
        if self._sources.parted and rng.random() < self._recipe.recombined:
            return self._sources.parted.like(line, rng)
        return line

    def _line(self, sample: LineSample, pool: int, index: int) -> "_Line":
        rng = np.random.default_rng((self._recipe.seed, self._rank, pool, index))
        return _Line(copies=self._copies(sample, rng), codes=self._alphabet.encode(sample.text))

    def _copies(self, sample: LineSample, rng: np.random.Generator) -> list[Grey]:
        image = sample.load()
        if sample.dataset in _DRAWN:
            image = on_paper(image, rng)
        elif Group.CLUTTER in self._recipe.distortions and rng.random() < 0.3:
            image = cluttered(image, rng)
        copies = augment(image, rng, self._recipe.distortions, self._recipe.copies)
        return [normalise_line(copy) for copy in copies]

    def _rng(self, pool: int) -> Random:
        return Random(f"{self._recipe.seed}/{self._rank}/{pool}")  # noqa: S311


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A line as a step sees it."""

    #: (64, width) uint8, each distorted in its own way.
    copies: Sequence[Grey]
    #: Classes of its characters.
    codes: Sequence[int]

    @property
    def width(self) -> int:
        return len(self.copies[0][0])

    @property
    def columns(self) -> int:
        """Of all copies together."""
        return self.width * len(self.copies)


def _batch(lines: Sequence[_Line]) -> Batch:
    copies = range(len(lines[0].copies))
    codes = [line.codes for _ in copies for line in lines]
    return Batch(
        lines=stack_lines([line.copies[copy] for copy in copies for line in lines]),
        targets=np.array([code for own in codes for code in own], np.int64),
        target_lengths=np.array([len(own) for own in codes], np.int64),
    )


def _by_area(lines: Iterable[_Line], columns: int) -> list[list[_Line]]:
    groups: list[list[_Line]] = [[]]
    for line in lines:
        if groups[-1] and (len(groups[-1]) + 1) * line.columns > columns:
            groups.append([])
        groups[-1].append(line)
    return groups
