"""Where originals, line packs, results and models live: a folder, or a bucket on an S3 server.

A key is a path such as `jobs/<job>/<document>/original`. Objects are written whole or not at all,
and writing one again replaces it, so a repeated task does no harm.
"""

import errno
import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from hwr.errors import (
    ObjectExists,
    ObjectNotFound,
    ReferenceUnreadable,
    ServiceError,
    StorageUnavailable,
    UnsafeObject,
)
from workers.settings import Settings

#: What a part of a key may look like: no empty part, no `..`, no hidden file.
_KEY_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

#: Longest key of S3 in bytes.
_MAX_S3_KEY = 1024

#: Bytes that are copied at once.
_CHUNK = 2**20

#: Bytes that are written to see whether there is room: more than a file system keeps beside a name.
_PROBE = 2**16

#: Times that a folder is made again which vanishes before a file is in it.
_TRIES = 100

#: Folders that are removed at once: a disk takes a millisecond for each file, mostly to wait.
_REMOVED_AT_ONCE = 8

#: Times that a folder is removed into which somebody still writes.
_REMOVALS = 5

#: Called by a download after every chunk; what it raises ends the download.
Progress = Callable[[], None]


class Storage(Protocol):
    """Objects under keys. Safe to share between threads.

    Every method raises StorageUnavailable when the folder or the server cannot be used.
    """

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write an object, whole or not at all; a file is read from where it stands."""

    def create(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write an object as `put` does, where none is. Raises ObjectExists."""

    def get(self, key: str) -> bytes:
        """The bytes of an object. Raises ObjectNotFound."""

    def download(self, key: str, path: Path, progress: Progress) -> None:
        """Copy an object into a file without holding it in memory. Raises ObjectNotFound."""

    def names(self, key: str) -> list[str]:
        """What stands directly below a key, sorted; empty where nothing is."""

    def delete(self, key: str) -> None:
        """Remove an object if it is there."""

    def delete_below(self, key: str) -> None:
        """Remove every object below a key."""

    def last_written(self, key: str) -> float:
        """When the newest object below a key was written, in seconds since the epoch; else 0."""

    def url(self, key: str) -> str:
        """The address of an object for people and logs: file:///… or s3://…"""

    def check(self) -> None:
        """Do nothing if the storage can be used, else raise StorageUnavailable."""


def open_storage(settings: Settings) -> Storage:
    """The storage of documents that the settings name.

    Raises:
        ServiceError: the URL is neither file:PATH nor s3://BUCKET/PREFIX.
    """
    return open_at(settings, "storage_url")


def open_at(settings: Settings, name: str, *, plain: bool = False) -> Storage:
    """The storage whose URL is the setting `name`; a folder may be a `plain` one.

    Raises:
        ServiceError: the URL is neither file:PATH nor s3://BUCKET/PREFIX.
    """
    url: str = getattr(settings, name)
    scheme, _, rest = url.partition(":")
    if scheme == "file" and (path := rest.removeprefix("//")):
        return FolderStorage(Path(path), plain=plain)
    if re.match("s3://[^/]", url):
        from workers.s3 import S3Storage  # boto3 is slow to import and a folder does without it

        return S3Storage(url, endpoint_url=settings.s3_endpoint_url)
    raise ServiceError(f"HWR_{name.upper()} is {url!r}. Set it to file:PATH or s3://BUCKET/PREFIX.")


def check_key(key: str) -> str:
    """The key itself, if it stays inside the storage whatever it is made of.

    Raises:
        ServiceError: a part of the key is empty, hidden or has unusual characters.
    """
    if not all(map(is_key_part, key.split("/"))):
        raise ServiceError(f"{key!r} is no storage key. Build keys of letters, digits and . _ -")
    return key


def is_key_part(name: str) -> bool:
    """Whether a key may have this between its slashes."""
    return _KEY_PART.fullmatch(name) is not None


def split_reference(reference: str) -> tuple[str, str]:
    """Bucket and key of a file.

    Raises:
        ReferenceUnreadable: it is no s3:// address of a file.
    """
    bucket, key = split_url(reference)
    if not 0 < len(key.encode()) <= _MAX_S3_KEY:
        raise ReferenceUnreadable(
            f"{reference[:200]!r} names no file: its path has to have 1 to {_MAX_S3_KEY} bytes. "
            "Write s3://bucket/path/file.pdf."
        )
    return bucket, key


