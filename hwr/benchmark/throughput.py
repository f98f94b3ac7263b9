"""Lines a second: engines side by side, policies side by side, peers side by side."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from hwr.benchmark.clock import Clock
from hwr.benchmark.figures import DecoderFigures, PeerFigures, PolicyFigures
from hwr.benchmark.material import BenchLine
from hwr.benchmark.peak import Peak, measure_peak
from hwr.benchmark.peers import Peer
from hwr.benchmark.policies import Pass, Policy, read_all
from hwr.benchmark.spread import Spread, rounds
from hwr.benchmark.subject import Subject
from hwr.decoding.decoders import Decoder, open_decoder
from hwr.line_work import reading_work
from hwr.model.alphabet import Alphabet
from hwr.model.line_image import Grey
from hwr.training.metrics import error_rates

#: Decoders side by side.
DECODERS = ("best-path", "auto", "thorough")

#: By their names.
Decoders = Mapping[str, Decoder]
#: Told what is being measured.
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Passes:
    """All readings of the lines by hwr's batcher, and the peaks measured between them."""

    #: By the name of the engine.
    of: dict[str, list[Pass]] = field(default_factory=lambda: defaultdict(list))
    #: By device and arithmetic: the best of all rounds.
    peaks: dict[tuple[str, str], Peak] = field(default_factory=dict)

    def fastest(self, subjects: Iterable[Subject]) -> Subject:
        """The one that reads the most lines a second."""
        return max(subjects, key=lambda s: lines_per_s(self.of[s.name]).median)


def measure_engines(
    subjects: Sequence[Subject], lines: Sequence[BenchLine], count: int, say: Say
) -> Passes:
    """Every engine reads all lines `count` times, with a measurement of its peak before each."""
    passes = Passes()
    for subject in rounds(subjects, count):
        say(f"{subject.name}: peak and lines")
        kind = (subject.device, subject.dtype)
        peak = measure_peak(*kind)
        passes.peaks[kind] = max(
            peak, passes.peaks.get(kind, peak), key=lambda found: found.flops_per_s
        )
        passes.of[subject.name].append(read_all(subject.work, lines, Policy.OURS, subject.limits))
    return passes


def measure_policies(
    subject: Subject, lines: Sequence[BenchLine], count: int, say: Say
) -> tuple[PolicyFigures, ...]:
    """Every policy reads all lines `count` times."""
    passes: dict[Policy, list[Pass]] = defaultdict(list)
    for policy in rounds(list(Policy), count):
        say(f"{subject.name}: policy {policy}")
        passes[policy].append(read_all(subject.work, lines, policy, subject.limits))
    return tuple(
        PolicyFigures(
            name=policy.value,
            engine=subject.name,
            lines_per_s=lines_per_s(passes[policy]),
            against_ours=_against(passes[policy], passes[Policy.OURS]),
            padding=passes[policy][-1].padding,
            batches=passes[policy][-1].batches,
        )
        for policy in Policy
    )


def open_decoders(alphabet: Alphabet, language_model: Path | None) -> Decoders:
    """The decoder that costs next to nothing, the default, and the one that reads best.

    Raises:
        ModelError: the language model cannot be used.
    """
    return {name: open_decoder(name, alphabet, language_model) for name in DECODERS}


def measure_decoders(
    subject: Subject,
    decoders: Decoders,
    lines: Sequence[BenchLine],
    count: int,
    alphabet: Alphabet,
    say: Say,
) -> tuple[DecoderFigures, ...]:
    """With every decoder the engine reads all lines `count` times."""
    passes: dict[str, list[Pass]] = defaultdict(list)
    for name, decoder in rounds(list(decoders.items()), count):
        say(f"{subject.name}: decoder {name}")
        work = reading_work(subject.engine, decoder)
        passes[name].append(read_all(work, lines, Policy.OURS, subject.limits))
    return tuple(
        DecoderFigures(
            name=name,
            identity=decoder.identity,
            lines_per_s=lines_per_s(passes[name]),
            lines_per_cpu_s=lines_per_cpu_s(passes[name]),
            cer=character_errors(lines, passes[name][-1].texts, alphabet),
        )
        for name, decoder in decoders.items()
    )


def measure_peers(
    peers: Sequence[Peer],
    subject: Subject,
    decoders: Decoders,
    lines: Sequence[BenchLine],
    count: int,
    alphabet: Alphabet,
    say: Say,
) -> tuple[PeerFigures, ...]:
    """Every program reads the crops of all lines `count` times; hwr with each decoder is one."""
    own = [_as_peer(subject, name, decoder) for name, decoder in decoders.items()]
    rivals = [*own, *peers]
    clocks: dict[str, list[Clock]] = defaultdict(list)
    texts: dict[str, list[str]] = {}
    for peer in rounds(rivals, count):
        say(f"{peer.name}: the same crops")
        clock = Clock()
        with clock.running():
            texts[peer.name] = peer.read([line.crop for line in lines])
        clocks[peer.name].append(clock)
    return tuple(
        PeerFigures(
            name=peer.name,
            identity=peer.identity,
            lines_per_s=Spread.of([len(lines) / clock.wall_s for clock in clocks[peer.name]]),
            cer=character_errors(lines, texts[peer.name], alphabet),
        )
        for peer in rivals
    )


def lines_per_s(passes: Sequence[Pass]) -> Spread:
    """By the clock on the wall."""
    return Spread.of([len(each.texts) / each.clock.wall_s for each in passes])


def lines_per_cpu_s(passes: Sequence[Pass]) -> float:
    """By the time that processors worked; the median."""
    return median(len(each.texts) / each.clock.cpu_s for each in passes)


def _against(passes: Sequence[Pass], ours: Sequence[Pass]) -> Spread:
    """Neighbours in time are compared, so that what slows a whole round does not show."""
    pairs = zip(passes, ours, strict=True)
    return Spread.of([own.clock.wall_s / their.clock.wall_s for their, own in pairs])


def character_errors(lines: Sequence[BenchLine], texts: Sequence[str], alphabet: Alphabet) -> float:
    """Character error rate, 0..1, with both sides folded to the letters that the model knows."""
    truths = [alphabet.fold(line.text) for line in lines]
    return error_rates(zip(truths, map(alphabet.fold, texts), strict=True)).cer


def _as_peer(subject: Subject, name: str, decoder: Decoder) -> Peer:
    work = reading_work(subject.engine, decoder)

    def read(crops: Sequence[Grey]) -> list[str]:
        lines = [BenchLine.of(crop, "", 0) for crop in crops]
        return list(read_all(work, lines, Policy.OURS, subject.limits).texts)

    return Peer(name=f"hwr {subject.name}, {name}", identity=subject.identity, read=read)
