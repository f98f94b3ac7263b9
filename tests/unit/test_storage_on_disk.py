"""A power cut costs no object: content is on disk before it has its name, and then the name is."""

import os
from pathlib import Path

import pytest

from workers.storage import FolderStorage


@pytest.mark.parametrize("write", [FolderStorage.put, FolderStorage.create])
def test_content_is_on_disk_before_its_name_and_its_name_before_the_call_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object
) -> None:
    synced: list[tuple[bool, bool, int]] = []

    def watched(descriptor: int) -> None:
        found = Path(f"/proc/self/fd/{descriptor}").resolve()
        size = 0 if found.is_dir() else found.stat().st_size
        synced.append((found == tmp_path / "a", (tmp_path / "a" / "b").exists(), size))

    monkeypatch.setattr(os, "fsync", watched)
    assert callable(write)
    write(FolderStorage(tmp_path), "a/b", b"words")
    assert synced == [(False, False, 5), (True, True, 0)]
