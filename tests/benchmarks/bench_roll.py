"""What rolling to another version costs the lines that are read meanwhile.

    python tests/benchmarks/bench_roll.py

Reads one line after the other with the model of the settings (HWR_ENGINE, HWR_DECODER …), which
is published under another name in the middle, and prints how long lines took before, while the
new version was fetched, verified, loaded and warmed up, and after. The quickest of three rolls.
"""

import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwr.model.weights import SHIPPED
from workers.models.bundle import collect
from workers.models.manifest import ModelName
from workers.models.readers import Readers
from workers.models.registry import Registry, open_registry
from workers.models.rolling import Follower, open_readers
from workers.settings import get_settings

#: Seconds that lines are read for before and after a roll.
AROUND_S = 3.0
ROLLS = 3


@dataclass(frozen=True, kw_only=True)
class Roll:
    """One roll, in seconds."""

    took_s: float
    #: Seconds a line, for those that ended before, during and after the roll.
    lines: dict[str, list[float]]


def main() -> None:
    """Roll some times, and show the quickest."""
    with tempfile.TemporaryDirectory() as folder:
        settings = get_settings().model_copy(
            update={
                "model": Path("bench@current"),
                "model_registry": f"file:{folder}/models",
                "model_cache": Path(folder, "cache"),
            }
        )
        registry = open_registry(settings)
        put_to_use(registry, 0)
        readers, follower = open_readers(settings)
        assert follower is not None
        rolls = [roll(registry, readers, follower, 1 + number) for number in range(ROLLS)]
        readers.close()
    best = min(rolls, key=lambda one: one.took_s)
    say(f"{follower}; rolling took {best.took_s:.2f} s")
    for name, seconds in best.lines.items():
        half, most = 1e3 * np.median(seconds), 1e3 * max(seconds)
        say(f"{name:8} {len(seconds):4} lines, half within {half:.1f} ms, all {most:.1f} ms")


def say(row: str) -> None:
    """Print a row."""
    sys.stdout.write(row + "\n")


def put_to_use(registry: Registry, number: int) -> None:
    """Publish the shipped model as another version."""
    model = ModelName(name="bench", version=f"v{number}")
    registry.use(registry.publish(model, collect([SHIPPED.parent])))


def roll(registry: Registry, readers: Readers, follower: Follower, number: int) -> Roll:
    """Read lines, roll in the middle."""
    ended: list[tuple[float, float]] = []
    stopped = threading.Event()
    reading = threading.Thread(target=read, args=(readers, ended, stopped))
    put_to_use(registry, number)
    reading.start()
    time.sleep(AROUND_S)
    begin = time.monotonic()
    follower.look()
    end = time.monotonic()
    time.sleep(AROUND_S)
    stopped.set()
    reading.join()
    lines = {
        "before": [took for when, took in ended if when < begin],
        "during": [took for when, took in ended if begin <= when < end],
        "after": [took for when, took in ended if when >= end],
    }
    return Roll(took_s=end - begin, lines=lines)


def read(readers: Readers, ended: list[tuple[float, float]], stopped: threading.Event) -> None:
    """Read a line of noise, 1024 pixels wide, again and again."""
    image = np.random.default_rng(0).integers(0, 256, (64, 1024), dtype=np.uint8)
    while not stopped.is_set():
        start = time.monotonic()
        with readers.held() as reader:
            reader.submit(image, lane="normal", tenant="bench", deadline_s=None).result()
        ended.append((time.monotonic(), time.monotonic() - start))


if __name__ == "__main__":
    main()
