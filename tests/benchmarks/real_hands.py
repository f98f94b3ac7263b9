"""Sheets that real people have written on: line pictures of packs, laid on drawn forms as ink.

Only the validation half of the packs is taken, which no shipped model has seen. A document is one
hand: a piece of one of its lines stands where a font would have written, cut between words where it
is too long, and is the truth there. Names come from the pack of names. What else the form asks for
is still written with fonts.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.weights import SHIPPED
from hwr.samples.hand import Writer
from hwr.samples.noise import Field, as_field
from hwr.samples.sheet import Colour, Sheet, new_sheet
from hwr.samples.truth import Kind
from hwr.training.command import earlier
from hwr.training.datasets.packs import pack_names, read_pack
from hwr.training.samples import LineSample
from hwr.training.words import Cuts, read_cuts

Grey = NDArray[np.uint8]

#: Names of packs that hold names begin so; those of printed form fields are no writing alone.
NAMES, FIELDS = "names", "fir"
#: Height of a small letter in page pixels (2 to 3.6 mm), and that of a capital in a name.
X_HEIGHTS, CAPITALS = (16.0, 28.0), (28.0, 44.0)
#: How far the lines of a hand climb or fall, as a tangent.
SLOPES = (-0.015, 0.015)
#: Widths of writing, in pixels, beyond the x of a zone. A pixel is at 200 dpi.
NAME_ROOM, RIGHT_MARGIN = 800, 175
#: Darkness that is paper, and how wide a rule of the source is at least, at 64 pixels of height.
PAPER, RULE = 0.12, 71
#: Height of every picture before it is brought to its size on the page.
HEIGHT = 64


@dataclass(frozen=True, kw_only=True)
class Scrap:
    """Some words in a real hand."""

    text: str
    #: Cut from its line as it came, grey (h, w).
    picture: Grey
    #: Share of ink, float32 (64, w), without the rules of its paper.
    ink: Field
    #: Row of its baseline in the ink, and the height of its small letters there.
    baseline: float
    x_height: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a pack and where it can be parted."""

    sample: LineSample
    cuts: Cuts

    def first_words(self, widest: float) -> Scrap | None:
        """So many of its words as are at most this wide, at 64 pixels of height."""
        image = self.sample.load()
        scale = len(image) / HEIGHT
        words = self.sample.text.split(" ")
        ends = [*self.cuts, image.shape[1] / scale]
        fits = [n for n, end in enumerate(ends, 1) if end is not None and end <= widest]
        if not fits or len(ends) != len(words):
            return None
        return scrap(image[:, : round(ends[fits[-1] - 1] * scale)], " ".join(words[: fits[-1]]))


@dataclass(kw_only=True)
class Hand:
    """One writer in one document."""

    lines: Sequence[Line]
    names: Sequence[LineSample]
    rng: np.random.Generator
    #: Index of the line that was taken last, height of a small letter on the page and in pictures.
    taken: int = field(init=False)
    x_height: float = field(init=False)
    came: float = field(init=False)
    slope: float = field(init=False)

    def __post_init__(self) -> None:
        self.taken = int(self.rng.integers(len(self.lines)))
        self.x_height = float(self.rng.uniform(*X_HEIGHTS))
        self.slope = float(self.rng.uniform(*SLOPES))
        whole = [line.first_words(np.inf) for line in self.lines[:12]]
        self.came = float(np.median([one.x_height for one in whole if one]))

    def words(self, room: int) -> tuple[Scrap, float]:
        """The next line as far as it fits into so many page pixels, and its scale."""
        scale = self.x_height / self.came
        for _ in self.lines:
            self.taken = (self.taken + 1) % len(self.lines)
            if found := self.lines[self.taken].first_words(room / scale):
                return found, scale
        raise SystemExit("No line of a writer can be cut. Choose another --seed.")

    def name(self, room: int) -> tuple[Scrap, float]:
        """Some name."""
        sample = self.names[int(self.rng.integers(len(self.names)))]
        found = scrap(sample.load(), sample.text)
        scale = float(self.rng.uniform(*CAPITALS)) / found.x_height
        return found, min(scale, room / found.ink.shape[1])


