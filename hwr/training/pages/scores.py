"""The scores of one page: its lines, their order, and its text beside that of its true crops."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hwr.decoding.reading import LineReading
from hwr.layout import Line, crop_line
from hwr.model.alphabet import Alphabet
from hwr.reader import ReadLine
from hwr.training.metrics import ErrorCounts, count_errors
from hwr.training.pages.baselines import Baselines, score_baselines
from hwr.training.pages.matching import Overlaps, matches, overlaps
from hwr.training.pages.truth import PRINTED_HEAD, TruePage
from hwr.training.samples import Grey

#: A found line is on true ones whose outlines cover this share of it.
_ON = 0.5
#: A found line is on none of which at most this share is covered.
_OFF = 0.1

#: Reads pictures of lines, in their order.
ReadLines = Callable[[Sequence[Grey]], Sequence[LineReading]]


@dataclass(frozen=True, kw_only=True)
class LineScore:
    """What was found of a page's lines."""

    #: Lines that stand there.
    true: int
    #: Lines found, without those in print that the truth leaves out.
    found: int
    #: Lines found in such print.
    in_print: int
    #: Pairs of lines whose outlines overlap by at least half of their union, one to one.
    matched: int
    #: As the competition cBAD scores baselines.
    baselines: Baselines
    #: Pairs of true lines that were both found.
    pairs: int
    #: Those of them that were found in the other order.
    swapped: int


@dataclass(frozen=True, kw_only=True)
class TextScore:
    """What was read of a page, its text taken as one run in reading order.

    Lines whose text the truth does not tell are left out, on both sides.
    """

    #: Of the lines found.
    page: ErrorCounts
    #: Of the same in the order of the true lines that they lie on: what is left when pages that a
    #: person may read in more than one order are given the order of the truth.
    in_order: ErrorCounts
    #: The same with the lines found in print that the truth leaves out.
    with_print: ErrorCounts
    #: Of the true lines' own crops: what reading alone costs.
    crops: ErrorCounts


@dataclass(frozen=True, kw_only=True)
class PageScore:
    """How well a page was found and read."""

    #: The page's name and its collection's.
    name: str
    collection: str
    lines: LineScore
    text: TextScore


def score_page(
    page: TruePage, found: Sequence[ReadLine], read: ReadLines, alphabet: Alphabet
) -> PageScore:
    """Score the lines found and read on a page; `read` reads its true crops for comparison."""
    return PageScore(
        name=page.name,
        collection=page.collection,
        lines=score_lines(page, [placed(line) for line in found]),
        text=score_text(page, found, crop_texts(page, read), alphabet),
    )


def score_lines(page: TruePage, found: Sequence[Line]) -> LineScore:
    """Score the lines found on a page, given in reading order."""
    true = [line.line for line in page.lines]
    common = overlaps(true, found)
    in_print = unlabelled_print(page, found, common)
    pairs = matches(common.union_share)
    kept = [line for index, line in enumerate(found) if index not in in_print]
    order = [column for _, column in sorted(pairs)]
    return LineScore(
        true=len(true),
        found=len(kept),
        in_print=len(in_print),
        matched=len(pairs),
        baselines=score_baselines(true, kept),
        pairs=len(order) * (len(order) - 1) // 2,
        swapped=sum(one > other for one, other in combinations(order, 2)),
    )


def score_text(
    page: TruePage, found: Sequence[ReadLine], crops: Iterable[str], alphabet: Alphabet
) -> TextScore:
    """Score what was read on a page; `crops` is what was read of its true lines with a text."""
    lines = [placed(line) for line in found]
    common = overlaps([line.line for line in page.lines], lines)
    untold = [index for index, line in enumerate(page.lines) if line.text is None]
    told = np.flatnonzero(common.inside(untold) < _ON).tolist()
    in_print = unlabelled_print(page, lines, common)
    truth = flat((line.text for line in page.lines if line.text is not None), alphabet)

    def against(texts: Iterable[str]) -> ErrorCounts:
        return count_errors(truth, flat(texts, alphabet))

    kept = [index for index in told if index not in in_print]
    return TextScore(
        page=against(found[index].text for index in kept),
        in_order=against(found[index].text for index in as_true(kept, common)),
        with_print=against(found[index].text for index in told),
        crops=against(crops),
    )


def crop_texts(page: TruePage, read: ReadLines) -> list[str]:
    """What is read of the page's true lines that have a text."""
    told = [line.line for line in page.lines if line.text is not None]
    return [reading.text for reading in read([crop_line(page.image, line) for line in told])]


def as_true(found: Sequence[int], common: Overlaps) -> list[int]:
    """Found lines in the order of the true ones that they lie on.

    Those on none stay behind the line that they were found behind.
    """
    places: dict[int, int] = {}
    place = -1
    for index in found:
        shared = common.common[:, index]
        place = int(shared.argmax()) if shared.any() else place
        places[index] = place
    return sorted(found, key=places.__getitem__)


def unlabelled_print(page: TruePage, found: Sequence[Line], common: Overlaps) -> set[int]:
    """Lines found on no true one in a page's printed head that the truth leaves out."""
    if not page.has_printed_head:
        return set()
    on_none = common.inside(range(len(page.lines))) <= _OFF
    head = PRINTED_HEAD * page.image.shape[0]
    return {
        index
        for index, line in enumerate(found)
        if on_none[index] and max(y for _, y in line.polygon) < head
    }


def flat(texts: Iterable[str], alphabet: Alphabet) -> str:
    """The texts as one, in the letters that a reading can have."""
    return " ".join(folded for text in texts if (folded := alphabet.fold(text)))


def placed(line: ReadLine) -> Line:
    """Where a line that was read stands."""
    return Line(order=line.order, polygon=line.polygon, baseline=line.baseline)
