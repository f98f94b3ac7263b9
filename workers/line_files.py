"""Line images in files, one a file, and the table of what they say."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path

from hwr.decoding.reading import LineReading
from hwr.documents import open_document
from hwr.errors import BadLineImage, HwrError
from hwr.model.line_image import normalise_line
from hwr.reader import LineReader

#: What names of images in a folder end in; other files there are none of ours.
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})

HEADER = "path\ttext\tconfidence\n"

#: Images in memory at once: enough for full batches, whatever the size of the folder.
_AHEAD = 256

#: A cell must not hold what ends a cell or a row.
_SAFE = str.maketrans(dict.fromkeys("\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))

#: A reading, or why there is none.
Outcome = LineReading | HwrError


def find_images(sources: Iterable[Path]) -> Iterator[Path]:
    """Files as they are given, folders with the images in and below them in order of name."""
    for source in sources:
        if source.is_dir():
            yield from _in_folder(source)
        else:
            yield source


def read_images(reader: LineReader, paths: Iterable[Path]) -> Iterator[tuple[Path, Outcome]]:
    """Each image with its outcome, in the order given; some are read ahead for full batches."""
    waiting: deque[tuple[Path, Future[LineReading] | HwrError]] = deque()
    for path in paths:
        waiting.append((path, _submit(reader, path)))
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


def _in_folder(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _in_folder(path)
        elif path.suffix.lower() in SUFFIXES and path.is_file():
            yield path


def _submit(reader: LineReader, path: Path) -> Future[LineReading] | HwrError:
    try:
        with open_document(path) as document:
            if document.page_count != 1:
                return BadLineImage(f"It has {document.page_count} pages. Give one line a file.")
            image = document.page(1).image
        return reader.submit(normalise_line(image))
    except HwrError as error:
        return error


def _finish(path: Path, waiting: Future[LineReading] | HwrError) -> tuple[Path, Outcome]:
    if isinstance(waiting, HwrError):
        return path, waiting
    try:
        return path, waiting.result()
    except HwrError as error:
        return path, error
