"""Measure reading of pages that come badly: ``python bench_rough.py FOLDER [--only PREFIX]``.

FOLDER holds transcribed pages, as ``hwr evaluate FOLDER --pages`` takes them; ``--only`` takes
those whose names begin so. Every third is read as it came and spoilt in each of these ways: turned,
half in a shadow, on a dark table in one, white on black, on school and on squared paper, in faint
pencil, folded down its middle, streaked by the scanner, marked with bars, faxed. CER of the
text as the settings' decoder reads it.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hwr.layout.ink import evenly_lit
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.reader import Reader
from hwr.training.metrics import error_rates
from hwr.training.pages.truth import TruePage, read_true_page, transcriptions
from workers.models.choice import engine_of
from workers.settings import get_settings

Grey = NDArray[np.uint8]
ALPHABET = Alphabet(DEFAULT_CHARACTERS)
EVERY = 3
#: Distance of the finer rules of school paper, as a share of the page's width: 2 mm of 210.
PITCH = 2 / 210
#: Pixels an inch across and down: a scan's, and those of a fax in its usual, coarse mode.
SCAN, FAX = (200, 200), (204, 98)


def turned(page: Grey, degrees: float) -> Grey:
    """The page with its lines falling to the right by so much, on its own paper."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    reach = round(abs(np.sin(np.radians(degrees))) * max(page.shape) / 2)
    turn[:, 2] += reach
    size = width + 2 * reach, height + 2 * reach
    paper = float(np.median(page))
    return np.asarray(cv2.warpAffine(page, turn, size, borderValue=paper), np.uint8)


def shadowed(page: Grey, soft: float) -> Grey:
    """The page with less than half of the light on its lower right, from a soft edge on."""
    height, width = page.shape
    y, x = np.mgrid[0:height, 0:width]
    edge = 1 / (1 + np.exp(-4 * (x / width + 0.6 * y / height - 0.9) / soft))
    return np.asarray(page * (1 - 0.55 * edge), np.uint8)


def on_table(page: Grey) -> Grey:
    """The page seen a little from aside on a dark table, with a shadow over both."""
    height, width = page.shape
    side = 0.1 * min(page.shape)
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    aside = flat + np.array(
        [(side, side), (1.6 * side, 0.5 * side), (side, 1.5 * side), (0.4 * side, side)]
    )
    transform = cv2.getPerspectiveTransform(flat, aside.astype(np.float32))
    size = round(width + 2.5 * side), round(height + 2.5 * side)
    seen = cv2.warpPerspective(page, transform, size, borderValue=50.0)
    return shadowed(np.asarray(seen, np.uint8), 0.16)


def on_school_paper(page: Grey) -> Grey:
    """Its ink on rules 2 mm apart, each fourth of them darker, and upright ones 8 mm apart."""
    paper = np.full(page.shape, 247, np.uint8)
    pitch = PITCH * page.shape[1]
    for row in range(1, int(page.shape[0] / pitch)):
        y = round(row * pitch)
        paper[y : y + (2 if row % 4 == 0 else 1)] = 130 if row % 4 == 0 else 203
    for column in range(1, int(page.shape[1] / pitch / 4)):
        paper[:, round(4 * column * pitch)] = 130
    return written_on(paper, page)


def on_squared_paper(page: Grey) -> Grey:
    """Its ink on squares of 5 mm."""
    paper = np.full(page.shape, 247, np.uint8)
    pitch = 2.5 * PITCH * page.shape[1]
    for axis, length in enumerate(page.shape):
        places = np.rint(np.arange(1, int(length / pitch)) * pitch).astype(int)
        paper[(slice(None),) * axis + (places,)] = 180
    return written_on(paper, page)


def in_pencil(page: Grey, contrast: float) -> Grey:
    """The page with its darkest ink that much darker than the paper, which has a grain."""
    grain = np.random.default_rng(1).normal(0, 3, page.shape)
    ink = np.minimum((255 - evenly_lit(page)) / 255 * 1.2, 1)
    return np.asarray(np.clip(248 * (1 - contrast * ink) + grain, 0, 255), np.uint8)


