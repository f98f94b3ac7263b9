"""One run from material to figures."""

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwr.benchmark.arrivals import Latency, measure_latency
from hwr.benchmark.figures import EngineFigures, Figures, PolicyFigures
from hwr.benchmark.machine import this_machine
from hwr.benchmark.material import Material, drawn_material, folder_material
from hwr.benchmark.memory import measure_memory
from hwr.benchmark.peers import find_peers
from hwr.benchmark.spread import Spread, rounds
from hwr.benchmark.stages import PageCost, measure_pages
from hwr.benchmark.subject import Skipped, Subject, start_all
from hwr.benchmark.throughput import (
    Decoders,
    Passes,
    Say,
    character_errors,
    lines_per_cpu_s,
    lines_per_s,
    measure_decoders,
    measure_engines,
    measure_peers,
    measure_policies,
    open_decoders,
)
from hwr.errors import EngineError
from hwr.model.flops import flops_per_column
from hwr.model.weights import Model, load_model

#: Shares of the capacity at which latency is measured.
LOADS = (0.5, 0.9)
#: The engine that others are compared with.
_REFERENCE = "torch"
#: Lines that memory is measured with.
_MEMORY_LINES = 64


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured, and with what."""

    #: Pages of the drawn exam, or pages of a folder at most.
    pages: int = 4
    #: Lines at most.
    lines: int = 128
    #: Times that each thing is measured.
    rounds: int = 5
    #: Seconds of each measurement of latency.
    latency_s: float = 12.0
    #: CPU threads of each engine.
    threads: int = 1
    #: Names of engines; all without any.
    engines: tuple[str, ...] = ()
    #: Model file; the shipped one without.
    model: Path | None = None
    #: Language model file; the shipped one without.
    language_model: Path | None = None


#: To see that all works; too short for figures to be quoted.
QUICK = Plan(pages=1, lines=16, rounds=1, latency_s=1.0)


@dataclass(frozen=True, kw_only=True)
class _Table:
    """What every measurement works on."""

    plan: Plan
    material: Material
    model: Model
    decoders: Decoders
    say: Say

    @property
    def mean_width(self) -> float:
        return sum(self.material.widths) / len(self.material.lines)

    @property
    def flops_per_line(self) -> float:
        return flops_per_column(self.model.network) * self.mean_width


def run(plan: Plan, folder: Path, data: Path | None, say: Say) -> Figures:
    """Measure everything; documents are drawn into `folder` unless `data` holds some.

    Raises:
        EngineError: no engine starts.
        ModelError: the model or the language model cannot be used.
        MissingFont, TrainingDataError: there is nothing to read.
    """
    began = time.perf_counter()
    model = load_model(plan.model)
    decoders = open_decoders(model.alphabet, plan.language_model)
    say("starting engines")
    subjects, skipped = _start(plan, model)
    material = _gather(plan, folder, data, say)
    table = _Table(plan=plan, material=material, model=model, decoders=decoders, say=say)
    return _measure(table, subjects, skipped, began)


def _measure(
    table: _Table, subjects: Sequence[Subject], skipped: Sequence[Skipped], began: float
) -> Figures:
    plan, material, model, say = table.plan, table.material, table.model, table.say
    decoders, alphabet = table.decoders, table.model.alphabet
    machine = this_machine()
    peers, missing = find_peers()
    passes = measure_engines(subjects, material.lines, plan.rounds, say)
    fastest = passes.fastest(subjects)
    memory, failed = _measure_memory(table, subjects)
    return Figures(
        machine=machine,
        threads=plan.threads,
        rounds=plan.rounds,
        material=material.said,
        lines=len(material.lines),
        mean_width=table.mean_width,
        model=model.hash,
        flops_per_line=table.flops_per_line,
        peaks=tuple(passes.peaks.values()),
        engines=_measure_engines_further(table, subjects, passes, memory),
        fastest=fastest.name,
        policies=_measure_policies(table, subjects, fastest),
        decoders=measure_decoders(fastest, decoders, material.lines, plan.rounds, alphabet, say),
        pages=_measure_kinds(material.documents, fastest, say),
        peers=measure_peers(peers, fastest, decoders, material.lines, plan.rounds, alphabet, say),
        skipped=(*skipped, *failed, *missing),
        seconds=time.perf_counter() - began,
    )


def _start(plan: Plan, model: Model) -> tuple[list[Subject], list[Skipped]]:
    if not plan.engines:  # most machines lack what some engines need; the table says what
        logging.disable(logging.ERROR)
    try:
        subjects, skipped = start_all(plan.engines, model, plan.threads)
    finally:
        logging.disable(logging.NOTSET)
    if not subjects:
        raise EngineError("No engine starts. " + " ".join(engine.reason for engine in skipped))
    return subjects, skipped


def _gather(plan: Plan, folder: Path, data: Path | None, say: Say) -> Material:
    if data:
        say(f"reading {data}")
        return folder_material(data, pages=plan.pages, lines=plan.lines)
    say("drawing documents")
    return drawn_material(folder, pages=plan.pages, lines=plan.lines)


def _measure_policies(
    table: _Table, subjects: Sequence[Subject], fastest: Subject
) -> tuple[PolicyFigures, ...]:
    """With the reference, which pays for padding, and the fastest, which may read line by line."""
    lines, count, say = table.material.lines, table.plan.rounds, table.say
    readers = [s for s in subjects if s.name == _REFERENCE or s is fastest]
    return tuple(f for reader in readers for f in measure_policies(reader, lines, count, say))


def _measure_engines_further(
    table: _Table,
    subjects: Sequence[Subject],
    passes: Passes,
    memory: Mapping[str, float | None],
) -> tuple[EngineFigures, ...]:
    """Pages and latency of every engine, and all its figures."""
    pages = _measure_pages(table, subjects)
    return tuple(
        _figures(table, subject, passes, pages[subject.name], memory.get(subject.name))
        for subject in subjects
    )


def _measure_pages(table: _Table, subjects: Sequence[Subject]) -> dict[str, list[PageCost]]:
    """Costs by engine on the documents of the largest kind, in half as many rounds as lines."""
    costs: dict[str, list[PageCost]] = defaultdict(list)
    largest = max(_kinds(table.material.documents).values(), key=_bytes, default=[])
    for subject in rounds(subjects, max(1, table.plan.rounds // 2) if largest else 0):
        table.say(f"{subject.name}: pages")
        costs[subject.name].append(measure_pages("", largest, subject.work))
    return costs


def _figures(
    table: _Table,
    subject: Subject,
    passes: Passes,
    pages: Sequence[PageCost],
    memory_mib: float | None,
) -> EngineFigures:
    own, lines = passes.of[subject.name], table.material.lines
    speed, per_cpu_s = lines_per_s(own), lines_per_cpu_s(own)
    # A GPU's work takes no processor time; a CPU's neighbours should not count.
    pace = speed.median if subject.device == "cuda" else per_cpu_s
    peak = passes.peaks[subject.device, subject.dtype].flops_per_s
    return EngineFigures(
        name=subject.name,
        identity=subject.identity,
        dtype=subject.dtype,
        lines_per_s=speed,
        lines_per_cpu_s=per_cpu_s,
        peak_share=pace * table.flops_per_line / peak,
        padding=own[-1].padding,
        cer=character_errors(lines, own[-1].texts, table.model.alphabet),
        pages_per_s=Spread.of([1 / cost.wall_s for cost in pages]) if pages else None,
        latencies=tuple(_latency(table, subject, speed.median, load) for load in LOADS),
        memory_mib=memory_mib,
    )


def _latency(table: _Table, subject: Subject, capacity: float, load: float) -> Latency:
    table.say(f"{subject.name}: latency at {load:.0%} of {capacity:.1f} lines/s")
    return measure_latency(
        subject.work,
        table.material.lines,
        capacity=capacity,
        load=load,
        duration_s=table.plan.latency_s,
    )


def _measure_memory(
    table: _Table, subjects: Sequence[Subject]
) -> tuple[dict[str, float | None], list[Skipped]]:
    """Peaks by engine, and why there is none of those whose process failed."""
    lines, peaks, failed = table.material.lines[:_MEMORY_LINES], {}, []
    for name in (subject.name for subject in subjects):
        table.say(f"{name}: memory")
        try:
            peaks[name] = measure_memory(name, table.plan.model, lines, table.plan.threads)
        except EngineError as error:
            failed.append(Skipped(name=f"{name}, memory", reason=str(error)))
    return peaks, failed


def _measure_kinds(documents: Sequence[Path], subject: Subject, say: Say) -> tuple[PageCost, ...]:
    costs = []
    for suffix, files in _kinds(documents).items():
        say(f"{subject.name}: stages of {suffix} documents")
        costs.append(measure_pages(suffix.removeprefix(".").upper(), files, subject.work))
    return tuple(costs)


def _kinds(documents: Sequence[Path]) -> dict[str, list[Path]]:
    kinds: dict[str, list[Path]] = defaultdict(list)
    for path in documents:
        kinds[path.suffix.lower()].append(path)
    return kinds


def _bytes(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files)
