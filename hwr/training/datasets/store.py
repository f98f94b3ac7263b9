"""Where a data set's files lie: a folder or a zip. Names in it are hostile and never leave it."""

import lzma
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from hwr.documents import open_document
from hwr.errors import TrainingDataError
from hwr.training.samples import Grey

#: Bytes of the largest file that is read: tables and XML of whole collections stay below.
MOST_BYTES = 256 * 2**20

#: What `zipfile` raises on archives that lie: damaged, encrypted, packed in a way it cannot unpack.
ZIP_ERRORS = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


class Store(Protocol):
    """Files by their names, relative and with slashes."""

    @property
    def path(self) -> Path:
        """The folder or the zip."""

    def tables(self) -> list[str]:
        """Names of the tables (.tsv), sorted."""

    def has(self, name: str) -> bool:
        """Whether there is such a file inside."""

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            TrainingDataError: it is not there, outside, too large or damaged.
        """

    def picture(self, name: str) -> Grey:
        """A picture, grey (h, w) uint8, upright, within the limits of documents.

        Raises:
            HwrError: it cannot be read or decoded, or is too large or too small.
        """


@dataclass(frozen=True)
class Folder:
    """A folder of files."""

    path: Path

    def tables(self) -> list[str]:
        """See `Store.tables`."""
        return sorted(path.name for path in self.path.glob("*.tsv"))

    def read(self, name: str) -> bytes:
        """See `Store.read`."""
        path = self._inside(name)
        _check_size(name, path.stat().st_size)
        return path.read_bytes()

    def picture(self, name: str) -> Grey:
        """See `Store.picture`."""
        return _decode(self._inside(name))

    def has(self, name: str) -> bool:
        """See `Store.has`."""
        try:
            self._inside(name)
        except TrainingDataError:
            return False
        return True

    def _inside(self, name: str) -> Path:
        try:
            # Links are followed before the check: one must not lead outside either.
            path = (self.path / name).resolve()
            found = path.is_relative_to(self.path.resolve()) and path.is_file()
        except (OSError, ValueError) as error:
            raise TrainingDataError(f"{name!r} cannot be a file: {error}. Correct it.") from error
        if not found:
            raise TrainingDataError(
                f"{name!r} is no file in {self.path}. Add it, or its right name."
            )
        return path


class Archive:
    """A zip of files. Members are read where they are; none is unpacked by its name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)

    def tables(self) -> list[str]:
        """See `Store.tables`."""
        try:
            return sorted(name for name in self._zip.namelist() if name.endswith(".tsv"))
        except ZIP_ERRORS as error:
            raise TrainingDataError(f"{self.path} cannot be opened: {error}. Zip again.") from error

    def has(self, name: str) -> bool:
        """See `Store.has`."""
        return name in self._zip.namelist()

    def read(self, name: str) -> bytes:
        """See `Store.read`."""
        try:
            _check_size(name, self._zip.getinfo(name).file_size)
            return self._zip.read(name)
        except (KeyError, *ZIP_ERRORS) as error:
            raise TrainingDataError(
                f"{name!r} cannot be read from {self.path}: {error}. Zip it again."
            ) from error

    def picture(self, name: str) -> Grey:
        """See `Store.picture`."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.read(name))
            file.flush()
            return _decode(Path(file.name))


def _decode(path: Path) -> Grey:
    with open_document(path) as document:
        return document.page(1).image


def _check_size(name: str, size: int) -> None:
    if size > MOST_BYTES:
        raise TrainingDataError(f"{name!r} has {size:,} bytes, more than {MOST_BYTES:,}. Split it.")
