"""Manifests and moves: what was written is read again, what somebody else wrote is looked at."""

import json
from pathlib import Path
from typing import Any

import pytest
from model_bench import name, some_files

from hwr.errors import DamagedManifest, ModelNotFound
from hwr.model.confidence import scales_path
from hwr.model.quantisation import quantisation_path
from workers.models.manifest import (
    CARD,
    LINE,
    QUANTISATION,
    SCALES,
    Manifest,
    ModelName,
    Move,
    StoredFile,
    write_manifest,
    write_move,
)


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    files = some_files(tmp_path)
    return write_manifest(name("v1"), tuple(StoredFile.of(n, p) for n, p in files.items()))


def changed(content: bytes, **values: Any) -> bytes:
    return json.dumps(json.loads(content) | values).encode()


def entry(file: object = LINE, size: object = 7, sha256: object = "0" * 64) -> dict[str, object]:
    return {"name": file, "bytes": size, "sha256": sha256}


def test_what_was_written_is_read_again(content: bytes) -> None:
    manifest = Manifest.parse(content, name("v1"))
    assert [(file.name, file.size) for file in manifest.files] == [(LINE, 7), (CARD, 19)]
    assert manifest.size == 26
    assert manifest.identity == f"cheques@v1 {manifest.hash[:16]}"


def test_any_change_is_another_hash(content: bytes) -> None:
    hashes = {Manifest.parse(text, name("v1")).hash for text in (content, content + b"\n")}
    assert len(hashes) == 2


def test_files_stand_where_the_reader_looks_for_them() -> None:
    assert quantisation_path(Path(LINE)).name == QUANTISATION
    assert scales_path(Path(LINE)).name == SCALES


@pytest.mark.parametrize(
    "file",
    ["../line.safetensors", "/etc/passwd", "a/line.safetensors", "line.pt", "", ".", None, 7, []],
)
def test_no_file_has_another_name(content: bytes, file: object) -> None:
    files = [entry(), entry(CARD), entry(file)]
    with pytest.raises(DamagedManifest):
        Manifest.parse(changed(content, files=files), name("v1"))


@pytest.mark.parametrize(
    "values",
    [
        {"format": 2},
        {"format": None},
        {"name": "exams"},
        {"version": "v2"},
        {"created": "yesterday"},
        {"hwr": "\x1b[2J"},
        {"files": []},
        {"files": None},
        {"files": [entry()]},
        {"files": [entry(), entry(CARD), entry()]},
        {"files": [entry(size=-1), entry(CARD)]},
        {"files": [entry(size=True), entry(CARD)]},
        {"files": [entry(size=1.5), entry(CARD)]},
        {"files": [entry(sha256="0" * 63), entry(CARD)]},
        {"files": [entry(sha256=None), entry(CARD)]},
        {"files": ["line.safetensors"]},
    ],
)
def test_what_a_manifest_cannot_say_is_refused(content: bytes, values: dict[str, Any]) -> None:
    with pytest.raises(DamagedManifest, match="cheques@v1"):
        Manifest.parse(changed(content, **values), name("v1"))


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"[]", b"{}", b"null", b"[" * 100_000])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(DamagedManifest):
        Manifest.parse(text, name("v1"))
    with pytest.raises(DamagedManifest):
        Move.parse(text, "cheques", 1)


def test_a_move_says_which_manifest_was_meant(content: bytes) -> None:
    manifest = Manifest.parse(content, name("v1"))
    move = Move.parse(write_move(manifest), "cheques", 3)
    assert (move.number, move.model, move.manifest) == (3, name("v1"), manifest.hash)


@pytest.mark.parametrize(
    "values",
    [
        {"version": "../v1"},
        {"version": "1/2"},
        {"version": "current"},
        {"manifest": "x"},
        {"moved": 7},
    ],
)
def test_what_a_move_cannot_say_is_refused(content: bytes, values: dict[str, Any]) -> None:
    move = write_move(Manifest.parse(content, name("v1")))
    with pytest.raises(DamagedManifest):
        Move.parse(changed(move, **values), "cheques", 1)


@pytest.mark.parametrize("text", ["cheques@v1", "a@current", "x.y_z-1@2026-11-22"])
def test_names_are_told_from_files(text: str) -> None:
    assert str(ModelName.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["cheques", "./cheques@v1", "a/b@v1", "@v1", "cheques@", "a@b@c", "..@v1", "a@..", "a@v\n1"],
)
def test_what_is_no_name(text: str) -> None:
    assert ModelName.find(text) is None
    with pytest.raises(ModelNotFound, match="NAME@VERSION"):
        ModelName.parse(text)
