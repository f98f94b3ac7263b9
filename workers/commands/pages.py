"""`hwr evaluate --pages`: whole pages, found and read, against their transcriptions."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from hwr.errors import TrainingDataError
from hwr.training.pages.halves import Half
from workers.commands.show import complain

if TYPE_CHECKING:
    from hwr.reader import PageReading, Reader
    from hwr.training.pages.scores import PageScore
    from hwr.training.pages.truth import TruePage

#: Pages on the picture of the worst.
WORST = 9


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """A page that was measured."""

    #: Where its transcription lies.
    path: Path
    score: "PageScore"


def measure_pages(reader: "Reader", data: Path, half: Half, worst: Path | None) -> dict[str, Any]:
    """Measure one half of the pages in DATA/pages or DATA; the figures by page and collection."""
    from hwr.training.pages.summary import figures_of, grouped
    from workers.commands.tables import page_table

    measured = [*_measured(reader, _transcriptions(data, half))]
    if not measured:
        raise TrainingDataError(f"No page of {data} can be read. See above for the reason of each.")
    pages = {entry.score.name: figures_of([entry.score]) for entry in measured}
    sets = {
        name: figures_of(own) for name, own in grouped(entry.score for entry in measured).items()
    }
    for row in (*page_table(pages), "", *page_table(sets)):
        typer.echo(row)
    if worst:
        _draw_worst(reader, measured, worst)
    return {
        "half": half.value,
        "pages": {name: asdict(found) for name, found in pages.items()},
        "sets": {name: asdict(found) for name, found in sets.items()},
    }


def _transcriptions(data: Path, half: Half) -> list[Path]:
    from hwr.training.pages.truth import transcriptions

    folder = data / "pages" if (data / "pages").is_dir() else data
    chosen = half.of(transcriptions(folder))
    if not chosen:
        raise TrainingDataError(
            f"{folder} holds no transcribed page of this half. "
            "Put NAME.jpg there with its PAGE XML, ALTO or NAME.json."
        )
    return chosen


def _measured(reader: "Reader", paths: list[Path]) -> Iterator[_Measured]:
    from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
    from hwr.training.pages.scores import score_page
    from hwr.training.pages.truth import read_true_pages

    alphabet = Alphabet(DEFAULT_CHARACTERS)
    for path, page in read_true_pages(paths):
        found = _reading(reader, page)
        score = score_page(page, found.lines, reader.read_lines, alphabet)
        yield _Measured(path=path, score=score)


def _reading(reader: "Reader", page: "TruePage") -> "PageReading":
    """What is read of the page; nothing where it was refused."""
    (reading,) = islice(reader.pages(page.picture), 1)
    if reading.error:
        complain(f"{page.name}: {reading.error.code}: {reading.error.message}")
    return reading


def _draw_worst(reader: "Reader", measured: list[_Measured], path: Path) -> None:
    """Draw the pages where finding the lines cost the most characters."""
    from hwr.training.pages.scores import placed
    from hwr.training.pages.summary import figures_of
    from hwr.training.pages.truth import read_true_page
    from hwr.training.pages.worst import draw_page, write_worst

    pictures = []
    for entry in sorted(measured, key=_cost, reverse=True)[:WORST]:
        page, figures = read_true_page(entry.path), figures_of([entry.score])
        found = [placed(line) for line in _reading(reader, page).lines]
        title = f"{page.name}: CER {figures.page.cer:.1%}, true crops {figures.crops.cer:.1%}"
        pictures.append(draw_page(page.image, [line.line for line in page.lines], found, title))
    write_worst(path, pictures)


def _cost(entry: _Measured) -> int:
    text = entry.score.text
    return text.page.character_errors - text.crops.character_errors
