"""Versions of models for tests of the registry: files that nobody can read with, in no time."""

from pathlib import Path

from workers.models.manifest import CARD, LINE, Manifest, ModelName
from workers.models.registry import Registry
from workers.storage import FolderStorage


def name(version: str) -> ModelName:
    """The version of the one model that these tests know."""
    return ModelName(name="cheques", version=version)


def some_files(folder: Path, content: bytes = b"weights") -> dict[str, Path]:
    """A recogniser and its card."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LINE).write_bytes(content)
    (folder / CARD).write_text("Reads nothing. CC0.")
    return {file: folder / file for file in (LINE, CARD)}


def folder_registry(root: Path) -> Registry:
    """A registry in a folder, as workers open it."""
    return Registry(FolderStorage(root, plain=True))


def publish(registry: Registry, folder: Path, version: str) -> Manifest:
    """Publish files that say which version they are of."""
    return registry.publish(name(version), some_files(folder / version, version.encode()))
