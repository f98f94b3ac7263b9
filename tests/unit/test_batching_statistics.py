"""Waiting and working are counted apart, and so are sizes and padding of batches."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwr.batching import Batcher, BatcherLimits, BatcherStatistics, Histogram
from hwr.batching.histogram import Tally
from hwr.batching.statistics import padding_share

WAIT_S = 0.05


@given(st.lists(st.floats(0, 100), max_size=30))
def test_a_histogram_holds_every_value(values: list[float]) -> None:
    tally = Tally((1.0, 10.0))
    for value in values:
        tally.add(value)
    histogram = tally.snapshot()
    assert histogram.count == len(values)
    assert histogram.total == pytest.approx(sum(values))
    assert histogram.counts[0] == sum(value <= 1 for value in values)
    assert histogram.counts[2] == sum(value > 10 for value in values)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.floats(0.01, 1))
def test_a_quantile_is_the_end_of_the_range_that_holds_it(values: list[float], q: float) -> None:
    tally = Tally((1.0, 2.0, 5.0, 10.0))
    for value in values:
        tally.add(value)
    end = tally.snapshot().quantile(q)
    assert sum(value <= end for value in values) >= q * len(values) - 1e-9


def test_a_range_that_completes_the_share_is_the_one() -> None:
    assert Histogram(bounds=(1.0, 2.0), counts=(1, 1, 0), total=3.0).quantile(0.5) == 1.0


def test_an_empty_histogram_has_no_mean_and_no_quantile_to_divide_by() -> None:
    empty = Tally((1.0,)).snapshot()
    assert (empty.mean, empty.quantile(0.5)) == (0.0, 0.0)


def test_beyond_the_last_bound_a_quantile_is_unknown() -> None:
    assert Histogram(bounds=(1.0,), counts=(0, 1), total=7.0).quantile(0.5) == float("inf")


def test_padding_is_the_share_of_columns_that_no_line_has() -> None:
    assert padding_share([100, 100]) == 0
    assert padding_share([50, 100]) == pytest.approx(0.25)
    assert padding_share([0]) == 0


def test_a_batcher_counts_what_it_did() -> None:
    gate, started = threading.Event(), threading.Event()

    def work(items: Sequence[np.ndarray]) -> list[int]:
        started.set()
        assert gate.wait(30)
        return [0] * len(items)

    batcher = Batcher(work, BatcherLimits(bucket=256))
    first = batcher.submit(np.zeros((64, 8), np.uint8))
    assert started.wait(30)
    futures = [batcher.submit(np.zeros((64, w), np.uint8)) for w in (100, 200, 300)]
    assert not gate.wait(WAIT_S)
    gate.set()
    for future in (first, *futures):
        future.result(10)
    batcher.close()
    statistics = batcher.statistics()

    assert statistics.waiting.count == 4
    assert statistics.waiting.total >= 3 * WAIT_S
    assert statistics.working.count == statistics.lines.count == 3
    assert statistics.working.total >= WAIT_S
    assert statistics.lines.total == 4
    assert statistics.padding.total == pytest.approx(0.25)
    assert str(statistics).startswith("4 lines waited")
    assert "3 batches of 1.3 lines" in str(statistics)


def test_statistics_tell_what_half_and_nearly_all_take() -> None:
    times = Histogram(bounds=(1.0, 2.0, 4.0), counts=(60, 35, 5, 0), total=50.0)
    told = str(BatcherStatistics(waiting=times, working=times, lines=times, padding=times))
    assert told.count("500 ms (half ≤ 1000, 99 % ≤ 4000)") == 2


def test_a_failed_batch_is_counted_with_its_halves() -> None:
    def work(items: Sequence[np.ndarray]) -> list[int]:
        raise RuntimeError("poison")

    batcher = Batcher(work)
    batcher.submit(np.zeros((64, 8), np.uint8)).exception(10)
    batcher.close()
    assert batcher.statistics().working.count == 1
