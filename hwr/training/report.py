"""What an evaluation found: rates with intervals per set and writer, and the confusion table."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hwr.training.confusion import Confusion, confusion
from hwr.training.evaluation import LineResult
from hwr.training.intervals import Intervals, intervals
from hwr.training.metrics import (
    ErrorCounts,
    ErrorRates,
    count_errors,
    fold_for_score,
)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How well the lines of a set were read."""

    rates: ErrorRates
    #: 95 % bootstrap intervals of the rates.
    intervals: Intervals
    #: Rates of each writer's lines.
    writers: dict[str, ErrorRates]


@dataclass(frozen=True, kw_only=True)
class SetReport:
    """A data set's scores, as it stands and without case, accents and punctuation."""

    raw: Scores
    folded: Scores


@dataclass(frozen=True, kw_only=True)
class Report:
    """An evaluation. It names writers and counts characters, but holds no text of a line."""

    sets: dict[str, SetReport]
    #: Over all sets.
    confusion: Confusion


def report(results: Sequence[LineResult]) -> Report:
    """The report over lines that were read."""
    return Report(
        sets={name: _set_report(lines) for name, lines in by_set(results).items()},
        confusion=confusion(result.pair for result in results),
    )


def by_set(results: Iterable[LineResult]) -> dict[str, list[LineResult]]:
    """The results of each data set, sets in the order of their names."""
    return _grouped(results, lambda result: result.sample.dataset)


def character_error_rates(results: Iterable[LineResult]) -> dict[str, float]:
    """Only the character error rate of each set: the training curve's points."""
    return {
        name: sum((count_errors(*line.pair) for line in lines), ErrorCounts()).rates().cer
        for name, lines in by_set(results).items()
    }


def _set_report(lines: list[LineResult]) -> SetReport:
    writers = _grouped(lines, lambda result: result.sample.writer)
    folded = {
        writer: [count_errors(*map(fold_for_score, line.pair)) for line in own]
        for writer, own in writers.items()
    }
    raw = {writer: [count_errors(*line.pair) for line in own] for writer, own in writers.items()}
    return SetReport(raw=_scores(raw), folded=_scores(folded))


def _scores(by_writer: dict[str, list[ErrorCounts]]) -> Scores:
    sums = {writer: sum(lines, ErrorCounts()) for writer, lines in by_writer.items()}
    return Scores(
        rates=sum(sums.values(), ErrorCounts()).rates(),
        intervals=intervals(by_writer),
        writers={writer: counts.rates() for writer, counts in sums.items()},
    )


def _grouped(
    results: Iterable[LineResult], key: Callable[[LineResult], str]
) -> dict[str, list[LineResult]]:
    groups: dict[str, list[LineResult]] = defaultdict(list)
    for result in results:
        groups[key(result)].append(result)
    return dict(sorted(groups.items()))
