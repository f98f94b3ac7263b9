"""Peak memory of a process that starts one engine and reads some lines: `python -m … ENGINE …`."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hwr.benchmark.material import BenchLine
from hwr.errors import EngineError

_STATUS = Path("/proc/self/status")
#: Longest run of the process.
_TIMEOUT_S = 300.0


def measure_memory(
    name: str, model: Path | None, lines: Sequence[BenchLine], threads: int
) -> float | None:
    """MiB that the process held at most; None where the system does not say (it is no Linux).

    Raises:
        EngineError: the process failed.
    """
    if not _STATUS.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "lines.npz"
        np.savez(images, *(line.image for line in lines))
        command = [
            sys.executable,
            "-m",
            __name__,
            name,
            str(model or ""),
            str(threads),
            str(images),
        ]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise EngineError(
                f"Engine {name} did not read {len(lines)} lines in {_TIMEOUT_S} s. Measure it where"
                " less runs beside it, or leave it out: name the others with --engine."
            ) from error
    if ran.returncode:
        raise EngineError(
            f"Engine {name} failed in a process of its own. Leave it out, naming the others with"
            f" --engine, or see to what it says: {ran.stderr[-500:]}"
        )
    return float(ran.stdout)


def peak_mib() -> float:
    """MiB that this process held at most. getrusage would count the parent's memory, too."""
    rows = _STATUS.read_text("ascii", "replace").splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM")) / 1024


def main() -> None:
    """Read the lines with the engine and print the peak."""
    from hwr.reader import LineReader

    name, model, threads, images = sys.argv[1:]
    stored = np.load(images)
    with LineReader(
        model=Path(model) if model else None,
        engine=name,
        threads=int(threads),
        decoder="best-path",
    ) as reader:
        for promise in [reader.submit(stored[key]) for key in stored.files]:
            promise.result()
    sys.stdout.write(f"{peak_mib()}\n")


if __name__ == "__main__":
    main()
