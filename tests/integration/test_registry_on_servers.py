"""The registry in a folder and on a real S3 server: publish, use, fetch, and what goes wrong."""

import threading
from pathlib import Path
from typing import Any

import pytest
import services
from model_bench import name, publish, some_files

from hwr.errors import DamagedModel, PointerMoved, StorageUnavailable, VersionExists
from workers.models.cache import open_cache
from workers.models.manifest import LINE
from workers.models.registry import Registry, open_registry
from workers.settings import Settings
from workers.storage import open_at


@pytest.fixture(params=["folder", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Of either registry, empty, and of an empty cache."""
    values: dict[str, Any] = {"model_cache": tmp_path / "cache"}
    if request.param == "folder":
        return Settings(model_registry=f"file:{tmp_path / 'models'}", **values)
    s3: services.S3Server = request.getfixturevalue("s3")
    values["model_registry"] = request.getfixturevalue("s3_url") + "/models"
    return Settings(s3_endpoint_url=s3.endpoint_url, **values)


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return open_registry(settings)


def test_what_is_put_to_use_is_fetched(
    settings: Settings, registry: Registry, tmp_path: Path
) -> None:
    for version in ("v1", "v2"):
        registry.use(publish(registry, tmp_path, version))
    current = open_registry(settings).manifest(name("current"))
    home = open_cache(settings).fetch(registry, current).folder
    assert (home / LINE).read_bytes() == b"v2"
    assert registry.names() == ["cheques"]
    assert registry.versions("cheques") == [name("v1"), name("v2")]
    assert registry.moves("cheques") == [2, 1]


def test_a_version_never_changes(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1")
    with pytest.raises(VersionExists):
        registry.publish(name("v1"), some_files(tmp_path / "other", b"other"))


def test_an_upload_that_broke_off_goes_on_with_the_same_files_only(
    settings: Settings, registry: Registry, tmp_path: Path
) -> None:
    files = some_files(tmp_path / "v1", b"v1")
    with files[LINE].open("rb") as begun:
        key = f"cheques/versions/v1/{LINE}"
        open_at(settings, "model_registry").create(key, begun)
    with pytest.raises(VersionExists, match="was begun with another"):
        registry.publish(name("v1"), some_files(tmp_path / "other", b"other"))
    manifest = registry.publish(name("v1"), files)
    assert open_cache(settings).fetch(registry, manifest).folder.is_dir()


@pytest.mark.parametrize("content", [b"V1", b"v1 and more", b""])
def test_other_bytes_are_refused(
    settings: Settings, registry: Registry, tmp_path: Path, content: bytes
) -> None:
    manifest = publish(registry, tmp_path, "v1")
    open_at(settings, "model_registry").put(f"cheques/versions/v1/{LINE}", content)
    with pytest.raises(DamagedModel, match=LINE):
        open_cache(settings).fetch(registry, manifest)


def test_of_those_who_move_the_pointer_at_once_one_wins(registry: Registry, tmp_path: Path) -> None:
    manifests = [publish(registry, tmp_path, version) for version in ("v1", "v2")]
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def use(number: int) -> None:
        together.wait()
        try:
            registry.use(manifests[number])
            outcomes.append("moved")
        except PointerMoved:
            outcomes.append("refused")

    threads = [threading.Thread(target=use, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(registry.moves("cheques")) == outcomes.count("moved") >= 1
    assert len(outcomes) == 2


def test_a_registry_that_is_away_is_named(s3: services.S3Server) -> None:
    settings = Settings(model_registry="s3://bucket/models", s3_endpoint_url="http://127.0.0.1:1")
    with pytest.raises(StorageUnavailable, match="HWR_S3_ENDPOINT_URL"):
        open_registry(settings).manifest(name("current"))
