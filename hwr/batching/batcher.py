"""One thread feeds the engine from a queue that any number of threads fill."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import Generic

from hwr.batching.limits import BatcherLimits, Lane
from hwr.batching.queue import Answer, Entry, Item, LineQueue
from hwr.batching.statistics import BatcherStatistics, StatisticsTally
from hwr.errors import BadLineImage, HwrError, LineFailed, LineTimeout, ReaderClosed


class Batcher(Generic[Item, Answer]):
    """One thread that feeds `work`, a function from a list of items to as many answers."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Answer]],
        limits: BatcherLimits | None = None,
    ) -> None:
        self._work = work
        self._queue: LineQueue[Item, Answer] = LineQueue(limits or BatcherLimits())
        self._tally = StatisticsTally()
        self._closed = False
        lock = threading.Lock()
        self._filled, self._freed = threading.Condition(lock), threading.Condition(lock)
        #: Who waits for room in a lane, in the order they came.
        self._submitters: dict[Lane, deque[object]] = {lane: deque() for lane in Lane}
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)
        self._thread.start()

    def submit(
        self,
        item: Item,
        *,
        lane: Lane = Lane.NORMAL,
        tenant: str = "default",
        deadline_s: float | None = None,
    ) -> "Future[Answer]":
        """Queue `item`; blocks while its lane is full, `deadline_s` at most.

        The future fails with LineTimeout, LineFailed, ReaderClosed or the HwrError of `work`.

        Raises:
            BadLineImage: `item` has no second dimension.
            LineTimeout: the lane was full until the deadline.
            ReaderClosed: it came too late.
        """
        if len(item.shape) < 2:  # would end the thread that everybody waits for
            raise BadLineImage
        deadline = None if deadline_s is None else time.monotonic() + deadline_s
        entry: Entry[Item, Answer] = Entry(item=item, lane=lane, tenant=tenant, deadline=deadline)
        with self._freed:
            self._wait_for_room(lane, deadline_s)
            self._queue.add(entry)
            self._filled.notify()
        return entry.future

    def statistics(self) -> BatcherStatistics:
        """Times, batch sizes and padding since the batcher was made."""
        return self._tally.snapshot()

    def close(self) -> None:
        """Finish the running batch; what waits fails with ReaderClosed and can go elsewhere."""
        with self._freed:
            self._closed = True
            left = self._queue.drain()
            self._filled.notify_all()
            self._freed.notify_all()
        _fail(left, ReaderClosed())
        self._thread.join()

    def _wait_for_room(self, lane: Lane, patience_s: float | None) -> None:
        """Wait behind those who came before; else whoever asks often would get all the room."""
        me, line = object(), self._submitters[lane]
        line.append(me)
        try:
            room = self._freed.wait_for(
                lambda: self._closed or (line[0] is me and self._queue.has_room(lane)), patience_s
            )
        finally:
            line.remove(me)
            if line:  # it is somebody else's turn now
                self._freed.notify_all()
        if self._closed:
            raise ReaderClosed
        if not room:
            raise LineTimeout

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._answer(batch)

    def _next_batch(self) -> list[Entry[Item, Answer]] | None:
        with self._filled:
            self._filled.wait_for(lambda: self._closed or len(self._queue) > 0)
            if self._closed:
                return None
            now = time.monotonic()
            taken = self._queue.take(now)
            if any(self._submitters.values()):
                self._freed.notify_all()
        _fail(taken.late, LineTimeout())
        self._tally.add_waiting(now - entry.since for entry in taken.batch)
        return taken.batch

    def _answer(self, batch: list[Entry[Item, Answer]]) -> None:
        if not batch:
            return
        try:
            answers = self._timed_work(batch)
            if len(answers) != len(batch):
                raise ValueError(f"{len(answers)} answers to {len(batch)} lines")
        except Exception as error:  # whatever the engine raises must not kill the thread
            self._bisect(batch, error)
            return
        for entry, answer in zip(batch, answers, strict=True):
            entry.future.set_result(answer)

    def _timed_work(self, batch: list[Entry[Item, Answer]]) -> Sequence[Answer]:
        start = time.monotonic()
        try:
            return self._work([entry.item for entry in batch])
        finally:
            self._tally.add_batch([e.width for e in batch], time.monotonic() - start)

    def _bisect(self, batch: list[Entry[Item, Answer]], error: Exception) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            self._answer(batch[:middle])
            self._answer(batch[middle:])
        elif isinstance(error, HwrError):
            batch[0].future.set_exception(error)
        else:
            failure = LineFailed(f"The engine failed on this line alone: {error!r}. Report it.")
            failure.__cause__ = error
            batch[0].future.set_exception(failure)


def _fail(entries: Iterable[Entry[Item, Answer]], error: HwrError) -> None:
    for entry in entries:
        try:
            entry.future.set_exception(error)
        except InvalidStateError:
            continue
