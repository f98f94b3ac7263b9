"""Versions of the registry on this machine's disk: whole and verified, or not there."""

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwr.errors import ModelTooLarge, StorageUnavailable
from workers.models.manifest import Manifest, StoredFile, is_hash
from workers.models.registry import Registry
from workers.settings import Settings

#: What folders that a download was broken off in begin with.
_PART = ".part-"


def open_cache(settings: Settings) -> "ModelCache":
    """The cache that the settings name."""
    return ModelCache(settings.model_cache, settings.model_cache_bytes)


class Fetched:
    """A version on the disk, which stays there until it is released or forgotten.

    Readers open decoders, and with them files, long after they were loaded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        self._close = weakref.finalize(self, os.close, descriptor)

    def release(self) -> None:
        """Let it make room for others, as the end of the process does."""
        self._close()


class ModelCache:
    """A folder for each version, named by its hash; all processes of a machine may share it."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder.absolute()
        self._most_bytes = most_bytes

    def fetch(self, registry: Registry, manifest: Manifest) -> Fetched:
        """The files of the version, each compared with its hash just now.

        Of the versions that no process holds, those not asked for longest make room.

        Raises:
            ModelTooLarge: with those in use it is larger than the cache may be.
            DamagedModel: the registry's files are not what the manifest says.
            StorageUnavailable: the registry or the folder cannot be used.
        """
        home = self._folder / manifest.hash
        with self._errors(), self._locked():
            if not _is_whole(home, manifest):
                shutil.rmtree(home, ignore_errors=True)
                self._make_room(manifest)
                self._download(registry, manifest, home)
            os.utime(home)
            return Fetched(home)

    def _download(self, registry: Registry, manifest: Manifest, home: Path) -> None:
        part = Path(tempfile.mkdtemp(dir=self._folder, prefix=_PART))
        try:
            for file in manifest.files:
                registry.download(manifest, file, part / file.name)
            part.rename(home)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _make_room(self, manifest: Manifest) -> None:
        """Remove what is left of broken downloads, and versions until the new one fits."""
        for part in self._folder.glob(f"{_PART}*"):
            shutil.rmtree(part)
        homes = [path for path in self._folder.iterdir() if is_hash(path.name)]
        homes.sort(key=lambda home: home.stat().st_mtime_ns)
        sizes = {home: sum(file.stat().st_size for file in home.iterdir()) for home in homes}
        too_many = sum(sizes.values()) + manifest.size - self._most_bytes
        for home in homes:
            # For one that would never fit, nothing is given up.
            if 0 < too_many <= sum(sizes.values()) and _removed(home):
                too_many -= sizes.pop(home)
        if too_many > 0:
            raise ModelTooLarge(
                f"{manifest.model} has {manifest.size:,} bytes, {too_many:,} more than the cache"
                " has room for beside the versions in use. Raise HWR_MODEL_CACHE_BYTES."
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone in the folder; the lock goes with the process, however that ends."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageUnavailable(
                f"The folder {self._folder} cannot be used: {error.strerror}. Free space, correct"
                " its permissions, or name another with HWR_MODEL_CACHE."
            ) from error


def _removed(home: Path) -> bool:
    """Remove a version unless somebody holds it."""
    descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        shutil.rmtree(home)
        return True
    finally:
        os.close(descriptor)


def _is_whole(home: Path, manifest: Manifest) -> bool:
    return all(_is_same(home / file.name, file) for file in manifest.files)


def _is_same(path: Path, file: StoredFile) -> bool:
    try:
        return StoredFile.of(file.name, path) == file
    except FileNotFoundError:
        return False
