"""Line images in files, one a file, and the table of what they say."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from hwr.decoding.reading import LineReading
from hwr.documents import Limits, open_document
from hwr.documents.limits import MAX_PIXELS
from hwr.errors import BadLineImage, HwrError, PageTooLarge, PageTooSmall
from hwr.line_picture import views_of
from hwr.model.line_image import LINE_HEIGHT, MIN_SIDE
from hwr.reader import LineReader
from workers.file_names import PICTURES, files_in

HEADER = "path\ttext\tconfidence\n"

#: Images in memory at once: enough for full batches, whatever the size of the folder.
_AHEAD = 256

#: A cell must not hold what ends a cell or a row.
_SAFE = str.maketrans(dict.fromkeys("\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))

#: A reading, or why there is none.
Outcome = LineReading | HwrError
#: The readings of a picture's views to come, or why there will be none.
_Waiting = tuple[Future[LineReading], ...] | HwrError


#: A line's picture may be so many times longer than a page.
_LENGTH = 4


def line_limits(limits: Limits) -> Limits:
    """Limits of line images where these are those of documents."""
    return replace(limits, min_side=MIN_SIDE, max_side=_LENGTH * limits.max_side)


def find_images(sources: Iterable[Path]) -> Iterator[Path]:
    """Files as they are given, folders with the images in and below them in order of name."""
    for source in sources:
        if source.is_dir():
            yield from (path for path in files_in(source) if path.suffix.lower() in PICTURES)
        else:
            yield source


def read_images(
    reader: LineReader, paths: Iterable[Path], limits: Limits | None = None
) -> Iterator[tuple[Path, Outcome]]:
    """Each image with its outcome, in the order given; some are read ahead for full batches.

    `limits` are those of documents (`line_limits`).
    """
    allowed = line_limits(limits or Limits())
    waiting: deque[tuple[Path, _Waiting]] = deque()
    for path in paths:
        waiting.append((path, _submit(reader, path, allowed)))
        if len(waiting) >= _AHEAD:
            yield _finish(*waiting.popleft())
    while waiting:
        yield _finish(*waiting.popleft())


def row(path: Path, outcome: Outcome) -> str:
    """A row of the table: path, text, confidence; empty and 0 where nothing could be read."""
    text, confidence = "", 0.0
    if isinstance(outcome, LineReading):
        text, confidence = outcome.text, outcome.confidence
    return f"{str(path).translate(_SAFE)}\t{text.translate(_SAFE)}\t{confidence:.4f}\n"


def _submit(reader: LineReader, path: Path, limits: Limits) -> _Waiting:
    try:
        with open_document(path, limits) as document:
            if document.page_count != 1:
                return BadLineImage(f"It has {document.page_count} pages. Give one line a file.")
            image = document.page(1).image
        return tuple(reader.submit(view) for view in views_of(image))
    except PageTooSmall:
        return BadLineImage(
            f"The line's picture is less than {limits.min_side} pixels high or wide."
            " Scan the line at 150 dpi or more."
        )
    except PageTooLarge:
        return BadLineImage(
            f"The line's picture has more than {limits.max_side:,} pixels a side or"
            f" {MAX_PIXELS:,} in all, or more than memory holds. Make it smaller: a line is read"
            f" {LINE_HEIGHT} pixels high. Sides may be {_LENGTH} times HWR_MAX_SIDE."
        )
    except HwrError as error:
        return error


def _finish(path: Path, waiting: _Waiting) -> tuple[Path, Outcome]:
    if isinstance(waiting, HwrError):
        return path, waiting
    try:
        readings = [future.result() for future in waiting]
        return path, max(readings, key=lambda reading: reading.confidence)
    except HwrError as error:
        return path, error
