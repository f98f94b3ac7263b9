"""The service against the bare reader on the same cores: `python bench_service.py`.

Draws documents (see hwr.samples), starts Redis, PostgreSQL, an S3 server, API and workers on the
cores that `--cores` names, one split and one read worker a core, and submits the documents over
HTTP as a user does, often enough to keep the workers busy for `--seconds`. Prints:

service / bare: lines a second of the whole service, from the first upload to the end of the last
    job, over those of `hwr.reader.Reader` on the same documents, one process a core. Both split
    and read.
read stage / bare: the same for reading alone. The service has split all pages before the clock
    starts; the bare `LineReader` has all line images in memory.
scaling: lines a second of the service on all cores over those on the first core alone.
length: lines a second, and the peak memory of each process, of a PDF of `--pages` pages over those
    of a fifth as many pages in PDFs of ten pages, each in a service of its own.

Bare and service take turns; a ratio is the median of the repeats, with the lowest and highest. By
CPU seconds, a ratio compares what a line costs, all servers included: what it would be by the clock
if nothing else ran. HWR_ENGINE is for both. The servers need not write through to the disk, as in
the tests (services.py).
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from bench_split_memory import write_pdf
from numpy.typing import NDArray
from service_rig import ByPart, Rig, cpu_seconds, run_rig

from hwr.documents import open_document
from hwr.layout import crop_line, find_lines
from hwr.model.line_image import normalise_line
from hwr.reader import Reader
from hwr.samples import write_batch
from workers.models.choice import engine_of
from workers.settings import get_settings

#: What can be measured.
PARTS = ("speed", "length")

#: Pages of a short PDF.
SHORT = 10

#: The part that submits and waits: this process.
CLIENT = "client"

#: Rows on a page of the PDFs whose lengths are compared.
ROWS = 4


@dataclass(frozen=True, kw_only=True)
class Run:
    """Lines that were read, and what that took."""

    #: Lines read.
    lines: int
    #: Wall-clock seconds.
    seconds: float
    #: CPU seconds by part.
    cpu: ByPart = field(default_factory=dict)

    @property
    def speed(self) -> float:
        """Lines a second."""
        return self.lines / self.seconds

    @property
    def thrift(self) -> float:
        """Lines a CPU second of all but the client, who is not of the service."""
        return self.lines / sum(spent for part, spent in self.cpu.items() if part != CLIENT)


# ---- the bare reader, in processes of its own


class Bare:
    """A reader of documents without a service, one process a core."""

    _reader: Reader

    def __init__(self, cores: Sequence[int]) -> None:
        self._pools = [
            ProcessPoolExecutor(1, get_context("spawn"), Bare._load, (core,)) for core in cores
        ]

    def __enter__(self) -> "Bare":
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.shutdown()

    def documents(self, paths: Sequence[Path], copies: int) -> Run:
        """Split and read the documents so many times on every core."""
        return self._everywhere(Bare._read_documents, paths, copies)

    def lines(self, paths: Sequence[Path], copies: int) -> Run:
        """Read the lines of the documents so many times on every core."""
        return self._everywhere(Bare._read_lines, paths, copies)

    def _everywhere(
        self, work: Callable[[Sequence[Path], int], Run], paths: Sequence[Path], copies: int
    ) -> Run:
        started = [pool.submit(work, paths, copies) for pool in self._pools]
        runs = [running.result() for running in started]
        # Each core at its own speed, as if they ended together.
        seconds = sum(run.lines for run in runs) / sum(run.speed for run in runs)
        cpu = {"bare reader": sum(run.cpu["bare reader"] for run in runs)}
        return Run(lines=sum(run.lines for run in runs), seconds=seconds, cpu=cpu)

    @staticmethod
    def _load(core: int) -> None:
        os.sched_setaffinity(0, {core})
        Bare._reader = Reader(**engine_of(get_settings()))

    @staticmethod
    def _read_documents(paths: Sequence[Path], copies: int) -> Run:
        with _Clock() as clock:
            readings = [Bare._reader.read(path) for _ in range(copies) for path in paths]
        return clock.run(sum(len(page.lines) for read in readings for page in read.pages))

    @staticmethod
    def _read_lines(paths: Sequence[Path], copies: int) -> Run:
        images = [image for path in paths for image in _cut(path)]
        reader = Bare._reader._lines
        with _Clock() as clock:
            waiting = [reader.submit(image) for _ in range(copies) for image in images]
            for future in waiting:
                future.result()
        return clock.run(len(waiting))


class _Clock:
    def __enter__(self) -> "_Clock":
        self._began, self._cpu = time.monotonic(), cpu_seconds(os.getpid())
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
        self.cpu = cpu_seconds(os.getpid()) - self._cpu

    def run(self, lines: int) -> Run:
        return Run(lines=lines, seconds=self.seconds, cpu={"bare reader": self.cpu})


def _cut(path: Path) -> Iterator[NDArray[np.uint8]]:
    with open_document(path) as document:
        for number in range(1, document.page_count + 1):
            image = document.page(number).image
            yield from (normalise_line(crop_line(image, line)) for line in find_lines(image))


# ---- the service


def serve_documents(rig: Rig, paths: Sequence[Path], copies: int) -> Run:
    """The documents from the first upload to the end of the last job."""
    before, began = _cpu(rig), time.time()
    ended, lines = rig.finish(rig.submit(paths, copies))
    return Run(lines=lines, seconds=ended - began, cpu=_spent(before, _cpu(rig)))


def serve_lines(rig: Rig, paths: Sequence[Path], copies: int, pages: int) -> Run:
    """The documents from when the last page is split to the end of the last job."""
    with rig.paused("read"):
        present = rig.pages()
        job_ids = rig.submit(paths, copies)
        rig.split(present + pages * copies)
        before, began = _cpu(rig), time.time()
    ended, lines = rig.finish(job_ids)
    return Run(lines=lines, seconds=ended - began, cpu=_spent(before, _cpu(rig)))


def _cpu(rig: Rig) -> ByPart:
    return rig.cpu() | {CLIENT: cpu_seconds(os.getpid())}


def _spent(before: ByPart, after: ByPart) -> ByPart:
    return {name: after[name] - before.get(name, 0.0) for name in after}


# ---- comparisons


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Bare and service in turns."""

    #: Cores they had.
    cores: list[int]
    bare: list[Run]
    service: list[Run]
    bare_lines: list[Run]
    service_lines: list[Run]
    #: CPU seconds a second of the service at rest, by part.
    idle: ByPart


