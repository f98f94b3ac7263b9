"""How long a line takes from arriving to being read, when lines come as they like.

An open loop: lines arrive by a Poisson process whatever the reader does, and a line's time begins
when it was due, also where the submitting thread was late. A closed loop, which submits the next
line when one is done, would hide every queue.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import numpy as np

from hwr.batching import Batcher
from hwr.benchmark.material import BenchLine
from hwr.benchmark.subject import Work
from hwr.decoding.reading import LineReading
from hwr.model.line_image import Grey

#: Longest wait for the last line once all have arrived.
_PATIENCE_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Times from a line's arrival to its reading."""

    #: Share of the reader's capacity that arrives, 0..1.
    load: float
    #: Lines a second that arrived.
    offered: float
    lines: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def measure_latency(
    work: Work, lines: Sequence[BenchLine], *, capacity: float, load: float, duration_s: float
) -> Latency:
    """Let lines arrive at `load` times `capacity` (lines a second) for so long, and time each."""
    due = arrival_times(capacity * load, duration_s, np.random.default_rng(7))
    order = np.random.default_rng(11).integers(0, len(lines), len(due))
    batcher: Batcher[Grey, LineReading] = Batcher(work)
    try:
        seconds = _run(batcher, [lines[place] for place in order], due)
    finally:
        batcher.close()
    p50, p95, p99 = (float(p) for p in 1e3 * np.percentile(seconds, (50, 95, 99)))
    offered = len(due) / duration_s
    return Latency(load=load, offered=offered, lines=len(due), p50_ms=p50, p95_ms=p95, p99_ms=p99)


def arrival_times(rate: float, duration_s: float, rng: np.random.Generator) -> list[float]:
    """Seconds at which lines arrive, at least one: gaps are exponential with mean 1 / `rate`."""
    gaps = rng.exponential(1 / rate, size=max(16, int(2 * rate * duration_s) + 1))
    times = np.cumsum(gaps)
    return [float(t) for t in times[times < duration_s]] or [0.0]


def _run(
    batcher: Batcher[Grey, LineReading], lines: Sequence[BenchLine], due: Sequence[float]
) -> list[float]:
    done = [0.0] * len(lines)
    promises: list[Future[LineReading]] = []
    start = time.perf_counter()
    for place, (line, when) in enumerate(zip(lines, due, strict=True)):
        time.sleep(max(0.0, start + when - time.perf_counter()))
        promise = batcher.submit(line.image)
        promise.add_done_callback(partial(_note, done, place, start))
        promises.append(promise)
    for promise in promises:
        promise.result(_PATIENCE_S)
    batcher.close()  # its thread has then called back for every line
    return [end - when for end, when in zip(done, due, strict=True)]


def _note(done: list[float], place: int, start: float, _promise: "Future[LineReading]") -> None:
    done[place] = time.perf_counter() - start
