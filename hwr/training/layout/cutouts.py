"""Written and printed lines without their paper, to be put on drawn pages."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hwr.samples.fonts import print_font
from hwr.training.samples import Grey, LineSample

#: How much of the paper ink hides, 0 to 1, float32 (h, w).
Cover = NDArray[np.float32]

#: Contrasts below this are paper.
_PAPER = 0.12
#: Columns with less ink than this (rows of full cover) are empty.
_EMPTY = 0.3
#: Ink covers more than this. A rule is as thin and as high as these shares of a line's height.
_INKED, _THIN, _HIGH = 0.3, 0.2, 0.75
#: Of a line at least so much is ink: what is less was too faint to be cut out.
_LEAST_COVER = 0.02
#: Words are apart by this share of a line's height.
_GAP = 0.2
#: Lines of at most so many characters are figures.
_SHORT = 3
#: The baseline is looked for in windows of so many line heights.
_WINDOW = 2.5


@dataclass(frozen=True, kw_only=True)
class Cutout:
    """One line's ink."""

    cover: Cover
    #: Row of the baseline at the left edge, and rows it falls a column.
    foot: float
    slope: float

    def resized(self, scale: float) -> "Cutout":
        """The line so many times as large."""
        height, width = self.cover.shape
        size = max(round(width * scale), 2), max(round(height * scale), 2)
        cover = cv2.resize(self.cover, size, interpolation=cv2.INTER_AREA)
        return Cutout(cover=np.asarray(cover, np.float32), foot=self.foot * scale, slope=self.slope)

    def part(self, left: int, right: int) -> "Cutout":
        """Some of its columns."""
        return Cutout(
            cover=self.cover[:, left:right], foot=self.foot + left * self.slope, slope=self.slope
        )


def cut_out(image: Grey) -> Cutout:
    """The ink of a line on plain paper, (h, w)."""
    dark, light = np.percentile(image[::3, ::3], (1, 80))
    paper = max(float(light), 30.0)
    contrast = 1 - image.astype(np.float32) / np.float32(paper)
    strong = max(1 - float(dark) / paper, 0.2)
    cover = np.clip((contrast - _PAPER * strong) / (strong * (0.9 - _PAPER)), 0, 1)
    foot, slope = _baseline(cover)
    return Cutout(cover=cover.astype(np.float32), foot=foot, slope=slope)


def printed(text: str, size: int) -> Cutout:
    """A line of print, ``size`` pixels an em."""
    mask, (_, top) = print_font(size).getmask2(text, mode="L", anchor="ls")
    width, height = mask.size
    cover = np.array(mask, np.float32).reshape(height, width) / np.float32(255)
    return Cutout(cover=cover, foot=float(-top), slope=0.0)


def _baseline(cover: Cover) -> tuple[float, float]:
    """Row at the left edge and slope of where the ink falls off below the letters' bodies."""
    height, width = cover.shape
    usual = _foot(cover, 0.35 * height, 0.95 * height)
    step = max(int(_WINDOW * height / 2), 1)
    middles = np.arange(step, max(width - step, step + 1), step)
    reach = 0.15 * height
    feet = [
        _foot(cover[:, middle - step : middle + step], usual - reach, usual + reach)
        for middle in middles
    ]
    if len(feet) < 3:
        return usual, 0.0
    slope = float(np.median(np.diff(feet))) / step
    return float(np.median(feet - slope * middles)), slope


def _foot(cover: Cover, low: float, high: float) -> float:
    """The row between two others below which the ink falls off most."""
    profile = cv2.GaussianBlur(cover.sum(axis=1), (1, 0), 0.001, sigmaY=len(cover) / 25).ravel()
    fall = profile[:-1] - profile[1:]
    first = min(max(int(low), 0), len(fall) - 1)
    return float(first + fall[first : max(int(high), first + 1)].argmax())


def words_within(cutout: Cutout, room: int, words: int | None, rng: Generator) -> Cutout | None:
    """As many of the line's words as fit into ``room`` pixels; None where not one does."""
    spans = without_rules(word_spans(cutout.cover), cutout.cover)
    if not spans:
        return None
    first = int(rng.integers(len(spans))) if words else 0
    left = spans[first][0]
    fitting = [
        right for _, right in spans[first : first + (words or len(spans))] if right - left <= room
    ]
    part = cutout.part(left, fitting[-1]) if fitting else None
    return part if part and part.cover.mean() >= _LEAST_COVER else None


def without_rules(spans: list[tuple[int, int]], cover: Cover) -> list[tuple[int, int]]:
    """The spans without a table's rules before the first word and after the last."""
    kept = list(spans)
    while len(kept) > 1 and is_rule(cover, kept[0]):
        kept = kept[1:]
    while len(kept) > 1 and is_rule(cover, kept[-1]):
        kept = kept[:-1]
    return kept


def is_rule(cover: Cover, span: tuple[int, int]) -> bool:
    """Whether what stands in these columns is as thin and as high as a rule beside a line."""
    left, right = span
    high = np.count_nonzero(cover[:, left:right].max(axis=1) > _INKED)
    return bool(right - left <= _THIN * len(cover) and high >= _HIGH * len(cover))


def spaced(cutout: Cutout, gap: int) -> Cutout:
    """The line with its words ``gap`` pixels further apart."""
    words = [cutout.cover[:, left:right] for left, right in word_spans(cutout.cover)]
    if len(words) < 2:
        return cutout
    space = np.zeros((len(cutout.cover), gap + round(_GAP * len(cutout.cover))), np.float32)
    parts = [part for word in words for part in (word, space)][:-1]
    return Cutout(cover=np.concatenate(parts, axis=1), foot=cutout.foot, slope=0.0)


def word_spans(cover: Cover) -> list[tuple[int, int]]:
    """First column and the one after the last of each word."""
    inked = np.flatnonzero(cover.sum(axis=0) > _EMPTY)
    if not len(inked):
        return []
    breaks = np.flatnonzero(np.diff(inked) > _GAP * len(cover))
    starts = inked[np.concatenate([[0], breaks + 1])]
    ends = inked[np.concatenate([breaks, [len(inked) - 1]])] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


class Shelf:
    """Lines by the hand that wrote them, a page's worth at a time."""

    def __init__(self, samples: Iterable[LineSample]) -> None:
        by_set: dict[str, dict[str, list[LineSample]]] = defaultdict(lambda: defaultdict(list))
        for sample in samples:
            by_set[sample.dataset][sample.writer].append(sample)
        self._short = [
            line
            for writers in by_set.values()
            for lines in writers.values()
            for line in lines
            if len(line.text) <= _SHORT and any(map(str.isalnum, line.text))
        ]
        self._sets: Sequence[Sequence[Sequence[LineSample]]] = [
            list(writers.values()) for writers in by_set.values()
        ]

    def figures(self, rng: Generator) -> Sequence[LineSample]:
        """Lines of a few characters from all sets; any hand where there are none."""
        if not self._short:
            return self.hand(rng)
        return [self._short[int(place)] for place in rng.integers(len(self._short), size=20)]

    def hand(self, rng: Generator) -> Sequence[LineSample]:
        """Lines of one writer, of any set with equal chance; at least a few lines."""
        writers = self._sets[int(rng.integers(len(self._sets)))]
        lines: list[LineSample] = []
        while len(lines) < 20:
            lines += writers[int(rng.integers(len(writers)))]
        return lines
