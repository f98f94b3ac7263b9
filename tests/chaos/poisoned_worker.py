"""A worker that dies or hangs over certain pages.

Run it with `python poisoned_worker.py split` or `python poisoned_worker.py read`.

It stands in for a decoder that crashes or loops without ever coming back to Python.
"""

import ctypes
import os
import signal
import time
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from hwr import layout
from workers import worker
from workers.line_pack import PackedLine, unpack
from workers.stages import read

#: Widths in pixels of the pages that are poison to split workers.
KILLS, HANGS = 901, 902

#: Lines of the pages that are poison to read workers.
KILLING_LINES = 5

#: Seconds in which a read worker takes pages beside the poisoned one.
COMPANY_S = 1.0

find_lines = layout.find_lines


def poisoned(image: NDArray[np.uint8]) -> tuple[layout.Line, ...]:
    """Find lines, unless the page is poisoned."""
    if image.shape[1] == KILLS:
        os.kill(os.getpid(), signal.SIGKILL)
    if image.shape[1] == HANGS:
        hang()
    return find_lines(image)


def poisoned_pack(data: bytes) -> tuple[PackedLine, ...]:
    """Unpack the lines, unless they are poisoned; either way other pages come meanwhile."""
    lines = unpack(data)
    time.sleep(COMPANY_S)
    if len(lines) == KILLING_LINES:
        os.kill(os.getpid(), signal.SIGKILL)
    return lines


def hang() -> None:
    """Never come back and keep the interpreter's lock, as bad native code does."""
    library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    for _ in range(2):  # the second waits for the first
        library.pthread_mutex_lock(mutex)


if __name__ == "__main__":
    with (
        patch.object(layout, "find_lines", poisoned),
        patch.object(read, "unpack", poisoned_pack),
    ):
        worker.main()
