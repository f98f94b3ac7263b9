"""Files that a run keeps because they take minutes to make."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

from hwr.errors import TrainingDataError

#: What reading a damaged archive or JSON raises.
_DAMAGED = (
    EOFError, ValueError, LookupError, TypeError, RuntimeError, BadZipFile, zlib.error,
)  # fmt: skip


@contextmanager
def reading(kept: Path) -> Iterator[None]:
    """Name the file `kept` and the remedy where what it holds cannot be read in the block.

    Raises:
        TrainingDataError: it is damaged.
    """
    try:
        yield
    except _DAMAGED as error:
        raise TrainingDataError(
            f"{kept} is damaged ({error!r}). Delete it; it will be made again."
        ) from error
