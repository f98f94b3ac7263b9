"""The dynamic batcher: lines of many pages share the engine's batches.

Guarantees: every submitted line is answered exactly once, with its reading or with an error; an
idle engine never waits for a fuller batch (work-conserving); the queue is bounded and `submit`
blocks when it is full; a batch holds lines of one width bucket within a budget of padded area;
a line past its deadline never reaches the engine; when a batch fails it is bisected, so that a
poisoned line fails alone; `close` answers what is left with ReaderClosed.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

from hwr.errors import BadLineImage, HwrError, LineFailed, LineTimeout, ReaderClosed


class Lane(IntEnum):
    """Priority of a line; a lower number goes first."""

    #: Someone is waiting at a screen.
    HIGH = 0
    #: Ordinary work.
    NORMAL = 1
    #: Night runs, re-reading.
    LOW = 2


class Sized(Protocol):
    """Anything with a width in pixels as its second dimension."""

    @property
    def shape(self) -> tuple[int, ...]: ...


Item = TypeVar("Item", bound=Sized)
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class BatcherLimits:
    """How large batches and the queue may grow."""

    #: Columns of a batch, padding included (64-pixel-high pixels of width).
    padded_columns: int = 16_384
    #: Width of a bucket in pixels: lines whose widths fall into one bucket share batches.
    bucket: int = 256
    #: Lines waiting at most; `submit` blocks beyond.
    waiting: int = 4_096
    #: Times in a row that a lane may be passed over for a higher one.
    patience: int = 8


@dataclass(kw_only=True, eq=False)
class _Entry(Generic[Item, Answer]):
    item: Item
    future: "Future[Answer]"
    lane: Lane
    tenant: str
    #: time.monotonic() after which the answer is of no use.
    deadline: float | None


@dataclass(kw_only=True)
class _Lane(Generic[Item, Answer]):
    """Tenants of a lane in turn; each tenant's lines in the order they came."""

    tenants: dict[str, "deque[_Entry[Item, Answer]]"] = field(default_factory=dict)
    passed_over: int = 0

    def __bool__(self) -> bool:
        return bool(self.tenants)


