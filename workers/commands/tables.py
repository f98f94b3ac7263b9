"""The figures of an evaluation as rows of text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hwr.training.intervals import Interval
from hwr.training.metrics import ErrorRates
from hwr.training.pages.summary import PageFigures
from hwr.training.reliability import RISKS, Calibration, Reliability
from hwr.training.report import Report, Scores
from hwr.training.samples import shown

_WORST_WRITERS = 10
#: A writer of fewer lines is no finding.
_FEWEST_LINES = 5
#: Confusions named in the table; the JSON holds more.
_CONFUSIONS = 10

Cells = tuple[str, ...]


def report_tables(report: Report) -> Iterator[str]:
    """All tables of a report, with an empty row between two."""
    raw = {name: scores.raw for name, scores in report.sets.items()}
    folded = {name: scores.folded for name, scores in report.sets.items()}
    yield from _rates("as written, with 95 % intervals", raw)
    yield ""
    yield from _rates("without case, accents and punctuation", folded)
    if writers := _worst_writers(raw):
        yield ""
        yield from table(("worst writers", "set", "lines", "CER", "WER", "exact"), writers)
    yield ""
    yield from _confusions(report)


def reliability_table(sets: Mapping[str, Reliability]) -> Iterator[str]:
    """What confidence is worth in each set; beside each ECE what chance alone would make it."""
    kinds = ("lines", "exact", "ECE", "chance", "characters", "right", "ECE", "chance")
    taken = (f"taken at {risk:.0%} wrong" for risk in RISKS)
    rows = [_reliability_row(name, found) for name, found in sets.items()]
    yield from table(("confidence", *kinds, *taken), rows)


def page_table(pages: Mapping[str, PageFigures]) -> Iterator[str]:
    """What was found and read, of single pages or of sets of them."""
    heading = ("pages", "", "lines", "found", "recall", "precision", "baselines", "", "misordered")
    texts = ("CER", "in order", "WER", "with print", "true crops", "apart")
    rows = [(name, *_page_cells(found)) for name, found in pages.items()]
    yield from table((*heading, *texts), rows)


def table(heading: Cells, rows: Sequence[Cells]) -> Iterator[str]:
    """Rows with their columns below one another, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for first, *others in (heading, *rows):
        cells = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join((f"{first:{widths[0]}}", *cells)).rstrip()


def percent(share: float) -> str:
    """A share with two digits after the point, as `10.44%`."""
    return f"{share:.2%}"


def _rates(title: str, sets: dict[str, Scores]) -> Iterator[str]:
    heading = (title, "lines", "writers", "CER", "", "WER", "", "exact", "", "resampled")
    yield from table(heading, [_rates_row(name, scores) for name, scores in sets.items()])


def _rates_row(name: str, scores: Scores) -> Cells:
    rates, sure = scores.rates, scores.intervals
    return (
        name,
        str(rates.lines),
        str(len(scores.writers)),
        *(percent(rates.cer), _interval(sure.cer)),
        *(percent(rates.wer), _interval(sure.wer)),
        *(percent(rates.exact), _interval(sure.exact)),
        sure.resampled.value,
    )


def _reliability_row(name: str, found: Reliability) -> Cells:
    shares = map(percent, found.coverage.values())
    return (name, *_calibration_cells(found.lines), *_calibration_cells(found.characters), *shares)


def _calibration_cells(found: Calibration) -> Cells:
    errors = (f"{found.ece:.3f}", f"{found.ece_by_chance:.3f}")
    return (str(found.count), percent(found.accuracy), *errors)


def _page_cells(found: PageFigures) -> Cells:
    lines = found.lines
    shares = (lines.recall, lines.precision, lines.baseline_recall, lines.baseline_precision)
    return (
        *(str(lines.pages), str(lines.true), str(lines.found)),
        *(f"{share:.3f}" for share in shares),
        percent(lines.order_errors),
        *(percent(found.page.cer), percent(found.in_order.cer), percent(found.page.wer)),
        *(percent(found.with_print.cer), percent(found.crops.cer), f"{100 * found.apart:+.2f}"),
    )


def _interval(interval: Interval) -> str:
    low, high = interval
    return f"{100 * low:.1f}–{100 * high:.1f}"


def _worst_writers(sets: dict[str, Scores]) -> list[Cells]:
    rated = [
        (rates.cer, name, writer, rates)
        for name, scores in sets.items()
        for writer, rates in scores.writers.items()
        if rates.lines >= _FEWEST_LINES
    ]
    rated.sort(key=lambda entry: -entry[0])
    return [_writer_row(name, writer, rates) for _, name, writer, rates in rated[:_WORST_WRITERS]]


def _writer_row(name: str, writer: str, rates: ErrorRates) -> Cells:
    shares = map(percent, (rates.cer, rates.wer, rates.exact))
    return (shown(writer), name, str(rates.lines), *shares)


def _confusions(report: Report) -> Iterator[str]:
    found = report.confusion
    yield _kind("taken for another", found.substitutions)
    yield _kind("left out", found.deletions)
    yield _kind("added", found.insertions)


def _kind(title: str, errors: Sequence[tuple[*tuple[str, ...], int]]) -> str:
    told = [f"{_told(characters)} {times}×" for *characters, times in errors[:_CONFUSIONS]]
    return f"{title}: {', '.join(told) or 'nothing'}"


def _told(characters: Iterable[str]) -> str:
    return " as ".join("space" if character == " " else character for character in characters)
