"""Which lines come next: lanes by priority, tenants in turn, buckets by width.

Taking a batch costs as many steps as it has lines, beside one for each tenant: it does not matter
how many lines wait.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from hwr.batching.limits import BatcherLimits, Lane


class Sized(Protocol):
    """Anything with a width in pixels as its second dimension."""

    @property
    def shape(self) -> tuple[int, ...]: ...


Item = TypeVar("Item", bound=Sized)
Answer = TypeVar("Answer")


@dataclass(kw_only=True, eq=False)
class Entry(Generic[Item, Answer]):
    """A line that waits for its answer."""

    item: Item
    lane: Lane
    tenant: str
    #: time.monotonic() after which the answer is of no use.
    deadline: float | None
    future: "Future[Answer]" = field(default_factory=Future)
    #: time.monotonic() when it was submitted.
    since: float = field(default_factory=time.monotonic)
    #: Place in the order of arrival.
    number: int = 0

    @property
    def width(self) -> int:
        """In pixels."""
        return self.item.shape[1]

    def is_late(self, now: float) -> bool:
        """Whether its deadline has passed."""
        return self.deadline is not None and self.deadline < now


@dataclass(frozen=True, kw_only=True)
class Taken(Generic[Item, Answer]):
    """What left the queue in one go."""

    #: Lines for the engine; they cannot be cancelled any more.
    batch: list[Entry[Item, Answer]] = field(default_factory=list)
    #: Lines past their deadline.
    late: list[Entry[Item, Answer]] = field(default_factory=list)


#: A tenant's lines in a lane by bucket, each in the order they came; no bucket is empty.
_Buckets = dict[int, deque[Entry[Item, Answer]]]


@dataclass(kw_only=True)
class _LaneQueue(Generic[Item, Answer]):
    """The tenants of a lane, the next one first; none is without lines."""

    tenants: "dict[str, _Buckets[Item, Answer]]" = field(default_factory=dict)
    #: Lines of all tenants.
    waiting: int = 0
    #: Batches since one was led by this lane, while it had lines.
    passed_over: int = 0

    def add(self, entry: Entry[Item, Answer], bucket: int) -> None:
        self.tenants.setdefault(entry.tenant, {}).setdefault(bucket, deque()).append(entry)
        self.waiting += 1

    def pop(self, tenant: str, bucket: int) -> Entry[Item, Answer]:
        """Take the tenant's first line of that bucket."""
        buckets = self.tenants[tenant]
        entry = buckets[bucket].popleft()
        self.waiting -= 1
        if not buckets[bucket]:
            del buckets[bucket]
        if not buckets:
            del self.tenants[tenant]
        return entry

    def next_bucket(self) -> int:
        """Bucket of the oldest line of the tenant whose turn it is."""
        buckets = next(iter(self.tenants.values()))
        return min(buckets, key=lambda bucket: buckets[bucket][0].number)

    def end_turn(self, tenant: str) -> None:
        """Put the tenant behind all others."""
        if buckets := self.tenants.pop(tenant, None):
            self.tenants[tenant] = buckets

    def in_turn(self, bucket: int) -> Iterator[Entry[Item, Answer]]:
        """First lines of the bucket, one of each tenant at a time; whoever asks on, pops them."""
        tenants = deque(tenant for tenant, buckets in self.tenants.items() if bucket in buckets)
        while tenants:
            tenant = tenants.popleft()
            yield self.tenants[tenant][bucket][0]
            if bucket in self.tenants.get(tenant, {}):
                tenants.append(tenant)


class LineQueue(Generic[Item, Answer]):
    """Waiting lines; whoever uses it holds a lock."""

    def __init__(self, limits: BatcherLimits) -> None:
        self._limits = limits
        self._lanes: dict[Lane, _LaneQueue[Item, Answer]] = {lane: _LaneQueue() for lane in Lane}
        self._arrived = 0

    def __len__(self) -> int:
        return sum(lane.waiting for lane in self._lanes.values())

    def has_room(self, lane: Lane) -> bool:
        """Whether one more line may wait in the lane."""
        return self._lanes[lane].waiting < self._limits.waiting

    def add(self, entry: Entry[Item, Answer]) -> None:
        """Have the line wait."""
        self._arrived += 1
        entry.number = self._arrived
        self._lanes[entry.lane].add(entry, self._bucket(entry))

    def take(self, now: float) -> Taken[Item, Answer]:
        """The next batch: the oldest line of the next lane's next tenant leads, others join it.

        Lines of its bucket join as long as the budget lasts: its lane first, tenants in turn.
        """
        lead = self._next_lane()
        lane = self._lanes[lead]
        tenant, bucket = next(iter(lane.tenants)), lane.next_bucket()
        taken: Taken[Item, Answer] = Taken()
        self._fill(taken, bucket, [lead, *(other for other in Lane if other != lead)], now)
        lane.end_turn(tenant)
        return taken

    def drain(self) -> list[Entry[Item, Answer]]:
        """Take all there are."""
        left = [entry for lane in self._lanes.values() for entry in _entries(lane)]
        self._lanes = {lane: _LaneQueue() for lane in Lane}
        return left

    def _fill(
        self, taken: Taken[Item, Answer], bucket: int, lanes: Iterable[Lane], now: float
    ) -> None:
        widest = 0
        for lane in (self._lanes[lane] for lane in lanes):
            for entry in lane.in_turn(bucket):
                grown = max(widest, entry.width)
                if taken.batch and (len(taken.batch) + 1) * grown > self._limits.padded_columns:
                    return
                lane.pop(entry.tenant, bucket)
                if entry.is_late(now):
                    taken.late.append(entry)
                elif entry.future.set_running_or_notify_cancel():
                    taken.batch.append(entry)
                    widest = grown

    def _next_lane(self) -> Lane:
        """The highest lane with lines, unless one below it has been passed over too often."""
        waiting = {lane: queue for lane, queue in self._lanes.items() if queue.waiting}
        late = [lane for lane in waiting if waiting[lane].passed_over >= self._limits.patience]
        chosen = max(late, key=lambda lane: waiting[lane].passed_over) if late else min(waiting)
        for lane, queue in waiting.items():
            queue.passed_over += lane > chosen
        waiting[chosen].passed_over = 0
        return chosen

    def _bucket(self, entry: Entry[Item, Answer]) -> int:
        return (entry.width - 1) // self._limits.bucket


def _entries(lane: _LaneQueue[Item, Answer]) -> Iterator[Entry[Item, Answer]]:
    for buckets in lane.tenants.values():
        for entries in buckets.values():
            yield from entries
