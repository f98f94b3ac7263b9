"""Transcribed pages: PAGE XML, ALTO or JSON beside their pictures.

The JSON holds ``image`` (the picture's name; without it NAME.jpg) and ``lines``, each with
``order``, ``text``, ``polygon`` and perhaps ``baseline`` in pixels of the picture. A line that is
``marked: true`` holds a deletion, an insertion or an unread word: it stands on the page, but its
text says nothing.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwr.documents import open_document
from hwr.errors import DocumentError, PageError, TrainingDataError
from hwr.layout import Line
from hwr.training.datasets.marked_pages import (
    find_picture,
    marked_files,
    outlined,
    read_page,
    scale_of,
)
from hwr.training.datasets.markup import MarkedLine, Place
from hwr.training.datasets.records import LeftOut
from hwr.training.datasets.store import Folder
from hwr.training.samples import Grey

#: Sheets of this collection may carry a printed sentence above the hand, without lines in the
#: truth: mostly those that have `imp` in their name, but not only those.
_PRINTED_HEADS = "copiste"
#: Part of such a sheet's height that the print takes.
PRINTED_HEAD = 0.12
#: What a JSON file raises that is no transcription.
_WRONG = (OSError, ValueError, KeyError, TypeError, AttributeError)

log = logging.getLogger(__name__)

Scale = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TrueLine:
    """A line that stands on the page."""

    #: Where it stands, in pixels of the picture.
    line: Line
    #: What it says; None where nobody could or did say it.
    text: str | None


@dataclass(frozen=True, kw_only=True)
class TruePage:
    """A page with what stands on it."""

    #: Stem of the transcription's name.
    name: str
    #: Where the picture lies.
    picture: Path
    #: Grey and upright, shape (H, W), as readers get it.
    image: Grey
    #: In the order in which a person reads them.
    lines: tuple[TrueLine, ...]

    @property
    def collection(self) -> str:
        """The name up to the first `_`; the folder's where the name has none."""
        head, found, _ = self.name.partition("_")
        return head if found else self.picture.parent.name

    @property
    def has_printed_head(self) -> bool:
        """Whether print above the hand has no lines in the truth."""
        return self.collection == _PRINTED_HEADS


def transcriptions(folder: Path) -> list[Path]:
    """The transcriptions in `folder`, by name; of two for one picture the XML."""
    chosen = {path.stem: path for path in (*folder.glob("*.json"), *marked_files(folder))}
    return [chosen[stem] for stem in sorted(chosen)]


def read_true_pages(paths: Iterable[Path]) -> Iterator[tuple[Path, TruePage]]:
    """Each transcription that can be read, with its page; the others are logged and counted."""
    left_out, count = LeftOut("pages"), 0
    for path in paths:
        try:
            page = read_true_page(path)
        except TrainingDataError as error:
            left_out.add(path.name, error)
            continue
        count += 1
        yield path, page
    if left_out.count:
        log.warning("%d pages, %d left out", count, left_out.count)


def read_true_page(path: Path) -> TruePage:
    """One transcription with its picture. Lines without an outline are logged and left out.

    Raises:
        TrainingDataError: the file is no transcription, or its picture cannot be read.
    """
    try:
        return _marked_page(path) if path.suffix.lower() == ".xml" else _json_page(path)
    except (DocumentError, PageError) as error:
        raise TrainingDataError(f"The picture of {path} cannot be read: {error}") from error


def _marked_page(path: Path) -> TruePage:
    left_out = LeftOut(path.parent.name)
    pictures = Folder(path.parent.parent)
    page = read_page(path.read_bytes(), left_out, path.name)
    picture = Path(find_picture(path, page.picture, pictures))
    image = _only_image(picture)
    scale = scale_of(image, page.size)
    said = ((line, line.text or None) for line in page.lines)
    lines = tuple(_true_lines(path, said, image, scale))
    return TruePage(name=path.stem, picture=picture, image=image, lines=lines)


def _true_lines(
    path: Path, said: Iterable[tuple[MarkedLine, str | None]], image: Grey, scale: Scale
) -> Iterator[TrueLine]:
    left_out = LeftOut(path.parent.name)
    for line, text in said:
        try:
            yield TrueLine(line=outlined(line, image.shape, scale), text=text)
        except TrainingDataError as error:
            left_out.add(f"{path.name}, {line.name}", error)


def _json_page(path: Path) -> TruePage:
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
        picture = path.parent / Path(page.get("image") or f"{path.stem}.jpg").name
        entries = sorted(page["lines"], key=lambda line: int(line["order"]))
        marked = [(_json_line(entry), _json_text(entry)) for entry in entries]
    except _WRONG as error:
        raise TrainingDataError(
            f"{path} is no page transcription ({error!r}). Write it as"
            " hwr/training/pages/truth.py tells, or take it out of the folder."
        ) from error
    if not picture.exists():
        raise TrainingDataError(f"{path} is of the picture {picture.name}. Put it beside it.")
    image = _only_image(picture)
    lines = tuple(_true_lines(path, marked, image, np.ones(2)))
    return TruePage(name=path.stem, picture=picture, image=image, lines=lines)


def _json_line(entry: Mapping[str, Any]) -> MarkedLine:
    return MarkedLine(
        name=str(entry["order"]),
        text=entry["text"],
        polygon=_places(entry["polygon"]),
        baseline=_places(entry.get("baseline") or ()),
    )


def _json_text(entry: Mapping[str, Any]) -> str | None:
    return None if entry.get("marked") else entry["text"].strip() or None


def _places(points: Any) -> list[Place]:
    return [(float(x), float(y)) for x, y in points]


def _only_image(picture: Path) -> Grey:
    with open_document(picture) as document:
        if document.page_count != 1:
            raise TrainingDataError(
                f"{picture} has more than one page, its transcription is of one. Split it."
            )
        return document.page(1).image
