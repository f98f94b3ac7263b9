"""Measure reading order alone: ``python bench_order.py FOLDER``.

FOLDER holds transcribed pages, as ``hwr evaluate FOLDER --pages`` takes them. The true lines of
each page are put in order by their outlines; printed is the share of pairs of lines that stand in
the other order than in the transcription, of every page where there are any, and of all.
"""

import argparse
import sys
from pathlib import Path

from hwr.layout import Line
from hwr.layout.line import Box
from hwr.layout.order import reading_order
from hwr.training.pages.scores import score_lines
from hwr.training.pages.truth import read_true_page, transcriptions


def box_of(line: Line) -> Box:
    xs, ys = zip(*line.polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    swapped = pairs = 0
    for path in transcriptions(parser.parse_args().folder):
        page = read_true_page(path)
        true = [line.line for line in page.lines]
        score = score_lines(page, [true[place] for place in reading_order([*map(box_of, true)])])
        swapped, pairs = swapped + score.swapped, pairs + score.pairs
        if score.swapped:
            sys.stdout.write(f"{page.name:40} {score.swapped / score.pairs:.3f}\n")
    sys.stdout.write(f"{'all':40} {swapped / max(pairs, 1):.3f}\n")


if __name__ == "__main__":
    main()
