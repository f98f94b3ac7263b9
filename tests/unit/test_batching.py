"""The batcher's guarantees."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwr.batching import Batcher, BatcherLimits, Lane
from hwr.errors import BadLineImage, LineFailed, LineTimeout, ReaderClosed

Item = NDArray[np.int64]


def item(width: int, number: int = 0) -> Item:
    """A stand-in for a line image: `number` in its corner tells it apart."""
    line = np.zeros((1, width), np.int64)
    line[0, 0] = number
    return line


def numbers(items: Sequence[Item]) -> list[int]:
    return [int(line[0, 0]) for line in items]


class Gate:
    """Work that waits until it is let go, and remembers its batches."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.started = threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[Item]) -> list[int]:
        self.started.set()
        assert self.open.wait(30)
        self.batches.append(numbers(items))
        return numbers(items)

    def occupy(self, batcher: "Batcher[Item, int]") -> "Future[int]":
        """Make the batcher busy, so that what follows queues up."""
        first = batcher.submit(item(1, -1))
        assert self.started.wait(30)
        return first


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(
        st.tuples(
            st.integers(1, 3000), st.sampled_from(list(Lane)), st.sampled_from(["a", "b", "c"])
        ),
        max_size=60,
    ),
    poisoned=st.sets(st.integers(0, 59)),
    budget=st.integers(1, 5000),
)
def test_each_line_is_answered_once_and_poison_fails_alone(
    lines: list[tuple[int, Lane, str]], poisoned: set[int], budget: int
) -> None:
    answered: list[int] = []

    def work(items: Sequence[Item]) -> list[int]:
        if set(numbers(items)) & poisoned:
            raise RuntimeError("poison")
        answered.extend(numbers(items))
        return numbers(items)

    batcher = Batcher(work, BatcherLimits(padded_columns=budget))
    futures = [
        batcher.submit(item(width, index), lane=lane, tenant=tenant)
        for index, (width, lane, tenant) in enumerate(lines)
    ]
    wait(futures, timeout=30)
    batcher.close()

    for index, future in enumerate(futures):
        if index in poisoned:
            assert isinstance(future.exception(0), LineFailed)
        else:
            assert future.result(0) == index
    assert sorted(answered) == sorted(set(range(len(lines))) - poisoned)


def test_batches_keep_to_bucket_and_budget() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(padded_columns=1000, bucket=256))
    first = gate.occupy(batcher)
    widths = [200, 900, 210, 220, 230, 240, 880, 100]
    futures = [batcher.submit(item(width, index)) for index, width in enumerate(widths)]
    gate.open.set()
    wait([first, *futures], timeout=30)
    batcher.close()

    assert gate.batches == [[-1], [0, 2, 3, 4], [1], [5, 7], [6]]


def test_a_tenant_with_much_work_does_not_hold_up_another() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(padded_columns=200))
    first = gate.occupy(batcher)
    futures = [batcher.submit(item(100, index), tenant="bank") for index in range(20)]
    futures.append(batcher.submit(item(100, 99), tenant="school"))
    gate.open.set()
    wait([first, *futures], timeout=30)
    batcher.close()

    assert 99 in gate.batches[1]


def test_higher_lanes_go_first_and_lower_ones_are_not_starved() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(padded_columns=100, patience=3))
    first = gate.occupy(batcher)
    futures = [batcher.submit(item(100, 1000), lane=Lane.LOW)]
    futures += [batcher.submit(item(100, index), lane=Lane.HIGH) for index in range(20)]
    gate.open.set()
    wait([first, *futures], timeout=30)
    batcher.close()

    order = [number for batch in gate.batches[1:] for number in batch]
    assert order[0] == 0
    assert order.index(1000) == 3


