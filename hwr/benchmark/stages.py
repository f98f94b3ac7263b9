"""Processor seconds of a page by stage: render, find its lines, cut them, read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hwr.batching import Batcher
from hwr.benchmark.clock import Clock
from hwr.benchmark.subject import Work
from hwr.decoding.reading import LineReading
from hwr.documents import open_document
from hwr.layout import crop_line, find_lines
from hwr.model.line_image import Grey, normalise_line


@dataclass(frozen=True, kw_only=True)
class PageCost:
    """What the pages of some documents cost, for each page."""

    #: The documents' kind.
    name: str
    pages: int
    #: Lines found.
    lines: float
    render_s: float
    find_s: float
    cut_s: float
    read_s: float
    #: Wall seconds of all stages, one after the other.
    wall_s: float

    @property
    def split_s(self) -> float:
        """What is done before a line is read."""
        return self.render_s + self.find_s + self.cut_s


def measure_pages(name: str, documents: Sequence[Path], work: Work) -> PageCost:
    """Read the documents, page after page and stage after stage."""
    render, find, cut, read = clocks = [Clock() for _ in range(4)]
    pages = lines = 0
    for path in documents:
        with open_document(path) as document:
            for number in range(1, document.page_count + 1):
                with render.running():
                    image = document.page(number).image
                with find.running():
                    found = find_lines(image)
                with cut.running():
                    images = [normalise_line(crop_line(image, line)) for line in found]
                with read.running():
                    _read(work, images)
                pages, lines = pages + 1, lines + len(images)
    costs = [clock.cpu_s / max(1, pages) for clock in clocks]
    return PageCost(
        name=name,
        pages=pages,
        lines=lines / max(1, pages),
        render_s=costs[0],
        find_s=costs[1],
        cut_s=costs[2],
        read_s=costs[3],
        wall_s=sum(clock.wall_s for clock in clocks) / max(1, pages),
    )


def _read(work: Work, images: Sequence[Grey]) -> None:
    batcher: Batcher[Grey, LineReading] = Batcher(work)
    try:
        for promise in [batcher.submit(image) for image in images]:
            promise.result()
    finally:
        batcher.close()
