"""What decoding costs beside recognising: python tests/benchmarks/bench_decoding.py DATA.

Reads up to 40 validation lines of each set in DATA/lines with the engine and recogniser of the
settings, on one core, then decodes them with each decoder; best of five interleaved rounds. Times
are CPU milliseconds of a line of 128 time steps (1,024 pixels).
"""

import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

from hwr.decoding.decoders import open_decoder
from hwr.engines import LineBatch, open_engine
from hwr.model.line_image import normalise_line
from hwr.model.line_views import view
from hwr.model.weights import load_model
from hwr.training.datasets.packs import pack_names, read_pack
from workers.settings import get_settings

DECODERS = ("best-path", "beam")
LINES = 40
LINES_AT_ONCE = 8
ROUNDS = 5


def main(data: Path) -> None:
    """Print the table."""
    settings = get_settings()
    model = load_model(settings.model)
    engine = open_engine(settings.engine, model, 1)
    engine.warm_up()
    batches = list(_batches(data / "lines"))
    rows = [row for batch in batches for row in engine.logits(batch).rows(batch)]
    decoders = {name: open_decoder(name, model.alphabet) for name in DECODERS}
    work: dict[str, Callable[[], object]] = {
        "recognising": lambda: [engine.logits(batch) for batch in batches],
        **{
            name: lambda decoder=decoder: [decoder.read(row) for row in rows]  # type: ignore[misc]
            for name, decoder in decoders.items()
        },
    }
    best = dict.fromkeys(work, float("inf"))
    for _ in range(ROUNDS):
        for name, run in work.items():
            best[name] = min(best[name], _seconds(run))
    steps = sum(len(row) for row in rows)
    sys.stdout.write(f"{len(rows)} lines, {steps} time steps, {engine.identity}\n")
    for name, seconds in best.items():
        milliseconds, share = seconds / steps * 128e3, seconds / best["recognising"]
        sys.stdout.write(f"{name:12} {milliseconds:7.2f} ms a line {share:6.2f} of recognising\n")


def _batches(folder: Path) -> list[LineBatch]:
    samples = [s for name in pack_names(folder) for s in read_pack(folder, name, "val")[:LINES]]
    samples.sort(key=lambda sample: sample.width)
    images = [view(normalise_line(sample.load()), 0) for sample in samples]
    starts = range(0, len(images), LINES_AT_ONCE)
    return [LineBatch.stack(images[start : start + LINES_AT_ONCE]) for start in starts]


def _seconds(run: Callable[[], object]) -> float:
    start = process_time()
    run()
    return process_time() - start


if __name__ == "__main__":
    main(Path(sys.argv[1]))
