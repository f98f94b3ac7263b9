"""Ways to make batches of lines, side by side.

Ours is the batcher of hwr. The others are what other programs do, with one number of lines a batch
for all of them, that of ours at 1024 pixels, so that only the choice of lines differs:

- in the order of arrival: docTR cuts its list of crops into batches of a fixed number;
- by width within a page: PaddleOCR sorts the crops of one picture by their aspect ratio;
- one by one: kraken's recogniser takes line after line by default.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, groupby, islice

from hwr.batching import Batcher, BatcherLimits
from hwr.benchmark.clock import Clock
from hwr.benchmark.material import BenchLine
from hwr.benchmark.subject import Work
from hwr.decoding.reading import LineReading
from hwr.model.line_image import Grey


class Policy(StrEnum):
    """How lines are put together."""

    #: hwr's batcher: width buckets, a budget of padded area.
    OURS = "hwr"
    #: As they come, as docTR does.
    ARRIVAL = "arrival"
    #: Sorted by width page by page, as PaddleOCR does.
    PAGE_WIDTH = "page-width"
    #: Sorted by width with all lines known beforehand: the least padding that there can be.
    ALL_WIDTH = "all-width"
    #: Each line alone, as kraken does by default.
    SINGLE = "single"


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One reading of all lines."""

    #: In the order of the lines.
    texts: tuple[str, ...]
    clock: Clock
    batches: int
    #: Share of all columns that the engine was given which were padding, 0..1.
    padding: float


#: Lines that are read together, in the order in which they are read.
_Batches = Iterable[Sequence[BenchLine]]


def read_all(
    work: Work, lines: Sequence[BenchLine], policy: Policy, limits: BatcherLimits | None = None
) -> Pass:
    """Read the lines in batches that the policy makes."""
    limits = limits or BatcherLimits()
    counted, clock = _Counted(work), Clock()
    if policy is Policy.OURS:
        texts = _through_batcher(counted, lines, limits, clock)
    else:
        size = 1 if policy is Policy.SINGLE else max(1, limits.padded_columns // 1024)
        texts = _in_batches(counted, lines, list(_BATCHES[policy](lines, size)), clock)
    return Pass(texts=texts, clock=clock, batches=counted.batches, padding=counted.padding)


class _Counted:
    """Work that remembers how much of it was padding."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.batches = 0
        self._columns = self._paper = 0

    def __call__(self, images: Sequence[Grey]) -> list[LineReading]:
        widths = [image.shape[1] for image in images]
        self.batches += 1
        self._columns += len(widths) * max(widths)
        self._paper += len(widths) * max(widths) - sum(widths)
        return self._work(images)

    @property
    def padding(self) -> float:
        return self._paper / max(1, self._columns)


def _through_batcher(
    work: Work, lines: Sequence[BenchLine], limits: BatcherLimits, clock: Clock
) -> tuple[str, ...]:
    batcher: Batcher[Grey, LineReading] = Batcher(work, limits)
    try:
        with clock.running():
            promises = [batcher.submit(line.image) for line in lines]
            return tuple(promise.result().text for promise in promises)
    finally:
        batcher.close()


def _in_batches(
    work: Work, lines: Sequence[BenchLine], batches: _Batches, clock: Clock
) -> tuple[str, ...]:
    texts: dict[int, str] = {}
    with clock.running():
        for batch in batches:
            for line, reading in zip(batch, work([line.image for line in batch]), strict=True):
                texts[id(line)] = reading.text
    return tuple(texts[id(line)] for line in lines)


def _by_width(lines: Iterable[BenchLine]) -> list[BenchLine]:
    return sorted(lines, key=lambda line: line.image.shape[1])


def _page_by_page(lines: Sequence[BenchLine], size: int) -> _Batches:
    pages = groupby(lines, key=lambda line: line.page)
    return chain.from_iterable(_cut(_by_width(page), size) for _, page in pages)


def _cut(lines: Iterable[BenchLine], size: int) -> Iterator[Sequence[BenchLine]]:
    rest = iter(lines)
    while batch := list(islice(rest, size)):
        yield batch


_BATCHES: dict[Policy, Callable[[Sequence[BenchLine], int], _Batches]] = {
    Policy.ARRIVAL: _cut,
    Policy.PAGE_WIDTH: _page_by_page,
    Policy.ALL_WIDTH: lambda lines, size: _cut(_by_width(lines), size),
    Policy.SINGLE: _cut,
}
