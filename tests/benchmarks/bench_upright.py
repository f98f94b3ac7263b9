"""Measure turning and flattening of pages: ``python bench_upright.py FOLDER``.

FOLDER holds transcribed pages that lie upright, as ``hwr evaluate FOLDER --pages`` takes them.
First table: each page turned each way, and each half of it; how many are brought upright, left as
they came, or turned wrongly. Second: some pages as if photographed (its corners moved by chance, a
darker background, light from one side, noise): recall and precision of its lines without and with
looking at the sheet from straight above. CPU milliseconds a page on one thread.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout import Line, find_lines, upright
from hwr.layout.homography import Homography, Quad, corners, homography, mapped
from hwr.layout.orientation import quarter_turns
from hwr.training.pages.scores import LineScore, score_lines
from hwr.training.pages.summary import line_figures
from hwr.training.pages.truth import TrueLine, TruePage, read_true_page, transcriptions

Grey = NDArray[np.uint8]

#: How far a corner of a photographed sheet is moved, as a share of the sheet's shorter side.
MOVED = 0.08
#: Every so many pages one is photographed.
EVERY = 4
#: Parts of a page that are turned.
PARTS: dict[str, Callable[[Grey], Grey]] = {
    "whole": lambda page: page,
    "upper half": lambda page: page[: page.shape[0] // 2],
    "lower half": lambda page: page[page.shape[0] // 2 :],
    "left half": lambda page: page[:, : page.shape[1] // 2],
}


def turned_pages(pages: list[Path]) -> Iterator[str]:
    for name, part in PARTS.items():
        counts: dict[int, Counter[str]] = {turns: Counter() for turns in range(4)}
        for path in pages:
            picture = part(read_true_page(path).image)
            for turns in range(4):
                counts[turns][outcome(np.ascontiguousarray(np.rot90(picture, -turns)), turns)] += 1
        for turns, found in counts.items():
            told = ", ".join(f"{count} {what}" for what, count in sorted(found.items()))
            yield f"{name:10} turned by {90 * turns:3}°: {told}"


def outcome(picture: Grey, turns: int) -> str:
    back = quarter_turns(picture)
    if back == -turns % 4:
        return "upright"
    return "left as they came" if back == 0 else "turned wrongly"


def photographed(page: TruePage, rng: np.random.Generator) -> TruePage:
    """The page as a camera sees it from aside, with its lines."""
    height, width = page.image.shape
    size = round(1.3 * width), round(1.25 * height)
    flat = corners(width, height)
    reach = MOVED * min(height, width)
    inset = np.array([0.15 * width, 0.125 * height])
    quad = flat + inset + rng.uniform(-reach, reach, (4, 2))
    taken = homography(flat, quad)
    lines = tuple(TrueLine(line=moved(x.line, taken), text=x.text) for x in page.lines)
    return replace(page, image=lit(page.image, taken, quad, size, rng), lines=lines)


def lit(
    image: Grey, taken: Homography, quad: Quad, size: tuple[int, int], rng: np.random.Generator
) -> Grey:
    grain = rng.normal(60, 25, (size[1] // 8, size[0] // 8)).astype(np.float32)
    canvas = np.asarray(cv2.resize(grain, size), np.float32)
    sheet = cv2.warpPerspective(image, taken, size).astype(np.float32)
    inside = cv2.fillConvexPoly(np.zeros(size[::-1], np.uint8), np.rint(quad).astype(np.int32), 1)
    canvas[inside > 0] = sheet[inside > 0]
    light = np.linspace(rng.uniform(0.55, 0.8), 1, size[0])[None, :]
    noise = rng.normal(0, 4, canvas.shape)
    return np.clip(canvas * light + noise, 0, 255).astype(np.uint8)


def moved(line: Line, taken: Homography) -> Line:
    polygon, baseline = (
        tuple((round(x), round(y)) for x, y in mapped(np.array(points), taken).tolist())
        for points in (line.polygon, line.baseline)
    )
    return Line(order=line.order, polygon=polygon, baseline=baseline)


def photographs(pages: list[Path]) -> Iterator[str]:
    rng = np.random.default_rng(1)
    plain: list[LineScore] = []
    above: list[LineScore] = []
    for path in pages:
        page = photographed(read_true_page(path), rng)
        plain.append(score_lines(page, find_lines(page.image)))
        view = upright(page.image)
        found = [view.on_page(line) for line in find_lines(view.image)]
        above.append(score_lines(page, found))
    for name, scores in (("as they come", plain), ("from straight above", above)):
        lines = line_figures(scores)
        yield f"{name:20} recall {lines.recall:.3f} precision {lines.precision:.3f}"


def cost(pages: list[Path]) -> str:
    spent, changed = [], 0
    for path in pages:
        image = read_true_page(path).image
        started = time.process_time()
        changed += upright(image).to_page is not None
        spent.append(1000 * (time.process_time() - started))
    return f"{np.median(spent):.1f} ms a page; {changed} of {len(pages)} upright pages changed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    pages = transcriptions(parser.parse_args().folder)
    cv2.setNumThreads(1)
    for row in turned_pages(pages):
        sys.stdout.write(f"{row}\n")
    sys.stdout.write(f"Photographed, every {EVERY}th page:\n")
    for row in photographs(pages[::EVERY]):
        sys.stdout.write(f"{row}\n")
    sys.stdout.write(f"{cost(pages)}\n")


if __name__ == "__main__":
    main()
