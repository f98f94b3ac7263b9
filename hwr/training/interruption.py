"""Ending a run when it is asked to: what it has learnt is kept first."""

import signal
from types import FrameType
from typing import Self

from hwr.errors import TrainingStopped

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Takes note of Ctrl-C and SIGTERM within its block. A second one ends the process at once."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        #: Whether the run should end.
        self.asked = False

    def __enter__(self) -> Self:
        # What runs in the background of a script ignores Ctrl-C, and has to go on doing so.
        heeded = [n for n in _SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def stopped(step: int) -> TrainingStopped:
    """What a run ends with that was asked to end after `step`, and has kept it."""
    return TrainingStopped(f"Stopped at step {step}. The same command goes on from there.")
