"""The registry in a folder into which others write."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from model_bench import folder_registry, name, publish, some_files

from hwr.errors import (
    DamagedManifest,
    DamagedModel,
    HwrError,
    ModelNotFound,
    PointerMoved,
    UnsafeObject,
    VersionExists,
)
from workers.models.manifest import CARD, LINE, MOST_BYTES, Manifest
from workers.models.registry import MOST_CARD_BYTES, Registry


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def registry(root: Path) -> Registry:
    return folder_registry(root)


def fetch(registry: Registry, manifest: Manifest, folder: Path) -> list[bytes]:
    folder.mkdir(exist_ok=True)
    for file in manifest.files:
        registry.download(manifest, file, folder / file.name)
    return [(folder / file.name).read_bytes() for file in manifest.files]


def test_an_empty_registry(registry: Registry) -> None:
    assert registry.names() == []
    assert registry.versions("cheques") == []
    with pytest.raises(ModelNotFound, match="has no manifest"):
        registry.manifest(name("v1"))
    with pytest.raises(ModelNotFound, match="hwr models use cheques@VERSION"):
        registry.manifest(name("current"))


def test_what_is_published_can_be_fetched(registry: Registry, tmp_path: Path) -> None:
    written = publish(registry, tmp_path, "v1")
    found = registry.manifest(name("v1"))
    assert found == written
    assert fetch(registry, found, tmp_path / "copy")[0] == b"v1"
    assert registry.names() == ["cheques"]
    assert registry.versions("cheques") == [name("v1")]


def test_the_last_move_is_current_and_all_are_kept(registry: Registry, tmp_path: Path) -> None:
    first, second = (publish(registry, tmp_path, version) for version in ("v1", "v2"))
    for manifest in (first, second, first):
        registry.use(manifest)
    assert registry.current("cheques").number == 3
    assert registry.manifest(name("current")) == first
    moves = [registry.move("cheques", number) for number in registry.moves("cheques")]
    assert [move.model.version for move in moves] == ["v1", "v2", "v1"]


@pytest.mark.parametrize("version", ["v1", "current"])
def test_a_version_never_changes(registry: Registry, tmp_path: Path, version: str) -> None:
    publish(registry, tmp_path, "v1")
    with pytest.raises(VersionExists):
        registry.publish(name(version), some_files(tmp_path / "other", b"other"))
    assert fetch(registry, registry.manifest(name("v1")), tmp_path / "copy")[0] == b"v1"


def test_an_upload_that_broke_off_is_no_version_and_can_go_on(
    registry: Registry, root: Path, tmp_path: Path
) -> None:
    publish(registry, tmp_path, "v1")
    (root / "cheques/versions/v1/manifest.json").unlink()
    (root / "cheques/versions/v1" / CARD).unlink()
    with pytest.raises(ModelNotFound, match="did not end"):
        registry.manifest(name("v1"))
    with pytest.raises(VersionExists, match=r"another line\.safetensors"):
        registry.publish(name("v1"), some_files(tmp_path / "other", b"other"))
    assert fetch(registry, publish(registry, tmp_path, "v1"), tmp_path / "copy")[0] == b"v1"


def test_of_those_who_move_the_pointer_at_once_one_wins(
    registry: Registry, root: Path, tmp_path: Path
) -> None:
    def use(manifest: Manifest) -> None:
        together.wait()
        try:
            won.append(registry.use(manifest).number)
        except PointerMoved:
            lost.append(manifest)

    won: list[int] = []
    lost: list[Manifest] = []
    manifests = [publish(registry, tmp_path, f"v{number}") for number in range(4)]
    together = threading.Barrier(len(manifests))
    threads = [threading.Thread(target=use, args=[manifest]) for manifest in manifests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(1, len(won) + 1))
    assert len(won) + len(lost) == len(manifests)
    assert len(list((root / "cheques/moves").iterdir())) == len(won)


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def other(path: Path) -> None:
    path.write_bytes(b"V1")


def huge(path: Path) -> None:
    os.truncate(path, 2**40)  # a hole, which would fill the disk it is copied to


def link(path: Path) -> None:
    copy = path.with_name("copy")
    path.rename(copy)
    path.symlink_to(copy)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)  # opening it would wait for ever


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (Path.unlink, DamagedModel),
        (longer, DamagedModel),
        (shorter, DamagedModel),
        (other, DamagedModel),
        (huge, DamagedModel),
        (link, UnsafeObject),
        (pipe, UnsafeObject),
    ],
)
def test_a_file_that_is_not_what_its_manifest_says(
    registry: Registry,
    root: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    error: type[HwrError],
) -> None:
    manifest = publish(registry, tmp_path, "v1")
    damage(root / "cheques/versions/v1" / LINE)
    with pytest.raises(error, match=r"line\.safetensors"):
        fetch(registry, manifest, tmp_path / "copy")
    written = tmp_path / "copy" / LINE
    assert not written.exists() or written.stat().st_size < 2**22


def test_a_folder_that_is_a_link(registry: Registry, root: Path, tmp_path: Path) -> None:
    manifest = publish(registry, tmp_path, "v1")
    registry.use(manifest)
    (root / "cheques/versions").rename(tmp_path / "elsewhere")
    (root / "cheques/versions").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeObject, match="versions"):
        registry.manifest(name("current"))


@pytest.mark.parametrize("place", ["versions/v1/manifest.json", "moves/00000001.json"])
def test_a_manifest_without_end(registry: Registry, root: Path, tmp_path: Path, place: str) -> None:
    registry.use(publish(registry, tmp_path, "v1"))
    os.truncate(root / "cheques" / place, 2**40)
    with pytest.raises(DamagedManifest, match=f"{MOST_BYTES:,}"):
        registry.manifest(name("current"))


def test_a_manifest_that_was_changed_after_it_was_put_to_use(
    registry: Registry, root: Path, tmp_path: Path
) -> None:
    registry.use(publish(registry, tmp_path, "v1"))
    longer_text = (root / "cheques/versions/v1/manifest.json").read_text() + "\n"
    (root / "cheques/versions/v1/manifest.json").write_text(longer_text)
    with pytest.raises(DamagedManifest, match="has changed since"):
        registry.manifest(name("current"))


def test_what_has_no_name_of_ours_is_left_alone(
    registry: Registry, root: Path, tmp_path: Path
) -> None:
    registry.use(publish(registry, tmp_path, "v1"))
    for stray in (".DS_Store", "notes.txt", "00000002.json.bak", "9.json"):
        (root / "cheques/moves" / stray).write_text("stray")
    (root / "cheques/versions/-x").mkdir()
    assert registry.moves("cheques") == [1]
    assert registry.versions("cheques") == [name("v1")]


def test_a_card_comes_without_the_weights(registry: Registry, root: Path, tmp_path: Path) -> None:
    manifest = publish(registry, tmp_path, "v1")
    (root / "cheques/versions/v1" / LINE).unlink()
    assert registry.card(manifest) == b"Reads nothing. CC0."
    (root / "cheques/versions/v1" / CARD).write_text("Reads everything.")
    with pytest.raises(DamagedModel, match=r"CARD\.md"):
        registry.card(manifest)


def test_a_card_is_bounded(registry: Registry, root: Path, tmp_path: Path) -> None:
    files = some_files(tmp_path / "v1")
    files[CARD].write_bytes(b"x" * (MOST_CARD_BYTES + 1))
    manifest = registry.publish(name("v1"), files)
    with pytest.raises(DamagedModel, match="more than a card's"):
        registry.card(manifest)
