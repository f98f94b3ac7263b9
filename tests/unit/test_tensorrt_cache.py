"""The cache of compiled engines: its keys, and files that are whole or not there."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from tensorrt_doubles import PLATFORM, EagerCompiler, small_network

from hwr.engines.tensorrt_buckets import BUCKETS
from hwr.engines.tensorrt_cache import EngineCache, EngineKey, default_folder
from hwr.engines.tensorrt_parts import parts_of
from hwr.engines.tensorrt_supply import EngineSupply
from hwr.errors import EngineError
from hwr.model.network import fold_norms

KEY = EngineKey(weights="ab" * 32, part="head", inputs="sequence float16", platform=PLATFORM)
ENGINE = b"an engine " * 1000


@pytest.mark.parametrize("field", ["weights", "part", "inputs"])
def test_the_digest_changes_with_every_field(field: str) -> None:
    change: dict[str, Any] = {field: "other"}
    assert replace(KEY, **change).digest != KEY.digest


@pytest.mark.parametrize("name", PLATFORM)
def test_the_digest_changes_with_every_version_and_the_gpu(name: str) -> None:
    assert replace(KEY, platform={**PLATFORM, name: "other"}).digest != KEY.digest


def test_the_digest_does_not_depend_on_the_order_of_versions() -> None:
    assert replace(KEY, platform=dict(reversed(PLATFORM.items()))).digest == KEY.digest


def test_the_key_of_a_part_names_weights_precision_and_bucket(tmp_path: Path) -> None:
    supply = EngineSupply(EagerCompiler(), EngineCache(tmp_path))
    network = fold_norms(small_network())
    parts = [
        *parts_of(network, BUCKETS[0]),
        *parts_of(network, BUCKETS[1]),
        *parts_of(fold_norms(small_network()).half(), BUCKETS[0]),
        *parts_of(fold_norms(small_network(seed=1)), BUCKETS[0]),
    ]
    assert len({supply.key(part).digest for part in parts}) == len(parts)
    again = parts_of(fold_norms(small_network()), BUCKETS[0])
    assert [supply.key(part) for part in again] == [supply.key(part) for part in parts[:2]]


def test_an_engine_comes_back_as_it_was_put(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path / "not" / "yet")
    assert cache.get(KEY) is None
    cache.put(KEY, ENGINE)
    cache.put(KEY, ENGINE[::-1])
    assert cache.get(KEY) == ENGINE[::-1]
    assert cache.get(replace(KEY, part="backbone")) is None
    assert (tmp_path / "not" / "yet").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    cache = EngineCache(tmp_path)
    cache.put(KEY, ENGINE)
    tmp_path.chmod(mode)
    uses: tuple[Callable[[], object], ...] = (
        lambda: cache.get(KEY),
        lambda: cache.put(KEY, ENGINE),
    )
    for use in uses:
        with pytest.raises(EngineError, match="Others may write"):
            use()
    tmp_path.chmod(0o755)
    assert cache.get(KEY) == ENGINE


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(EngineError, match="XDG_CACHE_HOME"):
        EngineCache(tmp_path).put(KEY, ENGINE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_engine_is_built_again(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    compiler = EagerCompiler()
    supply = EngineSupply(compiler, EngineCache(tmp_path))
    part = parts_of(fold_norms(small_network()), BUCKETS[0])[1]
    supply.take(part)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(
        {"cut": whole[:-1], "flipped": whole[:-1] + bytes([whole[-1] ^ 1]), "emptied": b""}[damage]
    )
    assert not supply.holds([part])
    assert "damaged" in caplog.text
    supply.take(part)
    assert compiler.built == ["head", "head"]
    assert path.read_bytes() == whole


def test_what_fails_in_the_middle_leaves_the_old_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = EngineCache(tmp_path)
    cache.put(KEY, ENGINE)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        cache.put(KEY, b"half an engine")
    assert cache.get(KEY) == ENGINE
    assert len(list(tmp_path.iterdir())) == 1


#: Writes engines under one key as often as it is told, and may be killed while the first is open.
WRITER = f"""
import os, sys
from pathlib import Path
from hwr.engines.tensorrt_cache import EngineCache, EngineKey
cache, key = EngineCache(Path(sys.argv[1])), EngineKey(**{asdict(KEY)!r})
if sys.argv[2] == "die":
    os.fsync = lambda descriptor: os.kill(os.getpid(), 9)
for number in range(50):
    cache.put(key, sys.argv[2].encode() * 50_000)
"""


def start_writer(folder: Path, what: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder), what])


def test_a_writer_killed_in_the_middle_leaves_no_engine(tmp_path: Path) -> None:
    assert start_writer(tmp_path, "die").wait(60) == -9
    assert len(list(tmp_path.glob("*.tmp"))) == 1
    cache = EngineCache(tmp_path)
    assert cache.get(KEY) is None
    cache.put(KEY, ENGINE)
    assert cache.get(KEY) == ENGINE


def test_two_processes_that_write_one_key_both_write_whole_engines(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path, name) for name in ("one", "two")]
    cache, seen = EngineCache(tmp_path), set[bytes | None]()
    while any(writer.poll() is None for writer in writers):
        engine = cache.get(KEY)
        assert engine is not None or seen <= {None}  # once there, never away or damaged
        seen.add(engine)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert cache.get(KEY) in seen - {None} <= {b"one" * 50_000, b"two" * 50_000}


def test_engines_are_kept_where_the_system_keeps_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "hwr" / "engines"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder() == Path.home() / ".cache" / "hwr" / "engines"
