"""Batches made ahead, by processes of their own, in the very order in which one would make them.

A GPU is faster than one core can draw, decode and distort lines: loaders keep it fed.
"""

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import count
from pathlib import Path
from typing import IO

import cv2

from hwr.errors import TrainingDataError
from hwr.training.batches import Batch, BatchPlan, Position

#: The plan of a loader, which it shares with the process that made it.
_plan: BatchPlan | None = None


def batches_of(
    plan: BatchPlan, start: Position = (0, 0), loaders: int = 0
) -> Generator[tuple[Position, Batch], None, None]:
    """Batches of `plan` from `start` on, made by so many processes; by this one where none.

    A loader makes whole pools; one more than there are loaders is made ahead.

    Raises:
        TrainingDataError: a loader was killed.
    """
    if not loaders:
        yield from plan.batches(start)
        return
    # Spawned, not forked: OpenCV and PyTorch have threads here, which a fork would cut off.
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryFile() as kept:
        # Written once for all loaders; it has no name to be left behind.
        pickle.dump(plan, kept, pickle.HIGHEST_PROTOCOL)
        kept.flush()
        executor = ProcessPoolExecutor(
            loaders, context, initializer=_begin, initargs=(_path(kept),)
        )
        try:
            yield from _ahead(executor, start, loaders)
        except BrokenProcessPool as error:
            raise TrainingDataError(
                "A loader ended before its work: killed for want of memory, or by an error that"
                " stands above. Take fewer --loaders; the same command goes on from the last"
                " checkpoint."
            ) from error
        finally:
            executor.shutdown(cancel_futures=True)


def _path(file: IO[bytes]) -> Path:
    """Where other processes of this user can open it while it is open here (proc(5))."""
    return Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")


def _ahead(
    executor: ProcessPoolExecutor, start: Position, loaders: int
) -> Iterator[tuple[Position, Batch]]:
    pool, offset = start
    waiting = deque(executor.submit(_make, pool + ahead) for ahead in range(loaders))
    for number in count(pool):
        waiting.append(executor.submit(_make, number + loaders))
        batches = waiting.popleft().result()
        for index in range(offset, len(batches)):
            yield (number, index + 1), batches[index]
        offset = 0


def _begin(kept: Path) -> None:
    global _plan
    with kept.open("rb") as file:
        _plan = pickle.load(file)  # noqa: S301 - this run wrote it, where no other user may
    cv2.setNumThreads(1)
    # Ctrl-C reaches the whole group; the trainer ends its loaders itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A loader holds both ends of its queues, so it would wait for ever for a killed trainer."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(pool: int) -> list[Batch]:
    assert _plan is not None  # noqa: S101 - a loader begins before it makes
    return list(_plan.batches_in(pool))
