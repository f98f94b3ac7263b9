"""A split worker that dies or hangs over pages of certain widths.

Run it with `python poisoned_worker.py split`.

It stands in for a decoder that crashes or loops without ever coming back to Python.
"""

import ctypes
import os
import signal

import numpy as np
from numpy.typing import NDArray

from hwr import layout
from workers import worker

#: Widths in pixels of the poisoned pages.
KILLS, HANGS = 901, 902

find_lines = layout.find_lines


def poisoned(image: NDArray[np.uint8]) -> tuple[layout.Line, ...]:
    """Find lines, unless the page is poisoned."""
    if image.shape[1] == KILLS:
        os.kill(os.getpid(), signal.SIGKILL)
    if image.shape[1] == HANGS:
        hang()
    return find_lines(image)


def hang() -> None:
    """Never come back and keep the interpreter's lock, as bad native code does."""
    library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    for _ in range(2):  # the second waits for the first
        library.pthread_mutex_lock(mutex)


if __name__ == "__main__":
    layout.find_lines = poisoned
    worker.main()
