"""A lock that many hold together, or one alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SharedLock:
    """Threads that share it, until one wants it alone: those who come after that one wait for it.

    A thread may hold it once only.
    """

    def __init__(self) -> None:
        self._door = threading.Lock()
        self._left = threading.Condition()
        self._sharers = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold it together with others."""
        with self._door, self._left:
            self._sharers += 1
        try:
            yield
        finally:
            with self._left:
                self._sharers -= 1
                self._left.notify()

    @contextmanager
    def alone(self, patience_s: float) -> Iterator[bool]:
        """Hold it alone; False: the others did not leave it in so many seconds."""
        with self._door:
            with self._left:
                is_alone = self._left.wait_for(lambda: self._sharers == 0, patience_s)
            yield is_alone
