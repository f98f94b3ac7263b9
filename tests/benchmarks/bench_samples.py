"""Measure the way of each document of the synthetic batch: `python bench_samples.py`.

For each document: seconds a page for rendering, for finding lines and for cutting them, lines a
second of the reader on one thread, and the character error rate of its pages against the truth. The
documents are synthetic: the error rate compares versions with each other and says nothing of yours.
"""

import sys
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from hwr.documents import open_document
from hwr.layout import crop_line, find_lines
from hwr.model.line_image import normalise_line
from hwr.reader import LineReader
from hwr.samples import Sample, load_truth, write_batch
from hwr.training.metrics import error_rates

COLUMNS = ("document", "pages", "lines", "render", "find", "cut", "lines/s", "CER")


@dataclass(kw_only=True)
class Clock:
    """Wall seconds spent in each part."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Add the time of the block to the part."""
        start = time.perf_counter()
        yield
        self.seconds[part] += time.perf_counter() - start


def main() -> None:
    """Draw the batch and measure each document of it."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=4, help="pages of the exam (default 4)")
    pages = parser.parse_args().pages
    with TemporaryDirectory() as folder, LineReader() as reader:
        show(COLUMNS)
        for sample in write_batch(Path(folder), pages=pages):
            show(measure(sample, reader))


def measure(sample: Sample, reader: LineReader) -> tuple[str, ...]:
    """One row of the table."""
    clock = Clock()
    pages = list(cut_pages(sample.path, clock))
    with clock.measure("read"):
        waiting = [[reader.submit(line) for line in lines] for lines in pages]
        texts = [" ".join(line.result().text for line in page) for page in waiting]
    truths = [page.text for page in load_truth(sample.truth_path).pages]
    lines = sum(map(len, pages))
    per_page = [f"{clock.seconds[part] / len(pages):.3f} s" for part in ("render", "find", "cut")]
    cer = error_rates(zip(truths, texts, strict=True)).cer
    speed = lines / clock.seconds["read"]
    return (sample.path.name, str(len(pages)), str(lines), *per_page, f"{speed:.1f}", f"{cer:.1%}")


def cut_pages(path: Path, clock: Clock) -> Iterator[list[NDArray[np.uint8]]]:
    """The line images of each page."""
    with open_document(path) as document:
        for number in range(1, document.page_count + 1):
            with clock.measure("render"):
                image = document.page(number).image
            with clock.measure("find"):
                lines = find_lines(image)
            with clock.measure("cut"):
                cut = [normalise_line(crop_line(image, line)) for line in lines]
            yield cut


def show(cells: tuple[str, ...]) -> None:
    """Write a row of the table."""
    first, *others = cells
    sys.stdout.write(f"{first:<14}" + "".join(f"{cell:>10}" for cell in others) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