class Batcher(Generic[Item, Answer]):
    """One thread that feeds `work`, a function from a list of items to as many answers."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Answer]],
        limits: BatcherLimits | None = None,
    ) -> None:
        self._work = work
        self._limits = limits or BatcherLimits()
        self._lanes: dict[Lane, _Lane[Item, Answer]] = {lane: _Lane() for lane in Lane}
        self._waiting = 0
        self._closed = False
        self._changed = threading.Condition()
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
        """Queue `item`; blocks while the queue is full, `deadline_s` at most.

        The future fails with LineTimeout, LineFailed, ReaderClosed or the HwrError of `work`.

        Raises:
            BadLineImage: `item` has no second dimension.
            LineTimeout: the queue was full until the deadline.
            ReaderClosed: it came too late.
        """
        if len(item.shape) < 2:  # would end the thread that everybody waits for
            raise BadLineImage
        deadline = None if deadline_s is None else time.monotonic() + deadline_s
        entry: _Entry[Item, Answer] = _Entry(
            item=item, future=Future(), lane=lane, tenant=tenant, deadline=deadline
        )
        with self._changed:
            room = self._changed.wait_for(
                lambda: self._closed or self._waiting < self._limits.waiting, deadline_s
            )
            if self._closed:
                raise ReaderClosed
            if not room:
                raise LineTimeout
            self._lanes[lane].tenants.setdefault(tenant, deque()).append(entry)
            self._waiting += 1
            self._changed.notify_all()
        return entry.future

    def close(self) -> None:
        """Finish the running batch; what waits fails with ReaderClosed and can go elsewhere."""
        with self._changed:
            self._closed = True
            left = [entry for lane in self._lanes.values() for entry in _drain(lane)]
            self._waiting = 0
            self._changed.notify_all()
        _fail(left, ReaderClosed())
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._answer(batch)

    def _next_batch(self) -> list[_Entry[Item, Answer]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting > 0)
            if self._closed:
                return None
            batch = self._take()
            self._waiting -= len(batch)
            self._changed.notify_all()
        return self._in_time(batch)

    def _take(self) -> list[_Entry[Item, Answer]]:
        """The lead of the next lane's next tenant, then lines of its bucket, tenants in turn."""
        lane = self._lanes[self._next_lane()]
        lead = _pop_next(lane)
        batch, widest = [lead], lead.item.shape[1]
        for entry in self._alike(lead):
            widest = max(widest, entry.item.shape[1])
            if (len(batch) + 1) * widest > self._limits.padded_columns:
                break
            self._remove(entry)
            batch.append(entry)
        return batch

    def _next_lane(self) -> Lane:
        waiting = [lane for lane in Lane if self._lanes[lane]]
        late = [lane for lane in waiting if self._lanes[lane].passed_over >= self._limits.patience]
        chosen = late[0] if late else waiting[0]
        for lane in waiting:
            self._lanes[lane].passed_over += lane > chosen
        self._lanes[chosen].passed_over = 0
        return chosen

    def _alike(self, lead: _Entry[Item, Answer]) -> Iterable[_Entry[Item, Answer]]:
        """Waiting lines of the lead's bucket: its lane first, one of each tenant at a time."""
        bucket = self._bucket(lead)
        lanes = [self._lanes[lead.lane], *(self._lanes[lane] for lane in Lane if lane != lead.lane)]
        for lane in lanes:
            queues = [[e for e in q if self._bucket(e) == bucket] for q in lane.tenants.values()]
            for turn in range(max(map(len, queues), default=0)):
                yield from [queue[turn] for queue in queues if turn < len(queue)]

    def _bucket(self, entry: _Entry[Item, Answer]) -> int:
        return (entry.item.shape[1] - 1) // self._limits.bucket

    def _remove(self, entry: _Entry[Item, Answer]) -> None:
        tenants = self._lanes[entry.lane].tenants
        tenants[entry.tenant].remove(entry)
        if not tenants[entry.tenant]:
            del tenants[entry.tenant]

    def _in_time(self, batch: list[_Entry[Item, Answer]]) -> list[_Entry[Item, Answer]]:
        now = time.monotonic()
        late = [e for e in batch if e.deadline is not None and e.deadline < now]
        _fail(late, LineTimeout())
        return [e for e in batch if e not in late and e.future.set_running_or_notify_cancel()]

    def _answer(self, batch: list[_Entry[Item, Answer]]) -> None:
        if not batch:
            return
        try:
            answers = self._work([entry.item for entry in batch])
            if len(answers) != len(batch):
                raise ValueError(f"{len(answers)} answers to {len(batch)} lines")
        except Exception as error:  # whatever the engine raises must not kill the thread
            self._bisect(batch, error)
            return
        for entry, answer in zip(batch, answers, strict=True):
            entry.future.set_result(answer)

    def _bisect(self, batch: list[_Entry[Item, Answer]], error: Exception) -> None:
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


def _pop_next(lane: _Lane[Item, Answer]) -> _Entry[Item, Answer]:
    """The first line of the tenant whose turn it is; the tenant goes to the end of the queue."""
    tenant = next(iter(lane.tenants))
    queue = lane.tenants.pop(tenant)
    entry = queue.popleft()
    if queue:
        lane.tenants[tenant] = queue
    return entry


def _drain(lane: _Lane[Item, Answer]) -> list[_Entry[Item, Answer]]:
    entries = [entry for queue in lane.tenants.values() for entry in queue]
    lane.tenants.clear()
    return entries


def _fail(entries: Iterable[_Entry[Item, Answer]], error: HwrError) -> None:
    for entry in entries:
        try:
            entry.future.set_exception(error)
        except InvalidStateError:
            continue
