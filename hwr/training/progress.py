"""How a run gets on: a bar with lines a second and time left, on a terminal only."""

import logging
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

#: Standard error; bar and log share it, so that lines of the log stand above the bar.
CONSOLE = Console(stderr=True)


def log_handler() -> logging.Handler:
    """What writes the log beside the bar; plain lines where there is no terminal."""
    if CONSOLE.is_terminal:
        return RichHandler(console=CONSOLE, show_path=False, show_level=False)
    return logging.StreamHandler()


class ProgressBar:
    """The bar of one run, from `step` to `last`."""

    def __init__(self, step: int, last: int, *, shown: bool = True, console: Console = CONSOLE):
        self._bar = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("{task.fields[lines_s]:.1f} lines/s  loss {task.fields[loss]:.3f}"),
            TimeRemainingColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
        )
        self._task = self._bar.add_task("", total=last, completed=step, lines_s=0.0, loss=0.0)
        self._lines = 0
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    @property
    def lines_s(self) -> float:
        """Lines a second since the bar began, validation included."""
        return self._lines / max(1e-9, time.monotonic() - self._started)

    def advance(self, lines: int, loss: float) -> None:
        """A step over that many lines is done."""
        self._lines += lines
        self._bar.update(self._task, advance=1, lines_s=self.lines_s, loss=loss)
