"""What was fetched from the registry stays on the disk, whole, and within bounds."""

import os
from pathlib import Path

import pytest
from model_bench import folder_registry, name, publish, some_files

from hwr.errors import DamagedModel, ModelTooLarge, StorageUnavailable
from workers.models.cache import ModelCache
from workers.models.manifest import LINE
from workers.models.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return folder_registry(tmp_path / "models")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(folder: Path) -> ModelCache:
    return ModelCache(folder, 1000)


def empty(tmp_path: Path) -> Registry:
    """A registry that has lost everything."""
    return folder_registry(tmp_path / "nothing")


def homes(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_what_was_fetched_once_needs_no_registry(
    cache: ModelCache, registry: Registry, tmp_path: Path
) -> None:
    manifest = publish(registry, tmp_path, "v1")
    home = cache.fetch(registry, manifest).folder
    assert (home / LINE).read_bytes() == b"v1"
    assert cache.fetch(empty(tmp_path), manifest).folder == home


@pytest.mark.parametrize("content", [b"V1", b"v12", b""])
def test_a_damaged_copy_is_fetched_again(
    cache: ModelCache, registry: Registry, tmp_path: Path, content: bytes
) -> None:
    manifest = publish(registry, tmp_path, "v1")
    home = cache.fetch(registry, manifest).folder
    (home / LINE).write_bytes(content)
    assert (cache.fetch(registry, manifest).folder / LINE).read_bytes() == b"v1"


def test_a_fetch_that_fails_leaves_nothing(
    cache: ModelCache, registry: Registry, folder: Path, tmp_path: Path
) -> None:
    manifest = publish(registry, tmp_path, "v1")
    (tmp_path / "models/cheques/versions/v1" / LINE).write_bytes(b"V1")
    with pytest.raises(DamagedModel):
        cache.fetch(registry, manifest)
    assert homes(folder) == set()


def test_what_a_killed_process_left_is_swept(
    cache: ModelCache, registry: Registry, folder: Path, tmp_path: Path
) -> None:
    (folder / ".part-gone").mkdir(parents=True)
    manifest = publish(registry, tmp_path, "v1")
    cache.fetch(registry, manifest)
    assert homes(folder) == {manifest.hash}


def test_who_was_not_asked_for_longest_makes_room(
    registry: Registry, folder: Path, tmp_path: Path
) -> None:
    manifests = [publish(registry, tmp_path, version) for version in ("v1", "v2", "v3")]
    cache = ModelCache(folder, 2 * manifests[0].size)
    for age, manifest in ((200, manifests[0]), (100, manifests[1])):
        home = cache.fetch(registry, manifest).folder
        os.utime(home, (home.stat().st_mtime - age,) * 2)
    cache.fetch(registry, manifests[0])
    cache.fetch(registry, manifests[2])
    assert homes(folder) == {manifests[0].hash, manifests[2].hash}


def test_what_is_held_stays(registry: Registry, folder: Path, tmp_path: Path) -> None:
    manifests = [publish(registry, tmp_path, version) for version in ("v1", "v2", "v3")]
    cache = ModelCache(folder, 2 * manifests[0].size)
    held = [cache.fetch(registry, manifest) for manifest in manifests[:2]]
    with pytest.raises(ModelTooLarge, match="beside the versions in use"):
        cache.fetch(registry, manifests[2])
    assert homes(folder) == {manifests[0].hash, manifests[1].hash}
    held[1].release()
    last = cache.fetch(registry, manifests[2])
    assert homes(folder) == {manifests[0].hash, manifests[2].hash}
    del held, last  # which releases as well
    cache.fetch(registry, manifests[1])
    assert manifests[1].hash in homes(folder)


def test_a_folder_of_somebody_else_is_left_alone(
    registry: Registry, folder: Path, tmp_path: Path
) -> None:
    (folder / "photographs").mkdir(parents=True)
    (folder / "photographs" / "1.jpg").write_bytes(bytes(5000))
    manifests = [publish(registry, tmp_path, version) for version in ("v1", "v2")]
    for manifest in manifests:
        ModelCache(folder, manifest.size).fetch(registry, manifest)
    assert homes(folder) == {"photographs", manifests[1].hash}


def test_a_version_that_would_never_fit_is_not_begun(
    registry: Registry, folder: Path, tmp_path: Path
) -> None:
    small = publish(registry, tmp_path, "v1")
    large = registry.publish(name("large"), some_files(tmp_path / "large", bytes(2000)))
    cache = ModelCache(folder, 1000)
    cache.fetch(registry, small).release()
    with pytest.raises(ModelTooLarge, match="HWR_MODEL_CACHE_BYTES"):
        cache.fetch(registry, large)
    assert homes(folder) == {small.hash}


def test_a_folder_that_cannot_be_used_is_named(registry: Registry, tmp_path: Path) -> None:
    manifest = publish(registry, tmp_path, "v1")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match="HWR_MODEL_CACHE"):
        ModelCache(tmp_path / "file" / "cache", 1000).fetch(registry, manifest)
