"""Measure the line finder alone on transcribed pages: ``python bench_layout.py FOLDER``.

FOLDER is what ``hwr evaluate FOLDER --pages`` takes, and the figures are the same (see
hwr.training.pages); nothing is read, so that it takes seconds. Pages are sorted by name; even ones
are for tuning, odd ones are held out. Printed for each collection and half: recall and precision of
lines whose polygons overlap at IoU 0.5, the same of baselines as cBAD has it, the share of line
pairs in the right order, and CPU seconds a page on one thread.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2

from hwr.layout import find_lines
from hwr.training.pages.scores import LineScore, score_lines
from hwr.training.pages.summary import line_figures
from hwr.training.pages.truth import read_true_page, transcriptions

#: What was found on a page, and the CPU seconds it took.
Timed = tuple[LineScore, float]


def measure(path: Path) -> tuple[str, Timed]:
    """The page's collection, and its score."""
    page = read_true_page(path)
    started = time.process_time()
    lines = find_lines(page.image)
    seconds = time.process_time() - started
    return page.collection, (score_lines(page, lines), seconds)


def report(name: str, scores: Sequence[Timed]) -> str:
    found = line_figures([score for score, _ in scores])
    seconds = sum(seconds for _, seconds in scores) / len(scores)
    return (
        f"{name:28} pages {found.pages:3} lines {found.true:5}"
        f" | polygon R {found.recall:.3f} P {found.precision:.3f}"
        f" | baseline R {found.baseline_recall:.3f} P {found.baseline_precision:.3f}"
        f" | order {1 - found.order_errors:.3f}"
        f" | s/page {seconds:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", action="store_true", help="one row a page as well")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    groups: dict[str, list[Timed]] = defaultdict(list)
    for index, path in enumerate(transcriptions(arguments.folder)):
        collection, score = measure(path)
        half = "held out" if index % 2 else "tuning"
        for group in (f"{collection} {half}", f"all {half}", "all"):
            groups[group].append(score)
        if arguments.each:
            print(report(path.stem[:28], [score]))  # noqa: T201
    for name in sorted(groups):
        print(report(name, groups[name]))  # noqa: T201


if __name__ == "__main__":
    main()
