"""Ctrl-C while a program is loaded, which takes seconds: it ends without a word, as it does later.

Programs import this before anything that takes long.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

#: Exit code after Ctrl-C, as shells have it.
INTERRUPTED = 130


def end_at_interrupt() -> None:
    """Have Ctrl-C end this process at once, until somebody else says what it does."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else our parent ignores it
        # An exception would pass through imports, of which some make another of it.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))


@contextmanager
def loading() -> Iterator[None]:
    """The same while the block imports what the program needs."""
    before = signal.getsignal(signal.SIGINT)
    end_at_interrupt()
    yield
    signal.signal(signal.SIGINT, before)