@pytest.mark.parametrize(
    ("patience", "expected"),
    [
        (0, [0, 10, 20, 1, 11, 21, 2, 3, 4, 5]),
        (2, [0, 1, 10, 20, 2, 3, 11, 21, 4, 5]),
    ],
)
def test_a_lane_that_was_passed_over_leads_one_batch_and_waits_again(
    patience: int, expected: list[int]
) -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(padded_columns=100, patience=patience))
    first = gate.occupy(batcher)
    lanes = {Lane.HIGH: range(6), Lane.NORMAL: (10, 11), Lane.LOW: (20, 21)}
    futures = [
        batcher.submit(item(100, number), lane=lane)
        for lane, its_numbers in lanes.items()
        for number in its_numbers
    ]
    gate.open.set()
    wait([first, *futures], timeout=30)
    batcher.close()

    order = [number for batch in gate.batches[1:] for number in batch]
    assert order == expected


def test_lines_of_higher_lanes_join_first() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(padded_columns=16))
    first = gate.occupy(batcher)
    futures = [batcher.submit(item(8, lane), lane=lane) for lane in reversed(Lane)]
    gate.open.set()
    wait([first, *futures], timeout=30)
    batcher.close()

    assert gate.batches[1:] == [[Lane.HIGH, Lane.NORMAL], [Lane.LOW]]


def test_no_line_of_a_lower_lane_goes_before_one_that_does_not_fit() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(padded_columns=800))
    first = gate.occupy(batcher)
    futures = [batcher.submit(item(width, width), lane=Lane.HIGH) for width in (200, 200, 200, 251)]
    futures.append(batcher.submit(item(200, 200), lane=Lane.LOW))
    gate.open.set()
    wait([first, *futures], timeout=30)
    batcher.close()

    assert gate.batches[1:] == [[200, 200, 200], [251, 200]]


def test_the_widest_line_of_a_batch_stays_its_widest() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(padded_columns=400))
    first = gate.occupy(batcher)
    futures = [batcher.submit(item(width, width)) for width in (200, 100, 101)]
    gate.open.set()
    wait([first, *futures], timeout=30)
    batcher.close()

    assert gate.batches[1:] == [[200, 100], [101]]


def test_a_line_past_its_deadline_never_reaches_the_engine() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    first = gate.occupy(batcher)
    late = batcher.submit(item(8, 7), deadline_s=-1.0)
    good = batcher.submit(item(8, 8))
    gate.open.set()
    wait([first, late, good], timeout=30)
    batcher.close()

    assert isinstance(late.exception(0), LineTimeout)
    assert good.result(0) == 8
    assert 7 not in [n for batch in gate.batches for n in batch]


def test_a_cancelled_line_is_not_read() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    first = gate.occupy(batcher)
    dropped, kept = batcher.submit(item(8, 1)), batcher.submit(item(8, 2))
    assert dropped.cancel()
    gate.open.set()
    wait([first, kept], timeout=30)
    batcher.close()

    assert 1 not in [n for batch in gate.batches for n in batch]


def test_close_finishes_the_running_batch_and_hands_the_rest_back() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    running = gate.occupy(batcher)
    waiting = batcher.submit(item(8, 1))
    closer = threading.Thread(target=batcher.close)
    closer.start()
    assert isinstance(waiting.exception(10), ReaderClosed)
    gate.open.set()
    closer.join(10)

    assert running.result(0) == -1
    with pytest.raises(ReaderClosed):
        batcher.submit(item(8))


def test_close_hands_back_what_waits_behind_a_cancelled_line() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    gate.occupy(batcher)
    dropped, kept = batcher.submit(item(8, 1)), batcher.submit(item(8, 2))
    assert dropped.cancel()
    closer = threading.Thread(target=batcher.close)
    closer.start()
    assert isinstance(kept.exception(10), ReaderClosed)
    gate.open.set()
    closer.join(10)


def test_close_ends_the_waiting_in_every_lane() -> None:
    def wait_for_room(lane: Lane) -> None:
        with pytest.raises(ReaderClosed):
            batcher.submit(item(8), lane=lane)
        refused.append(lane)

    gate, refused = Gate(), list[Lane]()
    batcher = Batcher(gate, BatcherLimits(waiting=0))
    threads = [threading.Thread(target=wait_for_room, args=(lane,), daemon=True) for lane in Lane]
    for thread in threads:
        thread.start()
        thread.join(0.02)  # let it stand in line
    batcher.close()
    for thread in threads:
        thread.join(10)

    assert sorted(refused) == list(Lane)


