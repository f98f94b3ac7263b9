"""Page scores: what was read of a page against a transcription of all its handwriting.

A transcription is a JSON file beside the page's picture: `lines`, each with `order`, `text` and
`polygon` in pixels of the page.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hwr.errors import TrainingDataError
from hwr.model.alphabet import Alphabet
from hwr.training.metrics import ErrorRates, error_rates

Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class PlacedText:
    """A line of text and where it stands on its page."""

    text: str
    #: Outline in page pixels.
    polygon: Polygon


@dataclass(frozen=True, kw_only=True)
class PageScore:
    """How well a page was read, its text taken as one run in reading order."""

    #: Against all that was read, printed matter that the transcription leaves out included.
    whole: ErrorRates
    #: Only lines whose middle is inside the transcribed part of the page.
    inside: ErrorRates
    #: Lines in the transcription and lines read inside its part of the page.
    lines: tuple[int, int]


def read_transcription(path: Path) -> list[PlacedText]:
    """The lines of a transcription in reading order.

    Raises:
        TrainingDataError: the file is not such a transcription.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["lines"]
        ordered = sorted(entries, key=lambda line: int(line["order"]))
        return [PlacedText(text=e["text"], polygon=_polygon(e["polygon"])) for e in ordered]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingDataError(f"{path} is not a page transcription ({error!r}).") from error


def score_page(truth: list[PlacedText], read: list[PlacedText], alphabet: Alphabet) -> PageScore:
    """Score the lines `read` of a page, in reading order, against its transcription."""
    left, top, right, bottom = _bounds(point for line in truth for point in line.polygon)
    inside = [
        line
        for line in read
        if left <= _middle(line.polygon)[0] <= right and top <= _middle(line.polygon)[1] <= bottom
    ]
    wanted = _flat(truth, alphabet)
    return PageScore(
        whole=error_rates([(wanted, _flat(read, alphabet))]),
        inside=error_rates([(wanted, _flat(inside, alphabet))]),
        lines=(len(truth), len(inside)),
    )


def transcribed_pages(folder: Path) -> Iterator[tuple[Path, list[PlacedText]]]:
    """Pictures in `folder` that have a transcription beside them, with it."""
    for path in sorted(folder.glob("*.json")):
        picture = path.with_suffix(".jpg")
        if picture.exists():
            yield picture, read_transcription(path)


def _flat(lines: Iterable[PlacedText], alphabet: Alphabet) -> str:
    return " ".join(text for line in lines if (text := alphabet.fold(line.text)))


def _polygon(points: Iterable[Iterable[float]]) -> Polygon:
    return tuple((float(x), float(y)) for x, y in points)


def _bounds(points: Iterable[tuple[float, float]]) -> tuple[float, float, float, float]:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _middle(polygon: Polygon) -> tuple[float, float]:
    left, top, right, bottom = _bounds(polygon)
    return (left + right) / 2, (top + bottom) / 2
