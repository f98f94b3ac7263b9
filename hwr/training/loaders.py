"""Batches made ahead, by processes of their own, in the very order in which one would make them.

A GPU is faster than one core can draw, decode and distort lines: loaders keep it fed.
"""

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count

import cv2

from hwr.training.batches import Batch, BatchPlan, Position

#: The plan of a loader, which it shares with the process that made it.
_plan: BatchPlan | None = None


def batches_of(
    plan: BatchPlan, start: Position = (0, 0), loaders: int = 0
) -> Iterator[tuple[Position, Batch]]:
    """Batches of `plan` from `start` on, made by so many processes; by this one where none.

    A loader makes whole pools; one pool for each is made ahead.
    """
    if not loaders:
        yield from plan.batches(start)
        return
    # Spawned, not forked: OpenCV and PyTorch have threads here, which a fork would cut off.
    spawned = multiprocessing.get_context("spawn")
    made = ProcessPoolExecutor(loaders, spawned, initializer=_begin, initargs=(plan,))
    try:
        yield from _ahead(made, start, loaders)
    finally:
        made.shutdown(cancel_futures=True)


def _ahead(
    made: ProcessPoolExecutor, start: Position, loaders: int
) -> Iterator[tuple[Position, Batch]]:
    pool, offset = start
    waiting = deque(made.submit(_make, pool + ahead) for ahead in range(loaders))
    for number in count(pool):
        waiting.append(made.submit(_make, number + loaders))
        batches = waiting.popleft().result()
        for index in range(offset, len(batches)):
            yield (number, index + 1), batches[index]
        offset = 0


def _begin(plan: BatchPlan) -> None:
    global _plan
    _plan = plan
    cv2.setNumThreads(1)


def _make(pool: int) -> list[Batch]:
    assert _plan is not None  # noqa: S101 - a loader begins before it makes
    return _plan.pool(pool)
