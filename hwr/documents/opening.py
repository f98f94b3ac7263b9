"""Open a document of any format within limits."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hwr.documents.formats import HEAD_BYTES, Format, sniff
from hwr.documents.limits import DEFAULT_LIMITS, Limits
from hwr.documents.pages import Document
from hwr.documents.pdf import Pdf
from hwr.documents.picture import Picture
from hwr.documents.tiff import Tiff
from hwr.errors import DocumentError, DocumentTooLarge, EmptyDocument


@contextmanager
def open_document(path: Path, limits: Limits = DEFAULT_LIMITS) -> Iterator[Document]:
    """The document at `path`, told from its content, open until the `with` block ends.

    Raises:
        DocumentError: it is refused as a whole; see the subclasses.
        HwrError: poppler is not installed.
    """
    with _open(path) as file:
        _check_size(os.fstat(file.fileno()).st_size, limits)
        found = sniff(file.read(HEAD_BYTES))
        yield _as_document(found, file, path, limits)


def _open(path: Path) -> BinaryIO:
    try:
        # Opening a pipe would wait for its writer: look first.
        if not stat.S_ISREG(path.stat().st_mode):
            raise DocumentError(f"{path.name} is not a file. Name a document.")
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DocumentError(
            f"{path.name} cannot be opened ({reason}). Check its name and permissions."
        ) from error


def _check_size(size: int, limits: Limits) -> None:
    if size == 0:
        raise EmptyDocument("The file has 0 bytes. Submit it again after a complete upload.")
    if size > limits.max_bytes:
        raise DocumentTooLarge(
            f"The file has {size:,} bytes, more than {limits.max_bytes:,}. "
            "Split it or scan at a lower resolution."
        )


def _as_document(found: Format, file: BinaryIO, path: Path, limits: Limits) -> Document:
    if found is Format.PDF:
        return Pdf(file, path, limits)
    if found is Format.TIFF:
        return Tiff(file, limits)
    return Picture(file, found, limits)
