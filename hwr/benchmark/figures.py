"""What a run measures, as records; `bench.json` holds the same."""

from dataclasses import asdict, dataclass
from typing import Any

from hwr.benchmark.arrivals import Latency
from hwr.benchmark.machine import Machine
from hwr.benchmark.peak import Peak
from hwr.benchmark.spread import Spread
from hwr.benchmark.stages import PageCost
from hwr.benchmark.subject import Skipped


@dataclass(frozen=True, kw_only=True)
class EngineFigures:
    """One engine, fed by hwr's batcher."""

    name: str
    identity: str
    #: What most of its arithmetic is done in.
    dtype: str
    lines_per_s: Spread
    #: Lines a second of processor time, thus for each core; the median.
    lines_per_cpu_s: float
    #: The network's arithmetic on true widths, as a share of this machine's measured peak, 0..1.
    peak_share: float
    #: Share of its columns that were padding, 0..1.
    padding: float
    #: Character error rate on the lines, 0..1.
    cer: float
    #: Whole documents, one stage after the other.
    pages_per_s: Spread | None
    latencies: tuple[Latency, ...]
    #: Peak of a process that starts it and reads the lines; None where the system does not say.
    memory_mib: float | None


@dataclass(frozen=True, kw_only=True)
class PolicyFigures:
    """One way to make batches."""

    name: str
    #: Who read them.
    engine: str
    lines_per_s: Spread
    #: Speed as a multiple of that of hwr's policy, round by round.
    against_ours: Spread
    padding: float
    batches: int


@dataclass(frozen=True, kw_only=True)
class DecoderFigures:
    """One way from an engine's logits to text."""

    name: str
    identity: str
    #: With the fastest engine before it.
    lines_per_s: Spread
    lines_per_cpu_s: float
    cer: float


@dataclass(frozen=True, kw_only=True)
class PeerFigures:
    """One program on the crops of the lines."""

    name: str
    identity: str
    lines_per_s: Spread
    cer: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A whole run."""

    machine: Machine
    #: The command's arguments that matter.
    threads: int
    rounds: int
    #: What was read.
    material: str
    lines: int
    #: Mean width of the line images in pixels.
    mean_width: float
    #: Hash of the model.
    model: str
    #: Floating-point operations of a line of the mean width.
    flops_per_line: float
    peaks: tuple[Peak, ...]
    engines: tuple[EngineFigures, ...]
    #: The fastest engine: decoders, stages and other programs were measured with it.
    fastest: str
    policies: tuple[PolicyFigures, ...]
    decoders: tuple[DecoderFigures, ...]
    pages: tuple[PageCost, ...]
    peers: tuple[PeerFigures, ...]
    skipped: tuple[Skipped, ...]
    #: Length of the whole run.
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)