def lower_half_in_pencil(page: Grey) -> Grey:
    """The page as it is above and in pencil below, as answers under a printed question."""
    middle = len(page) // 2
    return np.vstack([page[:middle], in_pencil(page, 0.17)[middle:]])


def folded(page: Grey) -> Grey:
    """The page with the shadow of a fold down its middle."""
    away = np.arange(page.shape[1]) - page.shape[1] / 2
    return np.asarray(page * (1 - 0.35 * np.exp(-np.square(away / 4))), np.uint8)


def streaked(page: Grey) -> Grey:
    """The page with three dark streaks of a scanner down it."""
    page = page.copy()
    for x in (round(share * page.shape[1]) for share in (0.18, 0.45, 0.71)):
        page[:, x : x + 2] //= 2
    return page


def marked(page: Grey) -> Grey:
    """The page with bars of a dark marker over half of it, now through a line, now between two."""
    page = page.copy()
    height, width = page.shape
    for top in (round(share * height) for share in np.arange(0.2, 0.9, 0.11)):
        bar = page[top : top + width // 32, round(0.2 * width) : round(0.75 * width)]
        bar[:] = bar * 0.6
    return page


def faxed(page: Grey) -> Grey:
    """The page in black and white, half as many rows as columns an inch."""
    across, down = (fax / scan for fax, scan in zip(FAX, SCAN, strict=True))
    coarse = cv2.resize(page, None, fx=across, fy=down, interpolation=cv2.INTER_AREA)
    even = evenly_lit(np.asarray(coarse, np.uint8))
    kind = cv2.THRESH_BINARY | cv2.THRESH_OTSU
    return np.asarray(cv2.threshold(even, 0, 255, kind)[1], np.uint8)


def written_on(paper: Grey, page: Grey) -> Grey:
    """The page's ink on another paper."""
    return np.asarray(paper.astype(np.float32) * evenly_lit(page) / 255, np.uint8)


WAYS: dict[str, Callable[[Grey], Grey]] = {
    "as it came": lambda page: page,
    "falling by 12°": lambda page: turned(page, 12),
    "rising by 20°": lambda page: turned(page, -20),
    "sharp shadow": lambda page: shadowed(page, 0.03),
    "soft shadow": lambda page: shadowed(page, 0.16),
    "table, shadow": on_table,
    "white on black": lambda page: 255 - page,
    "school paper": on_school_paper,
    "squared paper": on_squared_paper,
    "pencil, 15 %": lambda page: in_pencil(page, 0.15),
    "pencil, 10 %": lambda page: in_pencil(page, 0.10),
    "pencil below": lower_half_in_pencil,
    "fold": folded,
    "streaks": streaked,
    "marker": marked,
    "fax": faxed,
}


def error_rate(reader: Reader, pages: list[TruePage], way: Callable[[Grey], Grey]) -> float:
    """CER of the pages' whole texts once each was spoilt so."""
    pairs = []
    with TemporaryDirectory() as folder:
        for page in pages:
            path = Path(folder) / "page.tif"
            dpi = FAX if way is faxed else SCAN
            Image.fromarray(way(page.image)).save(path, dpi=dpi)
            truth = "\n".join(line.text or "" for line in page.lines)
            pairs.append((ALPHABET.fold(truth), reader.read(path).pages[0].text))
    return error_rates(pairs).cer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", metavar="PREFIX")
    given = parser.parse_args()
    found = [path for path in transcriptions(given.folder) if path.name.startswith(given.only)]
    pages = [read_true_page(path) for path in found[::EVERY]]
    sys.stdout.write(f"{len(pages)} pages\n")
    with Reader(**engine_of(get_settings())) as reader:
        for name, way in WAYS.items():
            sys.stdout.write(f"{name:15} CER {error_rate(reader, pages, way):7.2%}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
