"""Models in a storage: publish versions, put one to use, find out which one that is."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hwr.errors import (
    DamagedManifest,
    DamagedModel,
    ModelNotFound,
    ObjectExists,
    ObjectNotFound,
    PointerMoved,
    VersionExists,
)
from workers.models.manifest import (
    CARD,
    CURRENT,
    MOST_BYTES,
    Manifest,
    ModelName,
    Move,
    StoredFile,
    write_manifest,
    write_move,
)
from workers.settings import Settings
from workers.storage import Storage, open_at

#: Bytes of the longest card that is shown; cards have a few thousand.
MOST_CARD_BYTES = 2**20

#: Moves sort by their names.
_MOVE = re.compile(r"(\d{8})\.json")


def open_registry(settings: Settings) -> "Registry":
    """The registry that the settings name."""
    return Registry(open_at(settings, "model_registry", plain=True))


class Registry:
    """Versions of models and what is in use; every method raises StorageUnavailable."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def names(self) -> list[str]:
        """The models."""
        return self._storage.names("")

    def versions(self, name: str) -> list[ModelName]:
        """The versions of a model, whole or not."""
        found = (
            ModelName.find(f"{name}@{version}")
            for version in self._storage.names(f"{name}/versions")
        )
        return [version for version in found if version]

    def manifest(self, model: ModelName) -> Manifest:
        """What a version holds.

        Raises:
            ModelNotFound: there is no such version.
            DamagedManifest: it cannot be used, or has changed since it was put to use.
        """
        if model.version == CURRENT:
            return self.manifest_of(self.current(model.name))
        content = self._read(f"{_home(model)}/manifest.json")
        if content is None:
            raise ModelNotFound(
                f"{self._storage.url(_home(model))} has no manifest: it is not there, or its"
                " upload did not end. List what is there with: hwr models list"
            )
        return Manifest.parse(content, model)

    def manifest_of(self, move: Move) -> Manifest:
        """What was put to use with a move; raises what `manifest` does."""
        manifest = self.manifest(move.model)
        if manifest.hash != move.manifest:
            raise DamagedManifest(
                f"{move.model} has changed since it was put to use. Publish another version."
            )
        return manifest

    def current(self, name: str) -> Move:
        """The last move of a model.

        Raises:
            ModelNotFound: no version was put to use.
            DamagedManifest: the move cannot be read.
        """
        for number in self.moves(name)[:1]:
            return self.move(name, number)
        raise ModelNotFound(
            f"No version of {name} is in use at {self._storage.url(name)}."
            f" Put one to use with: hwr models use {name}@VERSION"
        )

    def moves(self, name: str) -> list[int]:
        """The numbers of a model's moves, the last one first."""
        found = map(_MOVE.fullmatch, self._storage.names(f"{name}/moves"))
        return sorted((int(match[1]) for match in found if match), reverse=True)

    def move(self, name: str, number: int) -> Move:
        """A move of a model.

        Raises:
            ModelNotFound, DamagedManifest: it is not there or cannot be read.
        """
        content = self._read(_move_key(name, number))
        if content is None:
            raise ModelNotFound(
                f"{self._storage.url(_move_key(name, number))} is not there any more."
                " Moves are never removed: restore it, or put a version to use again."
            )
        return Move.parse(content, name, number)

    def card(self, manifest: Manifest) -> bytes:
        """The card of a version, without its other files.

        Raises:
            DamagedModel: it is missing, too long, or not the one that the manifest names.
        """
        entry = next(file for file in manifest.files if file.name == CARD)
        if entry.size > MOST_CARD_BYTES:
            raise DamagedModel(
                f"{CARD} of {manifest.model} has {entry.size:,} bytes, more than a card's"
                f" {MOST_CARD_BYTES:,}. Publish a shorter one with another version."
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, CARD)
            self.download(manifest, entry, path)
            return path.read_bytes()

    def publish(self, model: ModelName, files: Mapping[str, Path]) -> Manifest:
        """Add a version; one whose upload broke off can be published again with the same files.

        Raises:
            VersionExists: it is there, or begun with other content.
        """
        if model.version == CURRENT or self._read(f"{_home(model)}/manifest.json") is not None:
            raise VersionExists(f"{model} is taken, and versions never change. Choose another.")
        entries = tuple(StoredFile.of(name, path) for name, path in files.items())
        content = write_manifest(model, entries)
        manifest = Manifest.parse(content, model)
        for entry in entries:
            self._upload(manifest, entry, files[entry.name])
        if not self._create(f"{_home(model)}/manifest.json", content):
            raise VersionExists(f"{model} was published at the same time. Choose another version.")
        return manifest

    def use(self, manifest: Manifest) -> Move:
        """Put a version to use.

        Raises:
            PointerMoved: somebody else put one to use at this moment.
        """
        name = manifest.model.name
        number = max(self.moves(name), default=0) + 1
        content = write_move(manifest)
        if not self._create(_move_key(name, number), content):
            raise PointerMoved(
                f"Somebody else put a version of {name} to use at the same time."
                f" See which with: hwr models show {name}@{CURRENT}"
            )
        return Move.parse(content, name, number)

    def download(self, manifest: Manifest, file: StoredFile, path: Path) -> None:
        """Copy a file of a version to `path`, if it is the one that the manifest names.

        Raises:
            DamagedModel: it is missing, or has other bytes; never more than named are written,
                but for a chunk.
        """
        what = f"{file.name} of {manifest.model}"
        try:
            self._copy(f"{_home(manifest.model)}/{file.name}", path, file.size)
        except ObjectNotFound as error:
            raise DamagedModel(f"{what} is missing. Publish it as another version.") from error
        except _TooLong as error:
            raise DamagedModel(
                f"{what} has more than its {file.size:,} bytes. Publish it as another version."
            ) from error
        if StoredFile.of(file.name, path) != file:
            raise DamagedModel(
                f"{what} has not the hash that its manifest names. Publish it as another version."
            )

    def _upload(self, manifest: Manifest, entry: StoredFile, path: Path) -> None:
        with path.open("rb") as source:
            try:
                self._storage.create(f"{_home(manifest.model)}/{entry.name}", source)
                return
            except ObjectExists:
                pass  # this upload was begun before, or another one is
        with tempfile.TemporaryDirectory() as folder:
            try:
                self.download(manifest, entry, Path(folder, entry.name))
            except DamagedModel as error:
                raise VersionExists(
                    f"{manifest.model} was begun with another {entry.name}. Choose another version."
                ) from error

    def _create(self, key: str, content: bytes) -> bool:
        """Write an object; False: there is another one."""
        try:
            self._storage.create(key, content)
        except ObjectExists:
            # Ours where a request was answered with silence and sent again.
            return self._read(key) == content
        return True

    def _read(self, key: str) -> bytes | None:
        """A small object; None where there is none."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "object")
            try:
                self._copy(key, path, MOST_BYTES)
            except ObjectNotFound:
                return None
            except _TooLong as error:
                raise DamagedManifest(
                    f"{self._storage.url(key)} has more than {MOST_BYTES:,} bytes, so it is"
                    " none of ours. Remove it."
                ) from error
            return path.read_bytes()

    def _copy(self, key: str, path: Path, most: int) -> None:
        def check() -> None:
            if path.stat().st_size > most:
                raise _TooLong

        self._storage.download(key, path, check)


class _TooLong(Exception):
    """More bytes came than there may be."""


def _home(model: ModelName) -> str:
    return f"{model.name}/versions/{model.version}"


def _move_key(name: str, number: int) -> str:
    return f"{name}/moves/{number:08}.json"
