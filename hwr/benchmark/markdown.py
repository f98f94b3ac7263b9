"""A run as Markdown, to be pasted into a page as it is."""

from collections.abc import Iterable, Iterator, Sequence

from hwr.benchmark.arrivals import Latency
from hwr.benchmark.figures import EngineFigures, Figures
from hwr.benchmark.policies import Policy
from hwr.benchmark.spread import Spread
from hwr.benchmark.stages import PageCost

#: What each policy does, as the table says it.
_POLICIES = {
    Policy.OURS: "hwr: width buckets, budget of padded area",
    Policy.ARRIVAL: "fixed batches in order of arrival, as docTR",
    Policy.PAGE_WIDTH: "sorted by width in a page, as PaddleOCR",
    Policy.ALL_WIDTH: "sorted by width over all pages (known beforehand)",
    Policy.SINGLE: "one by one, as kraken's default",
}


def as_markdown(figures: Figures) -> str:
    """Tables under headings of the third level."""
    sections = [_head(figures), _engines(figures), _latency(figures), _policies(figures)]
    sections += [_decoders(figures), _pages(figures), _peers(figures), _skipped(figures)]
    return "\n".join(section for section in sections if section)


def _head(figures: Figures) -> str:
    machine = figures.machine
    peaks = "; ".join(f"{peak.dtype} {peak.flops_per_s / 1e9:,.0f}" for peak in figures.peaks)
    return (
        f"{machine.processor}, {machine.cores} cores"
        + (f", {machine.gpu}" if machine.gpu else "")
        + f"; hwr {machine.hwr}, model {figures.model}, torch {machine.torch},"
        f" Python {machine.python}; {machine.at}.\n"
        f"Read: {figures.lines} lines, {figures.mean_width:.0f} pixels wide on average,"
        f" {figures.flops_per_line / 1e9:.2f} GFLOP each ({figures.material}).\n"
        f"{figures.threads} thread(s) an engine, {figures.rounds} rounds,"
        f" {figures.seconds:.0f} s. Measured peak in GFLOP/s: {peaks}.\n"
    )


def _engines(figures: Figures) -> str:
    head = ("engine", "lines/s", "lines/CPU-s", "pages/s", "share of peak", "padding")
    rows = [
        (
            engine.name,
            _spread(engine.lines_per_s),
            f"{engine.lines_per_cpu_s:.1f}",
            _spread(engine.pages_per_s, 2),
            f"{engine.peak_share:.0%} of {engine.dtype}",
            f"{engine.padding:.1%}",
            f"{engine.cer:.2%}",
            "–" if engine.memory_mib is None else f"{engine.memory_mib:,.0f}",
        )
        for engine in figures.engines
    ]
    return _section("Engines", (*head, "CER", "peak memory, MiB"), rows)


def _latency(figures: Figures) -> str:
    head = ("engine", "load", "lines/s", "lines", "p50 ms", "p95 ms", "p99 ms")
    rows = [row for engine in figures.engines for row in _latency_rows(engine)]
    return _section("Latency of a line, Poisson arrivals", head, rows)


def _latency_rows(engine: EngineFigures) -> Iterator[tuple[str, ...]]:
    for latency in engine.latencies:
        yield (engine.name, f"{latency.load:.0%}", f"{latency.offered:.1f}", *_times(latency))


def _times(latency: Latency) -> tuple[str, ...]:
    times = (latency.p50_ms, latency.p95_ms, latency.p99_ms)
    return (str(latency.lines), *(f"{ms:.0f}" for ms in times))


def _policies(figures: Figures) -> str:
    rows = [
        (
            policy.engine,
            _POLICIES[Policy(policy.name)],
            _spread(policy.lines_per_s),
            _spread(policy.against_ours, 2),
            f"{policy.padding:.1%}",
            str(policy.batches),
        )
        for policy in figures.policies
    ]
    head = ("engine", "policy", "lines/s", "against hwr's", "padding", "batches")
    return _section("Policies", head, rows)


def _decoders(figures: Figures) -> str:
    rows = [
        (
            decoder.name,
            decoder.identity,
            _spread(decoder.lines_per_s),
            f"{decoder.lines_per_cpu_s:.1f}",
            f"{decoder.cer:.2%}",
        )
        for decoder in figures.decoders
    ]
    head = ("decoder", "identity", "lines/s", "lines/CPU-s", "CER")
    return _section(f"Decoders, engine {figures.fastest}", head, rows)


def _pages(figures: Figures) -> str:
    head = ("documents", "pages", "lines a page", "render", "find lines", "cut")
    rows = [_page_row(cost) for cost in figures.pages]
    title = f"CPU seconds a page by stage, engine {figures.fastest}"
    return _section(title, (*head, "all before reading", "read", "whole"), rows)


def _page_row(cost: PageCost) -> tuple[str, ...]:
    stages = (cost.render_s, cost.find_s, cost.cut_s, cost.split_s, cost.read_s)
    seconds = [f"{value:.3f}" for value in (*stages, cost.split_s + cost.read_s)]
    return (cost.name, str(cost.pages), f"{cost.lines:.1f}", *seconds)


def _peers(figures: Figures) -> str:
    rows = [
        (peer.name, peer.identity, _spread(peer.lines_per_s), f"{peer.cer:.1%}")
        for peer in figures.peers
    ]
    return _section("Other programs on the same crops", ("", "version", "lines/s", "CER"), rows)


def _skipped(figures: Figures) -> str:
    return "".join(
        f"Not measured: {skipped.name} ({skipped.reason})\n" for skipped in figures.skipped
    )


def _spread(spread: Spread | None, places: int = 1) -> str:
    if spread is None:
        return "–"
    low, high = (f"{value:.{places}f}" for value in (spread.low, spread.high))
    return f"{spread.median:.{places}f} ({low}–{high})"


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = [head, ["---"] * len(head), *rows]
    body = "".join(f"| {' | '.join(row)} |\n" for row in table)
    return f"### {title}\n\n{body}" if len(table) > 2 else ""
