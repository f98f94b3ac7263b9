"""Where originals, line packs and results live: a folder, or a bucket on an S3 server.

A key is a path such as `jobs/<job>/<document>/original`. Objects are written whole or not at all,
and writing one again replaces it, so a repeated task does no harm.
"""

import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from hwr.errors import ObjectNotFound, ReferenceUnreadable, ServiceError, StorageUnavailable
from workers.settings import Settings

#: What a part of a key may look like: no empty part, no `..`, no hidden file.
_KEY_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

#: Bytes that are copied at once.
_CHUNK = 2**20

#: Called by a download after every chunk; what it raises ends the download.
Progress = Callable[[], None]


class Storage(Protocol):
    """Objects under keys. Safe to share between threads.

    Every method raises StorageUnavailable when the folder or the server cannot be used.
    """

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write an object, whole or not at all; a file is read from where it stands."""

    def get(self, key: str) -> bytes:
        """The bytes of an object. Raises ObjectNotFound."""

    def download(self, key: str, path: Path, progress: Progress) -> None:
        """Copy an object into a file without holding it in memory. Raises ObjectNotFound."""

    def delete(self, key: str) -> None:
        """Remove an object if it is there."""

    def url(self, key: str) -> str:
        """The address of an object for people and logs: file:///… or s3://…"""

    def check(self) -> None:
        """Do nothing if the storage can be used, else raise StorageUnavailable."""


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings name.

    Raises:
        ServiceError: the URL is neither file:PATH nor s3://BUCKET/PREFIX.
    """
    url = settings.storage_url
    if url.startswith("file:"):
        return FolderStorage(Path(url.removeprefix("file:").removeprefix("//")))
    if url.startswith("s3://"):
        from workers.s3 import S3Storage  # boto3 is slow to import and a folder does without it

        return S3Storage(url, endpoint_url=settings.s3_endpoint_url)
    raise ServiceError(f"HWR_STORAGE_URL is {url!r}. Set it to file:PATH or s3://BUCKET/PREFIX.")


def check_key(key: str) -> str:
    """The key itself, if it stays inside the storage whatever it is made of.

    Raises:
        ServiceError: a part of the key is empty, hidden or has unusual characters.
    """
    if not all(_KEY_PART.fullmatch(part) for part in key.split("/")):
        raise ServiceError(f"{key!r} is no storage key. Build keys of letters, digits and . _ -")
    return key


def split_reference(reference: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address.

    Raises:
        ReferenceUnreadable: it is no such address, or climbs out of its prefix with `..`.
    """
    scheme, _, rest = reference.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or ".." in key.split("/"):
        raise ReferenceUnreadable(f"{reference!r} is no address. Write s3://bucket/path/file.pdf.")
    return bucket, key


class FolderStorage:
    """Objects as files under a folder, for one machine."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write to a file beside the final one, then rename it into place."""
        path = self._path(key)
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".put-", delete=False) as part:
                try:
                    _write_through(source, part)
                    Path(part.name).replace(path)
                except BaseException:
                    Path(part.name).unlink(missing_ok=True)
                    raise
            _sync_folder(path.parent)

    def get(self, key: str) -> bytes:
        """The bytes of the file."""
        with self._errors(), self._missing(key):
            return self._path(key).read_bytes()

    def download(self, key: str, path: Path, progress: Progress) -> None:
        """Copy the file."""
        with self._errors(), self._missing(key), self._path(key).open("rb") as source:
            copy_chunks(source, path, progress)

    def delete(self, key: str) -> None:
        """Remove the file."""
        with self._errors():
            self._path(key).unlink(missing_ok=True)

    def url(self, key: str) -> str:
        """file:///…"""
        return self._path(key).as_uri()

    def check(self) -> None:
        """Make the folder if need be and see whether it can be written to."""
        with self._errors():
            self.root.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.root).close()

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextmanager
    def _missing(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectNotFound(
                f"{self.root / key} is not there. Submit the document again."
            ) from error

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageUnavailable(
                f"The folder {self.root} cannot be used: {error.strerror}. "
                "Free space or correct its permissions."
            ) from error


def copy_chunks(source: IO[bytes], path: Path, progress: Progress) -> None:
    """Copy what is left of an open source into a file, with progress after every chunk."""
    with path.open("wb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            progress()


def _write_through(source: IO[bytes], target: IO[bytes]) -> None:
    shutil.copyfileobj(source, target, _CHUNK)
    target.flush()
    os.fsync(target.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
