"""What holds for every queue of lines, whoever submits them and when."""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_models import model_of
from numpy.typing import NDArray

from hwr.batching import Batcher, BatcherLimits, Lane
from hwr.batching.queue import Entry, LineQueue
from hwr.decoding.decoders import BestPathDecoder
from hwr.decoding.reading import LineReading
from hwr.engines import open_engine
from hwr.errors import ReaderClosed
from hwr.line_work import reading_work
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn

Grey = NDArray[np.uint8]

PATIENCE = 2
TENANTS = ("a", "b", "c")


class Picture:
    """As wide as it is told to be, and known by its number."""

    def __init__(self, width: int, number: int = 0) -> None:
        self.shape = (64, width)
        self.number = number


Callers = st.tuples(
    st.sampled_from(list(Lane)), st.sampled_from(TENANTS), st.integers(1, 60).map(lambda w: 8 * w)
)


def entry(caller: tuple[Lane, str, int], number: int = 0) -> Entry[Picture, int]:
    lane, tenant, width = caller
    return Entry(item=Picture(width, number), lane=lane, tenant=tenant, deadline=None)


def filled(callers: Sequence[tuple[Lane, str, int]], budget: int) -> LineQueue[Picture, int]:
    queue: LineQueue[Picture, int] = LineQueue(BatcherLimits(padded_columns=budget, bucket=128))
    for number, caller in enumerate(callers):
        queue.add(entry(caller, number))
    return queue


@given(st.lists(Callers, max_size=50), st.integers(1, 2000))
def test_each_caller_is_read_in_order_and_nobody_twice(
    callers: list[tuple[Lane, str, int]], budget: int
) -> None:
    queue = filled(callers, budget)
    read: dict[tuple[Lane, str, int], list[int]] = defaultdict(list)
    while len(queue):
        for taken in queue.take(0.0).batch:
            read[taken.lane, taken.tenant, (taken.width - 1) // 128].append(taken.item.number)
    assert sorted(n for numbers in read.values() for n in numbers) == list(range(len(callers)))
    assert all(numbers == sorted(numbers) for numbers in read.values())


@given(st.lists(Callers, min_size=1, max_size=50), st.integers(1, 2000))
def test_a_batch_is_of_one_bucket_and_within_the_budget(
    callers: list[tuple[Lane, str, int]], budget: int
) -> None:
    queue = filled(callers, budget)
    while len(queue):
        widths = [taken.width for taken in queue.take(0.0).batch]
        assert widths
        assert len({(width - 1) // 128 for width in widths}) == 1
        assert len(widths) == 1 or len(widths) * max(widths) <= budget


@given(st.lists(Callers, max_size=50), st.integers(1, 2000), st.integers(0, 5))
def test_what_is_not_taken_is_drained(
    callers: list[tuple[Lane, str, int]], budget: int, takes: int
) -> None:
    queue = filled(callers, budget)
    taken = [e for _ in range(takes) if len(queue) for e in queue.take(0.0).batch]
    numbers = [e.item.number for e in [*taken, *queue.drain()]]
    assert sorted(numbers) == list(range(len(callers)))
    assert len(queue) == 0


@given(st.lists(Callers, max_size=12), Callers, st.lists(st.lists(Callers, max_size=4), max_size=8))
def test_nobody_starves_whatever_others_submit(
    before: list[tuple[Lane, str, int]],
    caller: tuple[Lane, str, int],
    storm: list[list[tuple[Lane, str, int]]],
) -> None:
    limits = BatcherLimits(padded_columns=1, bucket=128, patience=PATIENCE)
    queue: LineQueue[Picture, int] = LineQueue(limits)
    for other in before:
        queue.add(entry(other))
    victim = entry(caller)
    queue.add(victim)
    ahead = sum(other[:2] == caller[:2] for other in before)
    # A lane leads at least once in PATIENCE + 2 batches, and each tenant leads once in a round.
    for batch in range((ahead + 1) * len(TENANTS) * (PATIENCE + len(Lane))):
        for other in storm[batch % len(storm)] if storm else ():
            queue.add(entry(other))
        if victim in queue.take(0.0).batch:
            return
    raise AssertionError("the line was never read")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(Callers, max_size=12), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(0, 30),
)
def test_closing_in_the_middle_answers_or_hands_back_every_line(
    threads: list[list[tuple[Lane, str, int]]], room: int, until: int
) -> None:
    worked: list[int] = []
    enough = threading.Event()

    def work(pictures: Sequence[Picture]) -> list[int]:
        worked.extend(picture.number for picture in pictures)
        if len(worked) >= until:
            enough.set()
        return [picture.number for picture in pictures]

    def submit(first: int, callers: list[tuple[Lane, str, int]]) -> list["Future[int] | None"]:
        promises: list[Future[int] | None] = []
        for number, (lane, tenant, width) in enumerate(callers, first):
            try:
                promises.append(batcher.submit(Picture(width, number), lane=lane, tenant=tenant))
            except ReaderClosed:
                promises.append(None)
        return promises

    batcher: Batcher[Picture, int] = Batcher(work, BatcherLimits(waiting=room))
    with ThreadPoolExecutor(len(threads)) as pool:
        runs = [pool.submit(submit, 100 * n, callers) for n, callers in enumerate(threads)]
        enough.wait(0.01)
        batcher.close()
    for start, run in enumerate(runs):
        for number, promise in enumerate(run.result(10), 100 * start):
            if promise is None or isinstance(promise.exception(0), ReaderClosed):
                assert number not in worked
            else:
                assert promise.result(0) == number
                assert worked.count(number) == 1


@cache
def read_alone() -> tuple[list[Grey], list[str]]:
    """Lines of twelve widths, and what each says when it is read alone."""
    lines = [draw_line(number) for number in range(12)]
    return lines, [small_work()([line])[0].text for line in lines]


@cache
def small_work() -> Callable[[Sequence[Grey]], list[LineReading]]:
    torch.manual_seed(3)
    shape = NetworkConfig(classes=80, channels=(4, 4, 8), blocks=(1, 1, 1), hidden=16, layers=1)
    engine = open_engine("torch", model_of(Crnn(shape)))
    return reading_work(engine, BestPathDecoder(Alphabet(DEFAULT_CHARACTERS[:79])))


def draw_line(number: int) -> Grey:
    line = np.full((64, 72 + 56 * number), 255, np.uint8)
    cv2.putText(line, "amber joined whole", (4, 44), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.4, 0, 2)
    return line


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 11), max_size=24), st.integers(8, 4000), st.sampled_from([64, 256, 999])
)
def test_a_line_says_the_same_alone_and_in_any_batch(
    order: list[int], budget: int, bucket: int
) -> None:
    lines, texts = read_alone()
    batcher = Batcher(small_work(), BatcherLimits(padded_columns=budget, bucket=bucket))
    promises = [batcher.submit(lines[number]) for number in order]
    read = [promise.result(20).text for promise in promises]
    batcher.close()

    assert all(texts)
    assert read == [texts[number] for number in order]
