"""Measure the line finder on pages with ground truth: ``python bench_layout.py FOLDER``.

FOLDER holds pictures, each with a JSON file of the same stem: ``{"image", "lines": [{"polygon",
"baseline"}]}``. Pages are sorted by name; even ones are for tuning, odd ones are held out.
Printed for each collection (the part of the name before the first ``_``): recall and precision of
lines whose polygons overlap at IoU 0.5 (matched one to one), the same for baselines that run within
a tolerance of each other over half of their length, the share of line pairs in the right order, and
CPU seconds a page on one thread. Pages named ``*_imp_*`` carry a printed sentence without ground
truth in their top 12 %: a line found there that overlaps no true line is not counted.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout import Line, find_lines

#: Polygons are compared on a grid this many times coarser than the page.
GRID = 4
#: Least overlap (intersection over union) of a match.
LEAST_OVERLAP = 0.5
#: Baselines match within this share of the median distance between true lines.
BASELINE_TOLERANCE = 0.25

Points = Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Score:
    """What was counted on one page."""

    #: Lines of the ground truth.
    true: int
    #: Lines found, without those in unlabelled print.
    found: int
    #: Pairs of polygons that match.
    polygons: int
    #: Pairs of baselines that match.
    baselines: int
    #: Neighbouring true lines, both found, that are in the right order.
    ordered: int
    #: Neighbouring true lines, both found.
    pairs: int
    #: CPU seconds.
    seconds: float


def overlap(left: Points, right: Points) -> float:
    """Intersection over union of two polygons on the coarse grid."""
    shapes = [np.array(points, np.int32) // GRID for points in (left, right)]
    every = np.concatenate(shapes)
    low = every.min(axis=0)
    width, height = every.max(axis=0) - low + 1
    masks = [
        cv2.fillPoly(np.zeros((height, width), np.uint8), [shape - low], 1) for shape in shapes
    ]
    union = np.count_nonzero(masks[0] | masks[1])
    return float(np.count_nonzero(masks[0] & masks[1]) / union)


def boxes_touch(left: Points, right: Points) -> bool:
    a, b = np.array(left), np.array(right)
    return bool((a.min(axis=0) <= b.max(axis=0)).all() and (b.min(axis=0) <= a.max(axis=0)).all())


def overlaps(true: Sequence[Points], found: Sequence[Points]) -> NDArray[np.float64]:
    """Overlap of every true polygon with every found one, shape (true, found)."""
    table = np.zeros((len(true), len(found)))
    for i, left in enumerate(true):
        for j, right in enumerate(found):
            if boxes_touch(left, right):
                table[i, j] = overlap(left, right)
    return table


def match(table: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """One-to-one pairs of rows and columns, best first."""
    pairs = []
    left = table.copy()
    while left.size and left.max() >= least:
        i, j = (int(index) for index in np.unravel_index(left.argmax(), left.shape))
        pairs.append((i, j))
        left[i, :] = left[:, j] = -1
    return pairs


def near_share(left: Points, right: Points, tolerance: float) -> float:
    """Share of the left baseline's columns at which the right one is within the tolerance."""
    a, b = (np.array(sorted(map(tuple, points)), float) for points in (left, right))
    columns = np.arange(a[0, 0], a[-1, 0] + 1)
    distance = np.interp(columns, a[:, 0], a[:, 1]) - np.interp(
        columns, b[:, 0], b[:, 1], left=np.inf, right=np.inf
    )
    return float((np.abs(distance) <= tolerance).mean())


def baseline_shares(true: Sequence[Points], found: Sequence[Points]) -> NDArray[np.float64]:
    heights = np.sort([np.mean([y for _, y in points]) for points in true])
    tolerance = max(BASELINE_TOLERANCE * float(np.median(np.diff(heights))), 10.0)
    return np.array(
        [
            [min(near_share(a, b, tolerance), near_share(b, a, tolerance)) for b in found]
            for a in true
        ]
    ).reshape(len(true), len(found))


def unlabelled(lines: Sequence[Line], table: NDArray[np.float64], height: int) -> set[int]:
    """Lines that lie in the printed head of the page and on no true line."""
    return {
        index
        for index, line in enumerate(lines)
        if max(y for _, y in line.polygon) < 0.12 * height and table[:, index].max() < 0.1
    }


def order_of(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Neighbours in the right order, and neighbours."""
    found = [j for _, j in sorted(pairs)]
    return sum(b > a for a, b in pairwise(found)), max(len(found) - 1, 0)


def score_page(path: Path) -> tuple[Score, tuple[Line, ...]]:
    truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    image = cv2.imread(str(path.with_name(truth["image"])), cv2.IMREAD_GRAYSCALE)
    started = time.process_time()
    lines = find_lines(np.asarray(image, np.uint8))
    seconds = time.process_time() - started
    table = overlaps([line["polygon"] for line in truth["lines"]], [line.polygon for line in lines])
    skip = unlabelled(lines, table, image.shape[0]) if "_imp_" in path.name else set()
    pairs = match(table, LEAST_OVERLAP)
    drawn = [line["baseline"] for line in truth["lines"]]
    shares = baseline_shares(drawn, [line.baseline for line in lines])
    ordered, neighbours = order_of(pairs)
    return Score(
        true=len(truth["lines"]),
        found=len(lines) - len(skip),
        polygons=len(pairs),
        baselines=len(match(shares, 0.5)),
        ordered=ordered,
        pairs=neighbours,
        seconds=seconds,
    ), lines


def report(name: str, scores: Sequence[Score]) -> str:
    def total(field: str) -> float:
        return float(sum(getattr(score, field) for score in scores))

    true, found = total("true"), max(total("found"), 1)
    return (
        f"{name:28} pages {len(scores):3} lines {true:5.0f}"
        f" | polygon R {total('polygons') / true:.3f} P {total('polygons') / found:.3f}"
        f" | baseline R {total('baselines') / true:.3f} P {total('baselines') / found:.3f}"
        f" | order {total('ordered') / max(total('pairs'), 1):.3f}"
        f" | s/page {total('seconds') / len(scores):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", action="store_true", help="one row a page as well")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    groups: dict[str, list[Score]] = defaultdict(list)
    for index, path in enumerate(sorted(arguments.folder.glob("*.json"))):
        score, _ = score_page(path)
        half = "held out" if index % 2 else "tuning"
        for group in (f"{path.name.split('_')[0]} {half}", f"all {half}", "all"):
            groups[group].append(score)
        if arguments.each:
            print(report(path.stem[:28], [score]))  # noqa: T201
    for name in sorted(groups):
        print(report(name, groups[name]))  # noqa: T201


if __name__ == "__main__":
    main()
