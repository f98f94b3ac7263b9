"""The scores of many pages together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hwr.training.metrics import ErrorCounts, ErrorRates
from hwr.training.pages.scores import LineScore, PageScore


@dataclass(frozen=True, kw_only=True)
class LineFigures:
    """How well lines were found; rates are 0 to 1."""

    pages: int
    #: Lines that stand on the pages.
    true: int
    #: Lines found, without those in print that the truth leaves out.
    found: int
    #: Lines found in such print.
    in_print: int
    #: Share of the true lines whose outline was found (intersection over union at least 0.5).
    recall: float
    #: Share of the found lines that are one of those.
    precision: float
    #: Mean over the pages, as the competition cBAD scores baselines.
    baseline_recall: float
    baseline_precision: float
    #: Share of the pairs of lines found that stand in the other order than a person reads them.
    order_errors: float


@dataclass(frozen=True, kw_only=True)
class PageFigures:
    """How well pages were found and read."""

    lines: LineFigures
    #: Of the pages' text, one run a page.
    page: ErrorRates
    #: The same with the lines in the order of the true ones.
    in_order: ErrorRates
    #: With print that the truth leaves out.
    with_print: ErrorRates
    #: Of the crops by true outlines.
    crops: ErrorRates
    #: Character error rate that finding the lines costs: that of pages less that of true crops.
    apart: float


def grouped(scores: Iterable[PageScore]) -> dict[str, list[PageScore]]:
    """The scores of each collection, and of all."""
    groups: dict[str, list[PageScore]] = defaultdict(list)
    for score in scores:
        groups[score.collection].append(score)
    everything = [score for own in groups.values() for score in own]
    return {**dict(sorted(groups.items())), "all": everything}


def figures_of(scores: Sequence[PageScore]) -> PageFigures:
    """The figures of some pages, at least one."""
    page = _rates(score.text.page for score in scores)
    crops = _rates(score.text.crops for score in scores)
    return PageFigures(
        lines=line_figures([score.lines for score in scores]),
        page=page,
        in_order=_rates(score.text.in_order for score in scores),
        with_print=_rates(score.text.with_print for score in scores),
        crops=crops,
        apart=page.cer - crops.cer,
    )


def _rates(counts: Iterable[ErrorCounts]) -> ErrorRates:
    return sum(counts, ErrorCounts()).rates()


def line_figures(scores: Sequence[LineScore]) -> LineFigures:
    """The figures of the lines of some pages, at least one."""
    true, found = sum(score.true for score in scores), sum(score.found for score in scores)
    matched, pairs = sum(score.matched for score in scores), sum(score.pairs for score in scores)
    return LineFigures(
        pages=len(scores),
        true=true,
        found=found,
        in_print=sum(score.in_print for score in scores),
        recall=matched / max(true, 1),
        precision=matched / max(found, 1),
        baseline_recall=sum(score.baselines.recall for score in scores) / len(scores),
        baseline_precision=sum(score.baselines.precision for score in scores) / len(scores),
        order_errors=sum(score.swapped for score in scores) / max(pairs, 1),
    )
