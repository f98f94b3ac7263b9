"""What reading a run's checkpoint may come to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwr.errors import TrainingDataError


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Whatever a damaged or another's checkpoint raises, by the name of its file.

    Raises:
        TrainingDataError: reading the file at `path` failed, however it did.
    """
    try:
        yield
    except Exception as error:  # loading raises whatever the damaged bytes lead to
        raise TrainingDataError(
            f"{path} is no checkpoint of such a run ({error}). Name the folder of a run."
        ) from error
