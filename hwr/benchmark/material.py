"""What is read: lines with their texts, and whole documents."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwr.documents import open_document
from hwr.errors import BadLineImage, TrainingDataError
from hwr.layout import Line, crop_line
from hwr.model.line_image import Grey, normalise_line
from hwr.samples import Kind, TruthLine, load_truth, write_batch
from hwr.training.datasets import read_folder
from hwr.training.samples import LineSample

log = logging.getLogger(__name__)

_PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".pdf"}


@dataclass(frozen=True, kw_only=True)
class BenchLine:
    """A line of handwriting and what it says."""

    #: As it was cut from its page, grey (h, w): what other programs are given.
    crop: Grey
    #: As the engines want it, (64, w).
    image: Grey
    text: str
    #: Lines of one page have the same.
    page: int

    @classmethod
    def of(cls, crop: Grey, text: str, page: int) -> "BenchLine":
        """The line in `crop`."""
        return cls(crop=crop, image=normalise_line(crop), text=text, page=page)


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a run reads."""

    #: In one sentence.
    said: str
    lines: tuple[BenchLine, ...]
    documents: tuple[Path, ...]

    @property
    def widths(self) -> list[int]:
        """Of the line images, in pixels."""
        return [line.image.shape[1] for line in self.lines]


def drawn_material(folder: Path, *, pages: int, lines: int) -> Material:
    """Documents drawn into `folder`: an exam of so many pages and five cheques.

    Raises:
        MissingFont: the fonts that they are written with are not installed.
    """
    samples = write_batch(folder, pages=pages)
    cut = [line for sample in samples for line in _cut(sample.path, sample.truth_path)]
    return Material(
        said=f"drawn: an exam of {pages} pages and five cheques, 200 dpi; their handwritten lines",
        lines=_numbered_pages(cut)[:lines],
        documents=tuple(sample.path for sample in samples),
    )


def folder_material(folder: Path, *, pages: int, lines: int) -> Material:
    """The val lines of the data sets in FOLDER, evenly, and pictures of FOLDER/pages.

    A line whose picture is broken is logged by name and left out.

    Raises:
        TrainingDataError: there are no data sets, or they hold no val line.
    """
    sets: dict[str, list[LineSample]] = defaultdict(list)
    for sample in read_folder(folder, "val"):
        sets[sample.dataset].append(sample)
    chosen = [
        line
        for number, samples in enumerate(sets.values())
        for sample in _evenly(samples, -(-lines // len(sets)))
        if (line := _loaded(sample, number))
    ]
    if not chosen:
        raise TrainingDataError(f"{folder} holds no line of the split val. Name another folder.")
    files = sorted(p for p in (folder / "pages").glob("*") if p.suffix.lower() in _PICTURES)
    return Material(
        said=f"{len(chosen)} validation lines of {', '.join(sets)}",
        lines=tuple(chosen),
        documents=tuple(files[:pages]),
    )


def _loaded(sample: LineSample, page: int) -> BenchLine | None:
    try:
        return BenchLine.of(sample.load(), sample.text, page)
    except (TrainingDataError, BadLineImage) as error:
        log.warning("%s: %s left out: %s", sample.dataset, sample.name, error)
        return None


def _evenly(samples: Sequence[LineSample], count: int) -> Sequence[LineSample]:
    return samples[:: max(1, len(samples) // count)][:count]


def _cut(document: Path, truth_path: Path) -> Iterator[tuple[Grey, str, int]]:
    """Handwritten lines by their true outlines, with a number of their page."""
    with open_document(document) as pages:
        for truth in load_truth(truth_path).pages:
            image = pages.page(truth.number).image
            for line in truth.lines:
                if line.kind is Kind.HANDWRITING:
                    yield crop_line(image, _outlined(line)), line.text, truth.number


def _outlined(line: TruthLine) -> Line:
    # The polygon's corners run clockwise from the top left; the baseline needs only its slope.
    return Line(order=line.order, polygon=line.polygon, baseline=(line.polygon[3], line.polygon[2]))


def _numbered_pages(cut: Sequence[tuple[Grey, str, int]]) -> tuple[BenchLine, ...]:
    """Lines whose pages are numbered through all documents."""
    lines: list[BenchLine] = []
    page = last = 0
    for crop, text, number in cut:
        page += number != last or not lines
        last = number
        lines.append(BenchLine.of(crop, text, page))
    return tuple(lines)
