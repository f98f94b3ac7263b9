"""What HWR_MODEL comes to: a file, a version of the registry, or what comes with hwr."""

import fcntl
import gc
import os
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from model_bench import name, some_files
from pipeline import draw_lines, small_model, tiff
from stage_bench import FunctionReader

from hwr.errors import EngineError, ModelError, ModelNotFound
from hwr.reader import Reader
from workers.models.choice import ModelFiles, engine_of, followed, model_files, open_reader
from workers.models.manifest import CARD, LANGUAGE, LINE
from workers.models.registry import open_registry
from workers.settings import Settings


def settings_of(folder: Path, model: str, **values: Any) -> Settings:
    """Settings with a registry and a cache in the folder."""
    return Settings(
        model=Path(model),
        engine="torch",
        decoder="best-path",
        model_registry=f"file:{folder / 'models'}",
        model_cache=folder / "cache",
        **values,
    )


def publish_small(settings: Settings, folder: Path) -> str:
    """Publish a model that reads as cheques@v1; its identity."""
    folder.mkdir()
    (folder / CARD).write_text("Reads nothing. CC0.")
    files = {LINE: small_model(folder / "small.safetensors"), CARD: folder / CARD}
    return open_registry(settings).publish(name("v1"), files).identity


def test_without_a_setting_it_is_the_shipped_one() -> None:
    assert model_files(Settings()) == ModelFiles()


@pytest.mark.parametrize("path", ["model.safetensors", "models/cheques@v1", "/cheques@current"])
def test_a_path_is_a_file(path: str, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, path)
    assert model_files(settings) == ModelFiles(line=Path(path))
    assert followed(settings) is None


def test_only_what_is_current_is_followed(tmp_path: Path) -> None:
    assert followed(settings_of(tmp_path, "cheques@current")) == "cheques"
    assert followed(settings_of(tmp_path, "cheques@v1")) is None


def test_results_name_the_version(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "cheques@v1")
    identity = publish_small(settings, tmp_path / "small")
    (tmp_path / "scan.tif").write_bytes(tiff([draw_lines(1)]))
    with Reader(**engine_of(settings)) as reader:
        reading = reader.read(tmp_path / "scan.tif")
    assert reading.state == "done"
    assert reading.reader["model_version"] == identity


def test_a_language_model_comes_with_the_version_unless_another_is_named(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "cheques@v1")
    files = some_files(tmp_path / "files")
    files[LANGUAGE] = files[CARD]
    open_registry(settings).publish(name("v1"), files)
    own = model_files(settings)
    assert own.language
    assert own.language.read_bytes() == files[CARD].read_bytes()
    named = model_files(settings.model_copy(update={"language_model": Path("named")}))
    assert named.language == Path("named")


def test_a_version_stays_on_the_disk_as_long_as_its_reader(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "cheques@v1")
    publish_small(settings, tmp_path / "small")
    reader = open_reader(settings, model_files(settings))
    gc.collect()
    assert is_held(tmp_path / "cache")
    reader.close()
    del reader
    gc.collect()
    assert not is_held(tmp_path / "cache")


def is_held(cache: Path) -> bool:
    """Whether a process keeps the only version of the cache from making room."""
    (home,) = (path for path in cache.iterdir() if path.is_dir())
    descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_a_version_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="cheques/versions/v1"):
        model_files(settings_of(tmp_path, "cheques@v1"))
    with pytest.raises(ModelNotFound, match="in use"):
        model_files(settings_of(tmp_path, "cheques@current"))


def test_a_version_that_is_no_model_does_not_read(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "cheques@v1")
    open_registry(settings).publish(name("v1"), some_files(tmp_path / "files"))
    with pytest.raises(ModelError, match="not a usable model"):
        open_reader(settings, model_files(settings))


def test_a_version_that_reads_no_line_in_time_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(FunctionReader):
        """Whose lines never come."""

        closed = False

        def submit(self, *_: object, **__: object) -> Future[Any]:
            return Future()

        def close(self) -> None:
            self.closed = True

    reader = Slow(lambda _: pytest.fail("reads"))
    monkeypatch.setattr("hwr.reader.LineReader", lambda **_: reader)
    monkeypatch.setattr("workers.models.choice._TRIAL_S", 0.01)
    with pytest.raises(EngineError, match="HWR_ENGINE"):
        open_reader(settings_of(tmp_path, "model"), ModelFiles())
    assert reader.closed