def compare(cores: Sequence[int], paths: Sequence[Path], options: argparse.Namespace) -> Comparison:
    """Bare reader and service on the same cores."""
    os.sched_setaffinity(0, cores)
    found = Comparison(
        cores=list(cores), bare=[], service=[], bare_lines=[], service_lines=[], idle={}
    )
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bare = stack.enter_context(Bare(cores))
        rig = stack.enter_context(run_rig(Path(folder), len(cores)))
        pages, once = _warm_up(rig, bare, paths)
        copies = max(1, round(options.seconds / once.seconds))
        for _ in range(options.repeats):
            _show("bare", found.bare, bare.documents(paths, copies))
            _show("service", found.service, serve_documents(rig, paths, copies * len(cores)))
            _show("bare lines", found.bare_lines, bare.lines(paths, copies))
            _show(
                "read stage",
                found.service_lines,
                serve_lines(rig, paths, copies * len(cores), pages),
            )
        found.idle.update(_at_rest(rig))
    return found


def _warm_up(rig: Rig, bare: Bare, paths: Sequence[Path]) -> tuple[int, Run]:
    """Pages of the documents, and how long the bare reader takes for them."""
    rig.finish(rig.submit(paths, 1))
    bare.documents(paths[-1:], 1)
    return rig.pages(), bare.documents(paths, 1)


def _at_rest(rig: Rig, seconds: float = 5.0) -> ByPart:
    before = rig.cpu()
    time.sleep(seconds)
    return {name: spent / seconds for name, spent in _spent(before, rig.cpu()).items()}


def _show(what: str, runs: list[Run], run: Run) -> None:
    runs.append(run)
    _say(f"{what:12}{run.lines:7} lines{run.seconds:8.2f} s{run.speed:8.1f} lines/s")


@dataclass(frozen=True, kw_only=True)
class Length:
    """PDFs of one length, in a service of their own."""

    #: Pages of one.
    pages: int
    #: PDFs submitted.
    documents: int
    run: Run
    #: Most resident bytes of a process, by part.
    peak: ByPart


def measure_length(cores: Sequence[int], pages: int, documents: int) -> Length:
    """Speed and memory of PDFs of so many pages."""
    os.sched_setaffinity(0, cores)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scan.pdf")
        write_pdf(path, pages, rows=ROWS)
        with run_rig(Path(folder), len(cores)) as rig:
            run = serve_documents(rig, [path], documents)
            peak = rig.peak()
    _show(f"{pages} pages", [], run)
    return Length(pages=pages, documents=documents, run=run, peak=peak)


# ---- telling


