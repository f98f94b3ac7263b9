"""Limits that a process which opens uploads sets for itself, and that poppler inherits from it.

What this does not protect from: poppler and Pillow run as the worker's user, with its files, its
network and its environment; run split workers in a container of their own with as little of these
as they need. Pillow, and qpdf that looks for scans in PDFs, work inside the worker and cannot be
interrupted: only the size limits, and the time limit of the worker's process, bound them.
"""

import resource
import signal


def limit_process(memory_bytes: int, child_cpu_s: int) -> None:
    """Bound this process and every program it starts. Call once, in the main thread.

    Args:
        memory_bytes: address space of this process, and of each child; what asks for more gets
            MemoryError. Address space is more than memory: leave at least 2 GiB.
        child_cpu_s: CPU seconds after which a child is killed, even if its parent is gone. This
            process itself, which lives on, is exempt.

    Raises:
        ValueError: more than the system lets this process have, or not in the main thread.
    """
    _set_soft(resource.RLIMIT_AS, memory_bytes)
    # A crash on a hostile file must not fill the disk with core files.
    _set_soft(resource.RLIMIT_CORE, 0)
    # Children start with no handler, so the signal kills them; here it does nothing.
    signal.signal(signal.SIGXCPU, lambda *_: None)
    _set_soft(resource.RLIMIT_CPU, child_cpu_s)


def _set_soft(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    resource.setrlimit(limit, (value, hard))
