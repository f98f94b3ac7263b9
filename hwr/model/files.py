"""Files of a model on disk: each is there as a whole, or as it was before."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write, which takes the place of `path` when the block ends without an error.

    It is in a new folder beside `path`: two runs may write the same file at the same time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as own:
        temporary = Path(own) / path.name
        yield temporary
        temporary.replace(path)