def ratios(
    ours: Sequence[Run], theirs: Sequence[Run], of: Callable[[Run], float] = lambda run: run.speed
) -> dict[str, float]:
    """Median, lowest and highest of the ratios of speeds, repeat by repeat."""
    found = [of(our) / of(their) for our, their in zip(ours, theirs, strict=True)]
    return {"median": statistics.median(found), "lowest": min(found), "highest": max(found)}


def tell_comparison(found: Comparison) -> dict[str, dict[str, float]]:
    """Print a comparison; its ratios."""
    told = {
        "service / bare": ratios(found.service, found.bare),
        "read stage / bare": ratios(found.service_lines, found.bare_lines),
        "service / bare, by CPU seconds": ratios(found.service, found.bare, lambda run: run.thrift),
        "read stage / bare, by CPU seconds": ratios(
            found.service_lines, found.bare_lines, lambda run: run.thrift
        ),
    }
    _say(f"\n{len(found.cores)} cores")
    for name, ratio in told.items():
        _say(f"  {name:36}{_spread(ratio)}")
    _tell_cpu(found)
    return told


def _tell_cpu(found: Comparison) -> None:
    columns = (found.bare, found.service, found.bare_lines, found.service_lines)
    _say("  CPU ms a line        bare   service   bare lines   read stage   at rest, % of a core")
    for part in ("bare reader", *found.service[0].cpu):
        told = "".join(
            f"{_per_line(runs, part):{9 + 3 * n // 2}.2f}" for n, runs in enumerate(columns)
        )
        _say(f"  {part:16}{told}{100 * found.idle.get(part, 0.0):12.1f}")


def _per_line(runs: Sequence[Run], part: str) -> float:
    return 1000 * statistics.median(run.cpu.get(part, 0.0) / run.lines for run in runs)


def tell_lengths(short: Length, long: Length) -> dict[str, float]:
    """Print how speed and memory depend on length; the ratios."""
    found = {"lines/s": long.run.speed / short.run.speed}
    found |= {part: peak / short.peak[part] for part, peak in long.peak.items()}
    _say(f"\n{long.pages} pages / {short.pages} pages")
    _say(f"  lines/s          {found['lines/s']:6.3f}")
    for part, peak in long.peak.items():
        was, now = short.peak[part] / 2**20, peak / 2**20
        _say(f"  peak of {part:14}{found[part]:6.3f}   ({was:.0f} → {now:.0f} MiB)")
    return found


def _spread(ratio: dict[str, float]) -> str:
    return f"{ratio['median']:.3f} ({ratio['lowest']:.3f} … {ratio['highest']:.3f})"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# ---- the command


def main() -> None:
    """Measure, print and write."""
    options = parse_arguments()
    report: dict[str, object] = {"engine": get_settings().engine, "documents": options.documents}
    if "speed" in options.parts:
        report |= measure_speed(options)
    if "length" in options.parts:
        # As many pages as a fifth of the long one are enough for a speed.
        short = measure_length(options.cores, SHORT, max(1, options.pages // SHORT // 5))
        long = measure_length(options.cores, options.pages, 1)
        report |= {"length": tell_lengths(short, long), "lengths": [asdict(short), asdict(long)]}
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


def measure_speed(options: argparse.Namespace) -> dict[str, object]:
    """The service against the bare reader on one core and on all."""
    counts = sorted({1, len(options.cores)})
    with tempfile.TemporaryDirectory() as folder:
        paths = [sample.path for sample in write_batch(Path(folder))]
        paths = [path for path in paths if path.name.startswith(options.documents)]
        found = [compare(options.cores[:count], paths, options) for count in counts]
    told = [tell_comparison(one) for one in found]
    report: dict[str, object] = {"runs": [asdict(one) for one in found], "ratios": told}
    if len(found) > 1:
        scaling = ratios(found[1].service, found[0].service)
        _say(f"\nservice on {counts[1]} cores / on 1: {_spread(scaling)}")
        report["scaling"] = scaling
    return report


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    cores = sorted(os.sched_getaffinity(0))
    parser.add_argument("--cores", type=_cores, default=cores, help="such as 0,1")
    parser.add_argument(
        "--documents", default="exam", help="exam (A4 pages, the default), cheque, or '' for both"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12.0, help="of each bare run")
    parser.add_argument("--pages", type=int, default=1000, help="of the long PDF")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", type=Path, help="file for all figures")
    return parser.parse_args()


def _cores(text: str) -> list[int]:
    return [int(core) for core in text.split(",")]


if __name__ == "__main__":
    main()
