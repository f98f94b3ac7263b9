"""What a client sends: files, opened only while they are sent, and references."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from hwr.errors import BadRequest
from hwr.free_text import FREE_TEXT
from workers.file_names import clean_name


def is_reference(file: str | Path) -> bool:
    """Whether this is no file of ours, but an address that the service fetches."""
    return str(file).startswith("s3://")


def form_parts(files: Sequence[str | Path], lane: str, profile: str) -> list[tuple[str, Any]]:
    """The parts of a multipart body, as httpx takes them. Raises BadRequest for what is no file."""
    parts: list[tuple[str, Any]] = [("lane", (None, lane))]
    if profile != FREE_TEXT:  # services of 0.1.0 know no profiles
        parts.append(("profile", (None, profile)))
    return parts + list(map(_part, files))


def _part(file: str | Path) -> tuple[str, Any]:
    if is_reference(file):
        return "references", (None, file)
    path = Path(file)
    _check_file(path)
    return "files", (clean_name(path.name), _LateFile(path))


def _check_file(path: Path) -> None:
    try:
        if not path.is_file():
            raise BadRequest(f"{path} is no file. Check its name.")
        path.open("rb").close()
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read ({error.strerror}). Check its name and permissions."
        ) from error


class _LateFile:
    """A file that is open only while it is sent: a thousand of them are too many at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def read(self, size: int = -1) -> bytes:
        """The next bytes; closes the file at its end."""
        self._file = self._file or self._path.open("rb")
        data = self._file.read(size)
        if not data:
            self._file.close()
            self._file = None
        return data
