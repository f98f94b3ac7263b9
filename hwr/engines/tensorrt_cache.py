"""Compiled engines on disk: a build takes a minute, a start from here a second.

An engine runs where it was tuned and nowhere else, so its key names all that it depends on. Files
appear whole or not at all, whoever is killed and however many processes write at once.
"""

import hashlib
import json
import logging
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from hwr.errors import EngineError

_log = logging.getLogger(__name__)

#: The group or anybody.
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True, kw_only=True)
class EngineKey:
    """All that a compiled engine depends on."""

    #: SHA-256 of the part's weights, as 64 hexadecimal digits.
    weights: str
    #: backbone or head.
    part: str
    #: Each input's name, type and least, usual and most shape.
    inputs: str
    #: Versions of torch, Torch-TensorRT, TensorRT and driver, name of the GPU.
    platform: Mapping[str, str]

    @property
    def digest(self) -> str:
        """64 hexadecimal digits that change with every field."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class EngineCache:
    """A folder of engines, each file the SHA-256 of an engine and the engine itself.

    TensorRT trusts what it loads: whoever may write here may run code as the reader. The folder is
    made for its owner alone, and one that others may write to is refused.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: EngineKey) -> bytes | None:
        """The engine of `key`; None where there is none that can be read whole.

        Raises:
            EngineError: somebody else may write to the folder.
        """
        self._refuse_open_folder()
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        digest, engine = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(engine).digest() != digest:
            _log.warning("The engine in %s is damaged and will be built again.", path)
            return None
        return engine

    def put(self, key: EngineKey, engine: bytes) -> None:
        """Keep `engine`, in place of what is there.

        Raises:
            EngineError: somebody else may write to the folder.
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_open_folder()
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(engine).digest() + engine)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path(key))  # noqa: PTH105
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)

    def _refuse_open_folder(self) -> None:
        try:
            found = self._folder.stat()
        except OSError:  # nothing can be loaded from it, then
            return
        if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
            raise EngineError(
                f"Others may write to {self._folder}, and TensorRT runs what lies there. Delete it,"
                " or name another place with XDG_CACHE_HOME."
            )

    def _path(self, key: EngineKey) -> Path:
        return self._folder / f"{key.part}-{key.digest}.engine"


def default_folder() -> Path:
    """Where engines are kept: `hwr/engines` in XDG_CACHE_HOME, by default `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "hwr" / "engines"


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
