"""Files of models, and what commands write: each is there as a whole, or as it was before."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj, copymode
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

#: Of the little-endian number that a safetensors file begins with, the length of its header.
_LENGTH_BYTES = 8
#: Where Linux lists mount points, and how it writes spaces and the like in them.
_MOUNTS = Path("/proc/self/mountinfo")
_UNESCAPED = re.compile(rb"\\([0-7]{3})")
#: Characters of a file's name that its temporary folder shows.
_SHOWN = 32


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write, which takes the place of `path` when the block ends without an error.

    It is in a new folder beside `path`: two runs may write the same file at the same time. A device
    or a pipe is written as it is; a link keeps its place, and a file who may read it. What cannot
    be replaced (see `stays`) is written once all of its content is there.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    if stays(path):
        with tempfile.TemporaryDirectory() as own:
            temporary = Path(own) / path.name
            yield temporary
            with temporary.open("rb") as source, _in_place(path) as target:
                copyfileobj(source, target)
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name[:_SHOWN]}-") as own:
        temporary = Path(own) / path.name
        yield temporary
        if path.exists():
            copymode(path, temporary)
        temporary.replace(path)


def stays(path: Path) -> bool:
    """Whether `path` is written as it stands.

    True of a device, a pipe, a file that is a mount point, as containers are given single ones, and
    of names of what is open already: `/dev/stdout` may be a file that others write to as well.
    """
    if not path.is_file():
        return path.exists()
    return _descriptor(path) is not None or _is_mount_point(path.resolve())


def _descriptor(path: Path) -> int | None:
    """The number of the open file that the path names, as `/dev/stdout` names 1."""
    while path.is_symlink():
        if path.parent.resolve() == Path("/proc/self/fd").resolve():
            return int(path.name)
        path = path.parent / path.readlink()
    return None


def _is_mount_point(path: Path) -> bool:
    try:
        mounts = _MOUNTS.read_bytes().splitlines()
    except OSError:  # no Linux, whose files are no mount points
        return False
    return any(_UNESCAPED.sub(_byte, line.split(b" ")[4]) == os.fsencode(path) for line in mounts)


def _byte(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1], 8)])


def _in_place(path: Path) -> IO[bytes]:
    """The file as it is open already, behind what it has been given so far; else emptied."""
    number = _descriptor(path)
    if number is None:
        return path.open("wb")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.fdopen(os.dup(number), "wb")


def write_tensors(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: dict[str, str] | None = None
) -> None:
    """Write a safetensors file, as readable as any new one; the same content gives the same bytes.

    safetensors itself orders metadata by chance, and makes files that only their owner may read.
    """
    data = save({n: np.ascontiguousarray(t) for n, t in tensors.items()}, metadata)
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    header = json.loads(data[_LENGTH_BYTES:end])
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    # Spaces up to a multiple of eight, so that the tensors are aligned.
    text += b" " * (-len(text) % 8)
    with replacing(path) as temporary:
        temporary.write_bytes(len(text).to_bytes(_LENGTH_BYTES, "little") + text + data[end:])
