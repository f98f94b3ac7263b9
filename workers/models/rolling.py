"""From one version of a model to the next while pages are being read.

The new one is loaded beside the old one, and takes its place once it has read a line. A page keeps
the reader that it began with, so no page is read by two models.
"""

import logging
import threading
import time
from collections.abc import Callable

from hwr.errors import DecoderError, EngineError, HwrError, LineError, ModelError, UnsafeObject
from workers.line_reader import LineReader
from workers.models.choice import fetch, followed, model_files, open_reader
from workers.models.manifest import Manifest, Move
from workers.models.readers import Readers
from workers.models.registry import Registry, open_registry
from workers.settings import Settings

log = logging.getLogger(__name__)

#: How many moves back a worker that starts goes to find a version that reads.
MOST_STEPS_BACK = 5

#: A version that was refused is tried again after one look, two, four … and at most so many.
_MOST_LOOKS = 32

#: What a version itself can be at fault for.
_REFUSALS = (ModelError, EngineError, DecoderError, LineError, UnsafeObject)

#: Fetches, verifies, loads and warms up a version.
Load = Callable[[Manifest], LineReader]


class Follower:
    """Brings the current version of a model into a worker's readers, and counts how that went."""

    def __init__(
        self, registry: Registry, name: str, load: Load, readers: Readers, present: Manifest
    ) -> None:
        self._registry, self._name, self._load = registry, name, load
        self._readers, self._present = readers, present
        #: The move that was last tried to follow, and how often that failed.
        self._tried: Move | None = None
        self._failures = 0
        #: Looks to let pass until it is tried again.
        self._pause = 0
        #: Versions that took the place of another, and tries that ended with the old one.
        self.rolled, self.refused = 0, 0
        self._last_error = ""

    def __str__(self) -> str:
        why = f" (last: {self._last_error})" if self.refused else ""
        return f"{self._present.identity}, {self.rolled} rolled, {self.refused} refused{why}"

    def look(self) -> None:
        """Follow the pointer if it moved; whatever happens, something goes on reading."""
        try:
            move = self._registry.current(self._name)
        except Exception as error:
            self._refuse(f"{self._name}@current", error)
            return
        if move.manifest != self._present.hash and self._is_due(move):
            self._follow(move)

    def _is_due(self, move: Move) -> bool:
        if move != self._tried:
            self._tried, self._failures, self._pause = move, 0, 0
        self._pause -= 1
        return self._pause < 0

    def _follow(self, move: Move) -> None:
        started = time.monotonic()
        try:
            manifest = self._registry.manifest_of(move)
            reader = self._load(manifest)
        except Exception as error:
            self._pause = min(2**self._failures, _MOST_LOOKS) - 1
            self._failures += 1
            self._refuse(str(move.model), error)
            return
        self._readers.swap(reader)
        log.info(
            "model %s reads in place of %s, ready after %.1f s",
            manifest.identity,
            self._present.identity,
            time.monotonic() - started,
        )
        self._present = manifest
        self.rolled += 1

    def _refuse(self, what: str, error: Exception) -> None:
        self.refused += 1
        self._last_error = type(error).__name__
        log.error(
            "model %s refused: %s: %s (%s goes on)",
            *(what, self._last_error, error, self._present.identity),
        )


class ModelWatch(threading.Thread):
    """Looks every `every_s` seconds until it is stopped, if there is anything to follow."""

    def __init__(self, follower: Callable[[], Follower | None], every_s: float) -> None:
        super().__init__(name="model-watch", daemon=True)
        self._follower, self._every_s = follower, every_s
        self._stopped = threading.Event()

    def run(self) -> None:
        """Go on until stopped."""
        follower = self._follower()
        while follower and not self._stopped.wait(self._every_s):
            follower.look()

    def stop(self) -> None:
        """End after the look at work."""
        self._stopped.set()


def load_first(registry: Registry, name: str, load: Load) -> tuple[Manifest, LineReader]:
    """The current version, or where it is refused the last one before it that reads.

    A worker that starts then reads with what the others have gone on with.

    Raises:
        ModelNotFound: no version was put to use.
        HwrError: of the current version, where no other reads either.
    """
    refusals: list[HwrError] = []
    # Where there is no move, `current` says so.
    for number in registry.moves(name)[:MOST_STEPS_BACK] or [registry.current(name).number]:
        try:
            manifest = registry.manifest_of(registry.move(name, number))
            return manifest, load(manifest)
        except _REFUSALS as error:
            log.error("move %d of %s refused: %s: %s", number, name, error.code, error)
            refusals.append(error)
    raise refusals[0]


def open_readers(settings: Settings) -> tuple[Readers, Follower | None]:
    """What the settings have a worker read with, and what follows the registry if they do.

    Raises:
        HwrError: it cannot be read with, or not be fetched.
    """
    name = followed(settings)
    if name is None:
        return Readers(open_reader(settings, model_files(settings))), None

    def load(manifest: Manifest) -> LineReader:
        return open_reader(settings, fetch(settings, manifest))

    registry = open_registry(settings)
    manifest, reader = load_first(registry, name, load)
    readers = Readers(reader)
    return readers, Follower(registry, name, load, readers, manifest)
