"""Files of models, and what commands write: each is there as a whole, or as it was before."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copymode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

#: Of the little-endian number that a safetensors file begins with, the length of its header.
_LENGTH_BYTES = 8
#: Characters of a file's name that its temporary folder shows.
_SHOWN = 32


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write, which takes the place of `path` when the block ends without an error.

    It is in a new folder beside `path`: two runs may write the same file at the same time. A device
    or a pipe is written as it is; a link keeps its place, and a file who may read it.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name[:_SHOWN]}-") as own:
        temporary = Path(own) / path.name
        yield temporary
        if path.exists():
            copymode(path, temporary)
        temporary.replace(path)


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
