"""From one version to the next while pages are read: what changes, what ends, what goes on."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_bench import folder_registry, name, publish
from numpy.typing import NDArray
from pipeline import draw_lines, png
from stage_bench import FunctionReader, Stages, reading

from hwr.decoding.reading import LineReading
from hwr.errors import DamagedModel, EngineError, ModelError, ModelNotFound, StorageUnavailable
from workers.models.manifest import Manifest
from workers.models.readers import Readers
from workers.models.registry import Registry
from workers.models.rolling import MOST_STEPS_BACK, Follower, ModelWatch, load_first
from workers.stages.read import read_page


class NamedReader(FunctionReader):
    """A reader whose lines say which one it is."""

    def __init__(self, model: str) -> None:
        super().__init__(lambda _: reading(model))
        self.identity = {"model": model}
        self.closed = False

    def statistics(self) -> str:
        return f"statistics of {self.identity['model']}"

    def close(self) -> None:
        self.closed = True


class Shelf:
    """Loads versions, or fails to."""

    def __init__(self) -> None:
        self.errors: dict[str, Exception] = {}
        self.asked: list[str] = []

    def load(self, manifest: Manifest) -> NamedReader:
        version = manifest.model.version
        self.asked.append(version)
        if version in self.errors:
            raise self.errors[version]
        return NamedReader(version)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return folder_registry(tmp_path / "models")


@pytest.fixture
def use(registry: Registry, tmp_path: Path) -> Callable[[str], Manifest]:
    """Publishes a version if it is new, and puts it to use."""

    def put(version: str) -> Manifest:
        known = {model.version for model in registry.versions("cheques")}
        found = registry.manifest(name(version)) if version in known else None
        manifest = found or publish(registry, tmp_path, version)
        registry.use(manifest)
        return manifest

    return put


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def readers() -> Readers:
    return Readers(NamedReader("v1"))


@pytest.fixture
def follower(
    registry: Registry, use: Callable[[str], Manifest], shelf: Shelf, readers: Readers
) -> Follower:
    """One that reads with v1."""
    return Follower(registry, "cheques", shelf.load, readers, use("v1"))


def reads_with(readers: Readers) -> str:
    with readers.held() as reader:
        return reader.identity["model"]


class TestReaders:
    def test_who_holds_a_reader_keeps_it_and_it_is_closed_after_the_last(
        self, readers: Readers
    ) -> None:
        with readers.held() as first, readers.held() as second:
            assert isinstance(first, NamedReader)
            assert first is second
            readers.swap(NamedReader("v2"))
            assert reads_with(readers) == "v2"
            assert not first.closed
        assert first.closed
        assert reads_with(readers) == "v2"

    def test_a_reader_that_nobody_holds_is_closed_at_once(self) -> None:
        first = NamedReader("v1")
        Readers(first).swap(NamedReader("v2"))
        assert first.closed

    def test_closing_closes_all_and_what_comes_later(self, readers: Readers) -> None:
        second, third = NamedReader("v2"), NamedReader("v3")
        with readers.held() as first:
            readers.swap(second)
            readers.close()
            assert isinstance(first, NamedReader)
            assert (first.closed, second.closed) == (True, True)
            readers.swap(third)
        assert third.closed

    def test_one_that_cannot_be_closed_harms_no_other(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Stuck(NamedReader):
            """Which cannot be closed."""

            def close(self) -> None:
                raise OSError("device is lost")

        second = NamedReader("v2")
        readers = Readers(Stuck("v1"))
        readers.swap(second)
        assert reads_with(readers) == "v2"
        assert "reader of v1 cannot be closed" in caplog.text
        readers.swap(Stuck("v3"))
        readers.swap(last := NamedReader("v4"))
        readers.close()
        assert (second.closed, last.closed) == (True, True)

    def test_statistics_are_those_of_the_moment(self, readers: Readers) -> None:
        readers.swap(NamedReader("v2"))
        assert readers.statistics() == "statistics of v2"

    def test_a_page_is_read_by_one_model(self, stages: Stages) -> None:
        class Late(NamedReader):
            """Whose first line is read only after the next version has come."""

            def submit(self, image: NDArray[np.uint8], **options: Any) -> Future[LineReading]:
                if not self.submitted:
                    rolling.swap(NamedReader("v2"))
                return super().submit(image, **options)

        rolling = Readers(Late("v1"))
        stages.submit(png(draw_lines(3)), png(draw_lines(2)))
        while stages.queue.splits:
            stages.split()
        for page_id, _ in stages.queue.reads:
            with rolling.held() as reader:
                read_page(stages.context, reader, page_id, "message")
        assert [line.text for line in stages.lines()] == ["v1"] * 3 + ["v2"] * 2
        models = [page.reader and page.reader["model"] for page in stages.pages()]
        assert models in (["v1", "v2"], ["v2", "v1"])


class TestFollower:
    def test_while_the_pointer_stands_nothing_is_loaded(
        self, follower: Follower, shelf: Shelf, use: Callable[[str], Manifest]
    ) -> None:
        follower.look()
        use("v1")  # once more
        follower.look()
        assert shelf.asked == []

    def test_the_pointer_is_followed_forth_and_back(
        self, follower: Follower, readers: Readers, use: Callable[[str], Manifest]
    ) -> None:
        told = []
        for version in ("v2", "v1"):
            use(version)
            follower.look()
            told.append(reads_with(readers))
        assert told == ["v2", "v1"]
        assert "cheques@v1" in str(follower)
        assert "2 rolled, 0 refused" in str(follower)

    @pytest.mark.parametrize(
        "error", [DamagedModel(), EngineError(), MemoryError(), OSError("No space left")]
    )
    def test_a_version_that_cannot_be_read_is_refused_and_the_old_one_goes_on(
        self,
        follower: Follower,
        readers: Readers,
        shelf: Shelf,
        use: Callable[[str], Manifest],
        error: Exception,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        shelf.errors["v2"] = error
        use("v2")
        follower.look()
        assert reads_with(readers) == "v1"
        assert f"cheques@v2 refused: {type(error).__name__}" in caplog.text
        assert f"0 rolled, 1 refused (last: {type(error).__name__})" in str(follower)
        use("v3")
        follower.look()
        assert reads_with(readers) == "v3"

    def test_a_half_uploaded_version_is_refused_until_it_is_whole(
        self, follower: Follower, readers: Readers, use: Callable[[str], Manifest], tmp_path: Path
    ) -> None:
        use("v2")
        manifest = tmp_path / "models/cheques/versions/v2/manifest.json"
        content = manifest.read_bytes()
        manifest.unlink()
        follower.look()
        assert reads_with(readers) == "v1"
        assert "1 refused (last: ModelNotFound)" in str(follower)
        manifest.write_bytes(content)
        follower.look()
        assert reads_with(readers) == "v2"

    def test_tries_become_rarer_but_never_end(
        self, follower: Follower, shelf: Shelf, use: Callable[[str], Manifest]
    ) -> None:
        shelf.errors["v2"] = DamagedModel()
        use("v2")
        tried: list[int] = []
        for look in range(100):
            follower.look()
            if len(shelf.asked) > len(tried):
                tried.append(look)
        assert tried == [0, 1, 3, 7, 15, 31, 63, 95]

    def test_a_registry_that_is_away_changes_nothing(
        self,
        follower: Follower,
        readers: Readers,
        registry: Registry,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def away(_: str) -> None:
            raise StorageUnavailable

        monkeypatch.setattr(registry, "current", away)
        follower.look()
        assert reads_with(readers) == "v1"
        assert "last: StorageUnavailable" in str(follower)


class TestLoadFirst:
    def test_the_current_version(
        self, registry: Registry, shelf: Shelf, use: Callable[[str], Manifest]
    ) -> None:
        use("v1")
        current = use("v2")
        manifest, reader = load_first(registry, "cheques", shelf.load)
        assert manifest == current
        assert reader.identity == {"model": "v2"}

    def test_who_starts_reads_with_what_the_others_went_on_with(
        self,
        registry: Registry,
        shelf: Shelf,
        use: Callable[[str], Manifest],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        for version in ("v1", "v2", "v3"):
            use(version)
        shelf.errors = {"v2": ModelError(), "v3": DamagedModel()}
        manifest, _ = load_first(registry, "cheques", shelf.load)
        assert manifest.model == name("v1")
        assert "move 3 of cheques refused: DamagedModel" in caplog.text

    def test_where_none_reads_the_error_is_the_current_ones(
        self, registry: Registry, shelf: Shelf, use: Callable[[str], Manifest]
    ) -> None:
        versions = [f"v{number}" for number in range(MOST_STEPS_BACK + 1)]
        for version in versions:
            use(version)
        shelf.errors = {version: ModelError() for version in versions[1:-1]}
        shelf.errors[versions[-1]] = DamagedModel("of the last")
        with pytest.raises(DamagedModel, match="of the last"):
            load_first(registry, "cheques", shelf.load)
        assert shelf.asked == versions[:0:-1]

    def test_a_registry_that_is_away_is_not_the_versions_fault(
        self, registry: Registry, shelf: Shelf, use: Callable[[str], Manifest]
    ) -> None:
        use("v1")
        use("v2")
        shelf.errors["v2"] = StorageUnavailable()
        with pytest.raises(StorageUnavailable):
            load_first(registry, "cheques", shelf.load)

    def test_a_model_of_which_nothing_is_in_use(self, registry: Registry, shelf: Shelf) -> None:
        with pytest.raises(ModelNotFound, match="hwr models use"):
            load_first(registry, "cheques", shelf.load)


class TestModelWatch:
    def test_it_looks_again_and_again_until_it_is_stopped(self) -> None:
        class Counted(Follower):
            looks = 0

            def __init__(self) -> None:
                """With nothing to follow."""

            def look(self) -> None:
                self.looks += 1
                if self.looks == 3:
                    seen.set()

        seen = threading.Event()
        watch = ModelWatch(Counted, 0.001)
        watch.start()
        assert seen.wait(30)
        watch.stop()
        watch.join(10)
        assert not watch.is_alive()

    def test_where_there_is_nothing_to_follow_it_ends(self) -> None:
        watch = ModelWatch(lambda: None, 0.001)
        watch.start()
        watch.join(10)
        assert not watch.is_alive()
