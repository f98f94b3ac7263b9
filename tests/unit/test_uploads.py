"""What is sent of a file: its content once it is asked for, and a name that harms nobody."""

from pathlib import Path
from typing import Any

import pytest

from hwr.errors import BadRequest
from hwr.free_text import FREE_TEXT
from workers.uploads import form_parts


def sent(file: str | Path) -> tuple[str, Any]:
    """Field and value of the part that stands for the file."""
    return form_parts([file], "normal", "page")[-1]


def test_a_file_is_open_only_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"%PDF-1.4")
    field, (_, file) = sent(path)
    for _ in range(2):
        assert not is_open(path)
        assert file.read(5) == b"%PDF-"
        assert is_open(path)
        assert (file.read(5), file.read(5)) == (b"1.4", b"")
    assert field == "files"


def is_open(path: Path) -> bool:
    files = Path("/proc/self/fd").iterdir()
    return str(path) in [str(file.readlink()) for file in files if file.is_symlink()]


def test_names_are_sent_without_what_steers_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31mb.pdf"
    path.touch()
    assert sent(path)[1][0] == "a[31mb.pdf"


def test_a_reference_is_sent_as_it_is() -> None:
    assert sent("s3://inbox/a.pdf") == ("references", (None, "s3://inbox/a.pdf"))


def test_what_is_no_file_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.pdf", tmp_path / ("x" * 300)):
        with pytest.raises(BadRequest, match="Check its name"):
            sent(path)


def test_services_from_before_there_were_profiles_are_told_of_none() -> None:
    assert form_parts([], "low", FREE_TEXT) == [("lane", (None, "low"))]
    assert form_parts([], "low", "cheque")[1] == ("profile", (None, "cheque"))
