"""Real pages written on anew: the paper and the order of a page, with other lines on it.

There are few transcribed pages, and a network that sees them often knows where their lines are.
Here some lines are wiped off a page, with the rules that run through them, and other hands write in
their places.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator

from hwr.training.layout.cutouts import Cutout, Shelf, cut_out, words_within
from hwr.training.layout.pages import KnownLine, KnownPage
from hwr.training.samples import Grey, LineSample

#: Share of a page's lines that are wiped off, and of their places that are written in.
_WIPED, _WRITTEN = (0.2, 0.9), 0.7
#: Strokes are narrower than this share of a line's height, so that paper is what lies around.
_STROKE = 0.6
#: A new line's picture is so many usual heights high.
_SIZES = (0.9, 1.4)
#: Share of new lines that begin further right than what was wiped off.
_INDENTED = 0.3
#: Lines of less than so many usual heights are written over with figures.
_SHORT = 3.0


def rewritten(page: KnownPage, shelf: Shelf, rng: Generator) -> KnownPage:
    """The page with some of its lines gone or in another hand; lines without outline stay."""
    share = rng.uniform(*_WIPED)
    wiped: list[KnownLine] = []
    kept: list[KnownLine] = []
    for line in page.lines:
        gone = line.polygon is not None and rng.random() < share
        (wiped if gone else kept).append(line)
    if not wiped:
        return page
    image = _without(page, wiped, kept, rng)
    hand, figures, dark = shelf.hand(rng), shelf.figures(rng), rng.uniform(0.5, 0.9)
    for line in wiped:
        if rng.random() < _WRITTEN:
            short = np.ptp(line.baseline[:, 0]) < _SHORT * page.height
            cutout = _cutout(figures if short else hand, page.height * rng.uniform(*_SIZES), rng)
            kept += _write(image, cutout, line, dark, rng)
    return replace(page, image=image, lines=kept)


def _without(
    page: KnownPage, wiped: Sequence[KnownLine], kept: Sequence[KnownLine], rng: Generator
) -> Grey:
    """The page's picture with paper where the wiped lines stand and no other."""
    mask = np.zeros(page.image.shape, np.uint8)
    for lines, value in ((wiped, 255), (kept, 0)):
        for line in lines:
            if line.polygon is not None:
                cv2.fillPoly(mask, [np.rint(line.polygon).astype(np.int32)], value)
    width = 2 * round(_STROKE * page.height / 2) + 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    paper = cv2.morphologyEx(page.image, cv2.MORPH_CLOSE, around).astype(np.float32)
    paper = cv2.GaussianBlur(paper, (0, 0), width / 4) + rng.normal(0, 2, paper.shape)
    share = cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32) / 255
    return np.clip(page.image * (1 - share) + paper * share, 0, 255).astype(np.uint8)


def _cutout(hand: Sequence[LineSample], size: float, rng: Generator) -> Cutout:
    picture = hand[int(rng.integers(len(hand)))].load()
    return cut_out(picture).resized(size / picture.shape[0])


def _write(
    image: Grey, cutout: Cutout, line: KnownLine, dark: float, rng: Generator
) -> list[KnownLine]:
    """Write a line, or as much of it as there is room, in another's place."""
    ordered = line.baseline[line.baseline[:, 0].argsort()]
    left, right = ordered[0, 0], ordered[-1, 0]
    if rng.random() < _INDENTED:
        left += rng.uniform(0, 0.6) * (right - left)
    row = float(np.interp(left, ordered[:, 0], ordered[:, 1]))
    words = None if right - left > 4 * len(cutout.cover) else 1
    part = words_within(cutout, int(right - left), words, rng)
    return [] if part is None else _laid(image, part, (round(left), row), dark)


def _laid(image: Grey, ink: Cutout, place: tuple[int, float], dark: float) -> list[KnownLine]:
    """Lay ink on a picture; nothing where it would not lie inside."""
    x, top = place[0], round(place[1] - ink.foot)
    height, width = ink.cover.shape
    part = image[max(top, 0) : top + height, max(x, 0) : x + width]
    if part.shape != (height, width):
        return []
    part[:] = (part * (1 - dark * ink.cover)).astype(np.uint8)
    return [KnownLine(baseline=ink.ends(x, top), polygon=ink.outline(x, top))]
