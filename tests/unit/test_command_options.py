"""Where commands write is looked at before they work."""

from pathlib import Path

import pytest
import typer

from workers.commands.options import to_write


def test_files_that_can_be_written(tmp_path: Path) -> None:
    new, old = tmp_path / "new.json", tmp_path / "old.json"
    old.touch()
    assert (to_write(None), to_write(new), to_write(old)) == (None, new, old)
    assert not new.exists()


@pytest.mark.parametrize("name", [".", "missing/figures.json"])
def test_what_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(typer.BadParameter, match="cannot be written"):
        to_write(tmp_path / name)
