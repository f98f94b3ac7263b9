"""What a read worker's batcher did, in its log every few minutes and when it ends.

The figures count from the worker's start; `hwr.batching.statistics` says how to read them.
"""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

#: Seconds between two lines of the log.
EVERY_S = 300.0

#: Most seconds to wait for the last word: `stop` is called amid a signal, which may have come while
#: the interrupted thread held the log's own lock.
_PATIENCE_S = 5.0


class ReadingLog:
    """A thread that logs what `statistics` says, if that has changed."""

    def __init__(self, statistics: Callable[[], object], every_s: float = EVERY_S) -> None:
        self._statistics, self._every_s = statistics, every_s
        self._stopped = threading.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="reading-log", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Log a last time, and end."""
        self._stopped.set()
        if self._thread.is_alive():  # a worker may be told to end before it was ready
            self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            self._tell()
        self._tell()

    def _tell(self) -> None:
        now = str(self._statistics())
        if now != self._told:
            log.info("reader: %s", now)
        self._told = now
