"""Printed patterns behind writing, as on cheques: paler than the ink and over much of the paper."""

import cv2
import numpy as np

from hwr.layout.ink import Grey, brightness_of, enlarged, reduced

#: Patterns are looked for on a picture whose shorter side is about this, in pixels.
SEARCH_SIDE = 1000
#: Ink is darker than paper by so many grey levels at least, else nothing is paler than it.
LEAST_INK = 40
#: So many pixels around ink may be its own edge; the rest of the paper shows the pattern.
EDGE = 3
#: Less of a page than this share is no paper to tell a pattern from.
LEAST_PAPER = 0.1
#: A pattern is darker than paper by this share of the ink's darkness and covers this share of the
#: paper. Without one, old papers have up to 0.08 of it so dark.
DARK, COVERED = 0.15, 0.13
#: Paper is as dark as its darkest, but for this percentage; never darker than this share of ink.
DARKEST, MOST = 5, 0.5
#: Where lines of a pattern cross each other it is darker than that by this factor at most.
CROSSING = 2


def without_pattern(image: Grey) -> Grey:
    """The grey page (H, W) as it is, or with its paper as bright as if nothing was printed on it.

    What is paler than the pattern goes with it, so this is for paper that is known to have one:
    pencil on squared paper looks the same. Black stays black, other ink becomes a little paler.
    """
    factor = max(round(min(image.shape) / SEARCH_SIDE), 1)
    small = reduced(image, factor)
    lit = brightness_of(small)
    printed = darkness_of(np.asarray(cv2.divide(small, lit, scale=255), np.uint8))
    if not printed:
        return image
    paper = enlarged(lit, image)
    levels = 255 - (255 - np.arange(256) - printed).clip(0) * 255 / (255 - printed)
    bare = cv2.LUT(cv2.divide(image, paper, scale=255), levels.astype(np.uint8))
    return np.asarray(cv2.multiply(bare, paper, scale=1 / 255), np.uint8)


def darkness_of(flat: Grey) -> float:
    """By how many grey levels the pattern of an evenly lit page is darker than paper; mostly 0."""
    ink, darkness = _ink_and_paper(flat)
    if not darkness.size or np.mean(darkness > DARK * ink) < COVERED:
        return 0.0
    return min(float(np.percentile(darkness, 100 - DARKEST)), MOST * ink)


def darkest_of(flat: Grey) -> float:
    """As `darkness_of`, where there is known to be a pattern, of the pattern where it is darkest.

    Lines of it that cross each other are darker than one.
    """
    ink, darkness = _ink_and_paper(flat)
    if not darkness.size:
        return 0.0
    return min(CROSSING * float(np.percentile(darkness, 100 - DARKEST)), MOST * ink)


def _ink_and_paper(flat: Grey) -> tuple[float, Grey]:
    """How much darker than white ink is, and paper (n,) is; none of it where that is little."""
    ink = 255 - float(np.percentile(flat, 1))
    is_ink = (flat < 255 - ink / 2).view(np.uint8)
    paper = flat[cv2.dilate(is_ink, np.ones((2 * EDGE + 1,) * 2, np.uint8)) == 0]
    is_enough = ink >= LEAST_INK and paper.size >= LEAST_PAPER * flat.size
    return ink, cv2.bitwise_not(paper).ravel() if is_enough else np.empty(0, np.uint8)