def test_a_full_queue_holds_submit_back() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(waiting=2))
    first = gate.occupy(batcher)
    queued = [batcher.submit(item(8, index)) for index in range(2)]
    blocked = threading.Thread(target=lambda: queued.append(batcher.submit(item(8, 2))))
    blocked.start()
    blocked.join(0.2)
    assert blocked.is_alive()
    gate.open.set()
    blocked.join(10)
    wait([first, *queued], timeout=30)
    batcher.close()

    assert [future.result(0) for future in queued] == [0, 1, 2]


def test_a_queue_that_stays_full_holds_submit_back_until_the_deadline() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(waiting=1))
    first = gate.occupy(batcher)
    queued = batcher.submit(item(8, 1))
    with pytest.raises(LineTimeout):
        batcher.submit(item(8, 2), deadline_s=0.05)
    gate.open.set()
    wait([first, queued], timeout=30)
    batcher.close()

    assert gate.batches == [[-1], [1]]


def test_a_full_lane_does_not_hold_up_a_higher_one() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(waiting=1))
    first = gate.occupy(batcher)
    low = batcher.submit(item(8, 1), lane=Lane.LOW)
    high = batcher.submit(item(8, 2), lane=Lane.HIGH, deadline_s=5)
    gate.open.set()
    wait([first, low, high], timeout=30)
    batcher.close()

    assert (low.result(0), high.result(0)) == (1, 2)


def test_room_is_given_to_those_who_waited_first() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(waiting=1, padded_columns=8))
    gate.occupy(batcher)
    batcher.submit(item(8, 0))
    threads = []
    for number in range(1, 6):
        threads.append(threading.Thread(target=batcher.submit, args=(item(8, number),)))
        threads[-1].start()
        threads[-1].join(0.02)  # let it stand in line
        assert threads[-1].is_alive()
    gate.open.set()
    for thread in threads:
        thread.join(10)
    batcher.submit(item(8, 6)).result(10)
    batcher.close()

    assert [number for batch in gate.batches for number in batch] == [-1, 0, 1, 2, 3, 4, 5, 6]


def test_late_and_cancelled_lines_take_no_place_in_a_batch() -> None:
    gate = Gate()
    batcher = Batcher(gate, BatcherLimits(padded_columns=16))
    first = gate.occupy(batcher)
    late = [batcher.submit(item(8, number), deadline_s=-1.0) for number in range(5)]
    assert all(batcher.submit(item(8, number)).cancel() for number in range(5, 10))
    good = [batcher.submit(item(8, number)) for number in (10, 11)]
    gate.open.set()
    wait([first, *late, *good], timeout=30)
    batcher.close()

    assert gate.batches == [[-1], [10, 11]]


def test_an_item_without_a_width_is_refused_and_others_are_read() -> None:
    batcher: Batcher[Item, int] = Batcher(numbers)
    with pytest.raises(BadLineImage):
        batcher.submit(np.zeros(8, np.int64))
    good = batcher.submit(item(8, 3))

    assert good.result(10) == 3
    batcher.close()


def test_an_error_with_a_name_keeps_it() -> None:
    def work(items: Sequence[Item]) -> list[int]:
        raise BadLineImage

    batcher = Batcher(work)
    error = batcher.submit(item(8)).exception(10)
    batcher.close()

    assert isinstance(error, BadLineImage)


def test_a_wrong_number_of_answers_is_an_error_not_a_mix_up() -> None:
    batcher: Batcher[Item, int] = Batcher(lambda items: [1, 2, 3])
    error = batcher.submit(item(8)).exception(10)
    batcher.close()

    assert isinstance(error, LineFailed)
    assert "3 answers to 1 lines" in str(error)
    assert isinstance(error.__cause__, ValueError)
