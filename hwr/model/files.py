"""Files of a model on disk: each is there as a whole, or as it was before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, which takes its place when the block ends without an error."""
    temporary = path.with_suffix(".tmp")
    yield temporary
    temporary.replace(path)
