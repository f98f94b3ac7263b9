"""Temporary folders of split workers, and the removal of those that were left behind.

A split process that is killed over a hostile file cannot tidy up. Without this, one such document
would fill the disk with its copies, try after try, and then no document could be split any more.
"""

import multiprocessing
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwr.errors import ScratchUnavailable

_PREFIX = "hwr-split-"

#: Names of our folders: others may put any name into the folder for temporary files.
_OURS = re.compile(rf"{_PREFIX}(\d{{1,9}})-.*", re.ASCII)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of this process's own until the block ends.

    Raises:
        ScratchUnavailable: there is no room for it.
    """
    with disk_errors():
        made = tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-")
    with made as folder:
        yield Path(folder)


@contextmanager
def pool_folder() -> Iterator[None]:
    """Have the process pool keep its files in a scratch folder until the block ends.

    Left to itself it makes one whose name does not tell its owner, so that nobody could remove it.
    What others left behind is removed first: it may be all that fills the disk.

    Raises:
        ScratchUnavailable: there is no room for it.
    """
    keep_to_tmpdir()
    with disk_errors():
        sweep()
    with scratch_folder() as folder:
        multiprocessing.current_process()._config["tempdir"] = str(folder)  # type: ignore[attr-defined]
        yield


def keep_to_tmpdir() -> None:
    """Put temporary files of this process and its children where TMPDIR says, also when it is full.

    Python looks once whether it can write there, and for as long as the process lives puts all into
    another folder if not. Nobody would sweep the one that is full then, nor look into the other.
    One that is not there, or another user's, will never have room: Python's choice stays.
    """
    named = os.environ.get("TMPDIR")
    if named and os.access(named, os.W_OK | os.X_OK):
        tempfile.tempdir = str(Path(named).absolute())


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raises ScratchUnavailable for a disk that is full or broken: no document is to blame."""
    try:
        yield
    except OSError as error:
        raise ScratchUnavailable(
            f"The folder for temporary files cannot be used ({error}). "
            "Free space there, or name another folder with TMPDIR."
        ) from error


def sweep() -> None:
    """Remove the folders of processes that are no more. Every new split process calls it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        ours = _OURS.fullmatch(folder.name)
        if ours and not _runs(int(ours[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