def split_url(url: str) -> tuple[str, str]:
    """Bucket and prefix or key of an s3:// address.

    Raises:
        ReferenceUnreadable: it is no such address, or climbs out of its prefix with `..`.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or ".." in key.split("/"):
        raise ReferenceUnreadable(f"{url!r} is no address. Write s3://bucket/path/file.pdf.")
    return bucket, key


class FolderStorage:
    """Objects as files under a folder, for one machine.

    Where `plain`, nothing but plain files in plain folders is an object: for folders into which
    others write.
    """

    def __init__(self, root: Path, *, plain: bool = False) -> None:
        self.root = root.absolute()
        self._plain = plain

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write to a file beside the final one, then rename it into place."""
        with self._errors(), self._written(key, content) as (part, path):
            part.replace(path)

    def create(self, key: str, content: bytes | IO[bytes]) -> None:
        """Write to a file beside the final one, then give it its second name if that is free."""
        with self._errors(), self._written(key, content) as (part, path):
            part.chmod(0o644)  # one user publishes what another one's workers read
            try:
                path.hardlink_to(part)
            except FileExistsError as error:
                raise ObjectExists(f"{path} is there already. Choose another name.") from error

    def get(self, key: str) -> bytes:
        """The bytes of the file."""
        with self._errors(), self._missing(key):
            return self._path(key).read_bytes()

    def download(self, key: str, path: Path, progress: Progress) -> None:
        """Copy the file."""
        with closing(self._chunks(key)) as chunks:
            write_chunks(chunks, path, progress)

    def names(self, key: str) -> list[str]:
        """The names of files and folders, without those that no key can name."""
        with self._errors():
            try:
                folder = self._path(key) if key else self.root
                found = [entry.name for entry in folder.iterdir()]
            except (FileNotFoundError, NotADirectoryError):
                return []
            return sorted(filter(is_key_part, found))

    def delete(self, key: str) -> None:
        """Remove the file, and the folders that it leaves empty."""
        with self._errors():
            path = self._path(key)
            path.unlink(missing_ok=True)
            self._prune(path)

    def delete_below(self, key: str) -> None:
        """Remove the folder, and what a broken upload has left in it."""
        with self._errors():
            folder = self._path(key)
            if folder.is_dir():
                _remove(folder)

    def last_written(self, key: str) -> float:
        """Of the files and of the folders, which empty ones count by."""
        with self._errors():
            folder = self._path(key)
            return max(_times_written(folder), default=0.0) if folder.is_dir() else 0.0

    def url(self, key: str) -> str:
        """file:///…"""
        return self._path(key).as_uri()

    def check(self) -> None:
        """Make the folder if need be and see whether something can be written there."""
        with self._errors():
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root) as file:
                _write_through(io.BytesIO(os.urandom(_PROBE)), file)  # nothing compresses these

    def _chunks(self, key: str) -> Generator[bytes, None, None]:
        # A generator: what goes wrong where they are written is no error of this folder.
        with self._errors(), self._missing(key), self._path(key).open("rb") as source:
            yield from chunks_of(source)

    def _path(self, key: str) -> Path:
        path = self.root / check_key(key)
        if self._plain:
            _check_plain(path, self.root)
        return path

    @contextmanager
    def _written(self, key: str, content: bytes | IO[bytes]) -> Iterator[tuple[Path, Path]]:
        """A file with the content beside the one of the key, gone at the end."""
        path = self._path(key)
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        with _new_file(path.parent) as part:
            try:
                _write_through(source, part)
                yield Path(part.name), path
            finally:
                Path(part.name).unlink(missing_ok=True)
                self._prune(path)
        with suppress(FileNotFoundError):  # removed again already, with its folder
            _sync_folder(path.parent)

    def _prune(self, path: Path) -> None:
        """Remove the folders above the path that are empty, but never the storage's own."""
        with suppress(OSError):  # one that is not empty, or that another pruned first
            for folder in path.parents[: path.parents.index(self.root)]:
                folder.rmdir()

    @contextmanager
    def _missing(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise missing_object(key) from error

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageUnavailable(
                f"The folder {self.root} cannot be used: {error.strerror}. "
                "Free space or correct its permissions."
            ) from error


def missing_object(key: str) -> ObjectNotFound:
    """Tells tenants their part of the address only: where the storage is concerns nobody else."""
    return ObjectNotFound(f"{key} is not there. Submit the document again.")


def chunks_of(source: IO[bytes]) -> Iterator[bytes]:
    """What is left of an open source."""
    while chunk := source.read(_CHUNK):
        yield chunk


def write_chunks(chunks: Iterable[bytes], path: Path, progress: Progress) -> None:
    """Write them into a file, with progress after each."""
    with path.open("wb") as target:
        for chunk in chunks:
            target.write(chunk)
            progress()


def _check_plain(path: Path, root: Path) -> None:
    """Raises UnsafeObject where a link or anything else that is no plain file lies in the way."""
    steps = [path, *path.parents]
    for step in steps[: steps.index(root)]:
        if step.is_symlink() or (step.exists() and not (step.is_file() or step.is_dir())):
            raise UnsafeObject(f"{step} is a link or no plain file. Put a copy in its place.")


def _new_file(folder: Path) -> "tempfile._TemporaryFileWrapper[bytes]":
    """A file of a name of its own in the folder, made if need be."""
    for _ in range(_TRIES):
        # Whoever removes the last object there may take the folder, or one above it, away again.
        with suppress(FileNotFoundError, FileExistsError):
            return _make_file(folder)
    return _make_file(folder)


def _make_file(folder: Path) -> "tempfile._TemporaryFileWrapper[bytes]":
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.NamedTemporaryFile(dir=folder, prefix=".put-", delete=False)


def _remove(folder: Path) -> None:
    """Remove a folder with all in it; the folders of its documents beside each other."""
    with ThreadPoolExecutor(_REMOVED_AT_ONCE) as pool:
        for _ in pool.map(_remove_tree, _folders_in(folder)):
            pass
    _remove_tree(folder)


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, while others may be removing it or writing there."""
    for _ in range(_REMOVALS - 1):
        try:
            return shutil.rmtree(folder, onerror=_unless_gone)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
    return shutil.rmtree(folder, onerror=_unless_gone)


def _unless_gone(_function: object, _path: str, failure: Any) -> None:
    """Raises what failed, but not where somebody else removed it first."""
    _, error, _ = failure
    if not isinstance(error, FileNotFoundError):
        raise error


def _times_written(folder: Path) -> Iterator[float]:
    """Of the folder and all in it that does not vanish meanwhile, as `os.walk` passes over it."""
    for place, folders, files in os.walk(folder):
        for name in ("", *folders, *files):
            with suppress(FileNotFoundError):
                yield Path(place, name).lstat().st_mtime


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
