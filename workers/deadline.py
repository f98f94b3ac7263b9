"""Cut off what takes too long in the main thread of a split process."""

import faulthandler
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

#: Seconds that code which does not come back to Python gets beyond the deadline, before its
#: process is ended.
GRACE_S = 5.0

#: A process that had less than this part of a deadline in CPU time was not at work: it was paused,
#: or waited for a machine that is overloaded.
_AT_WORK = 0.5

#: The file descriptor, because Celery puts a logger in the place of `sys.stderr`.
STDERR = 2


@contextmanager
def deadline(seconds: float, error: Exception) -> Iterator[None]:
    """Raise the error in the block when it takes longer; end the process if even that is no help.

    An alarm raises the error at the next Python instruction. Native code that never comes back
    (a decoder in an endless loop) is ended with its whole process: the watchdog of `faulthandler`
    needs no Python, and leaves a traceback on stderr. Main thread only; not nested.
    """

    def expire(_signal: int, _frame: object) -> None:
        raise error

    with ExitStack() as undo:  # all of it, also where the alarm comes while the block ends
        undo.callback(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, expire))
        faulthandler.dump_traceback_later(seconds + GRACE_S, exit=True, file=STDERR)
        undo.callback(faulthandler.cancel_dump_traceback_later)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        undo.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        yield


def cpu_s() -> float:
    """CPU seconds of this process and of the programs that it has run to their end."""
    return sum(os.times()[:4])


def was_held_up(since: float, seconds: float) -> bool:
    """Whether what ran out of its `seconds` hardly ran, by the `cpu_s` that it began at."""
    return cpu_s() - since < seconds * _AT_WORK