class Hands:
    """All unseen writers of a folder of packs, and what they have written so far."""

    def __init__(self, data: Path, kept: Path) -> None:
        folder = data / "lines" if (data / "lines").is_dir() else data
        packs = {name: read_pack(folder, name, "val") for name in pack_names(folder)}
        self.names = [
            sample
            for name, samples in packs.items()
            if name.startswith(NAMES)
            for sample in samples
            if _is_alone(sample)
        ]
        _, cutter = earlier(SHIPPED, Alphabet(DEFAULT_CHARACTERS))
        assert cutter is not None
        samples = [
            sample
            for name, samples in packs.items()
            if not name.startswith((NAMES, FIELDS))
            for sample in samples
        ]
        kept.mkdir(parents=True, exist_ok=True)
        writers: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for sample, cuts in zip(samples, read_cuts(samples, cutter, kept), strict=True):
            writers[sample.dataset, sample.writer].append(Line(sample=sample, cuts=cuts))
        self.writers = writers
        #: The picture of each text that stands on a sheet, as it came.
        self.pictures: dict[str, Grey] = {}

    def of(self, place: int, rng: np.random.Generator) -> Hand:
        """The writer of document `place`."""
        lines = list(self.writers.values())[place % len(self.writers)]
        return Hand(lines=lines, names=self.names, rng=rng)

    def sheets(self, place: int, rng: np.random.Generator) -> "Paper":
        """Makes the sheets of document `place`."""
        return Paper(hands=self, hand=self.of(place, rng))


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Blank sheets that somebody real is going to write on."""

    hands: Hands
    hand: Hand

    def __call__(
        self, width: int, height: int, tint: Colour, rng: np.random.Generator
    ) -> "HandSheet":
        """A blank sheet."""
        blank = new_sheet(width, height, tint, rng)
        return HandSheet(picture=blank.picture, rng=rng, hands=self.hands, hand=self.hand)


@dataclass(frozen=True, kw_only=True)
class HandSheet(Sheet):
    """A sheet that is written on with a real hand."""

    hands: Hands
    hand: Hand

    def write(
        self, text: str, x: int, baseline: int, writer: Writer, zone: str | None = None
    ) -> int:
        """Write some words of the hand, or a name, from `x`; what has digits as a font does."""
        if zone == "name":
            found, scale = self.hand.name(NAME_ROOM)
        elif zone is not None and zone.startswith("answer"):
            found, scale = self.hand.words(self.width - x - RIGHT_MARGIN)
        else:
            return super().write(text, x, baseline, writer, zone)
        self.hands.pictures[found.text] = found.picture
        coverage, row = _sloping(found, scale, self.hand.slope)
        corner = (x, baseline - row - round(self.rng.normal(1, 2)))
        return self._enter(found.text, Kind.HANDWRITING, coverage, corner, writer.ink, zone)


def _sloping(found: Scrap, scale: float, slope: float) -> tuple[Field, int]:
    """The ink at its size on the page and climbing or falling, cut to it, and its baseline."""
    height, width = (max(round(side * scale), 1) for side in found.ink.shape)
    smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = np.clip(cv2.resize(found.ink, (width, height), interpolation=smaller), 0, 1)
    room = round(abs(slope) * width / 2) + 1
    turn = np.array([(1, 0, 0), (slope, 1, room - slope * width / 2)], np.float64)
    sloped = as_field(cv2.warpAffine(sized, turn, (width, height + 2 * room)))
    rows, columns = (np.flatnonzero(sloped.max(axis=axis) > PAPER) for axis in (1, 0))
    cut = sloped[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return as_field(cut), round(found.baseline * scale) + room - int(rows[0])


def scrap(picture: Grey, text: str) -> Scrap:
    """A picture (h, w) of some words as ink."""
    ink = _ink(picture)
    baseline, x_height = _body(ink)
    return Scrap(text=text, picture=picture, ink=ink, baseline=baseline, x_height=x_height)


def _ink(picture: Grey) -> Field:
    """Share of ink (64, w), without the paper's shade and its rules."""
    width = max(round(picture.shape[1] * HEIGHT / len(picture)), 1)
    smaller = cv2.INTER_AREA if len(picture) > HEIGHT else cv2.INTER_CUBIC
    sized = cv2.resize(picture, (width, HEIGHT), interpolation=smaller).astype(np.float32)
    dark = np.clip(1 - sized / max(float(np.percentile(sized, 75)), 1.0), 0, 1)
    rules = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, RULE), np.float32))
    full = max(float(np.percentile(dark[dark > 2 * PAPER], 80)) if dark.max() > 0.3 else 1.0, 0.3)
    clean = np.clip((dark - rules - PAPER) / (full - PAPER), 0, 1)
    return as_field(0.9 * clean)


def _body(ink: Field) -> tuple[float, float]:
    """Row of the baseline at half of the width, and rows from there to the top of small letters."""
    rows = max(_profiles(ink), key=lambda profile: float(profile.var()))
    dense = np.flatnonzero(rows >= 0.5 * rows.max())
    return float(dense[-1] + 1), float(dense[-1] + 1 - dense[0])


def _profiles(ink: Field) -> Iterator[Field]:
    """Ink of each row, for some slopes of the line."""
    height, width = ink.shape
    for slope in np.linspace(-0.03, 0.03, 13):
        turn = np.array([(1, 0, 0), (slope, 1, -slope * width / 2)], np.float64)
        flat = cv2.warpAffine(ink, turn, (width, height))
        yield as_field(cv2.blur(flat.sum(axis=1, keepdims=True), (1, 3))[:, 0])


def _is_alone(sample: LineSample) -> bool:
    """Whether the picture of a name has no print of its form: one band of ink, not cut off."""
    written = _ink(sample.load()).max(axis=1) > 0.4
    bands = np.count_nonzero(np.diff(written.astype(np.int8), prepend=0) == 1)
    return not sample.name.startswith("form/") and bands == 1 and not written[[0, -1]].any()
