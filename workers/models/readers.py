"""The reader of the moment, which changes under the pages without any of them noticing."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from workers.line_reader import LineReader

log = logging.getLogger(__name__)


class _Seat:
    """A reader, and how many pages hold it."""

    def __init__(self, reader: LineReader) -> None:
        self.reader = reader
        self.pages = 0


class Readers:
    """The reader of the moment, and those before it that pages still hold."""

    def __init__(self, reader: LineReader) -> None:
        self._lock = threading.Lock()
        self._present = _Seat(reader)
        self._retired: list[_Seat] = []
        self._closed = False

    @contextmanager
    def held(self) -> Iterator[LineReader]:
        """The reader of the moment, which stays open until the block ends."""
        with self._lock:
            seat = self._present
            seat.pages += 1
        try:
            yield seat.reader
        finally:
            with self._lock:
                seat.pages -= 1
            self._close_idle()

    def swap(self, reader: LineReader) -> None:
        """Give `reader` to the pages that begin from now on; the one before ends with its own."""
        with self._lock:
            self._retired.append(self._present)
            self._present = _Seat(reader)
            closed = self._closed
        if closed:
            _close(reader)
        self._close_idle()

    def statistics(self) -> object:
        """In words, where the time of the reader of the moment went."""
        return self._present.reader.statistics()

    def close(self) -> None:
        """Close all, whoever holds them."""
        with self._lock:
            self._closed = True
            seats = [self._present, *self._retired]
        for seat in seats:
            _close(seat.reader)

    def _close_idle(self) -> None:
        with self._lock:
            idle = [seat for seat in self._retired if seat.pages == 0]
            self._retired = [seat for seat in self._retired if seat.pages > 0]
        for seat in idle:
            _close(seat.reader)


def _close(reader: LineReader) -> None:
    """Close a reader; one that cannot be closed must harm neither pages nor other readers."""
    try:
        reader.close()
        log.info("reader of %s closed: %s", _name(reader), reader.statistics())
    except Exception:
        log.exception("reader of %s cannot be closed", _name(reader))


def _name(reader: LineReader) -> str:
    return reader.identity.get("model_version") or reader.identity.get("model", "?")
