"""Faint writing, as of a hard pencil, made as dark as that which is usual."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Grey, evenly_lit

#: Of 255, how dark the darkest thousandth of a page of usual ink is. Of 45 real pages it is 129 at
#: least, of these with a contrast of 25 % it is 30 to 60. A page whose ink is less dark is faint.
MOST, PAGE_USUAL, PAGE_FAINT = 0.999, 128.0, 64.0
#: Where its darkest hundredth is less dark, there is nothing but grain.
PLENTY, PAGE_LEAST = 0.99, 11.0
#: What is wider and higher, in pixels of a view, is the light and no stroke.
WIDEST = 11
#: The same of the darkest hundredth of a place beside usual ink. What shows through from the back
#: of a sheet, and its stains, are less dark.
PLACE_SHARE, PLACE_USUAL = 0.99, 90.0
PLACE_FAINT, PLACE_LEAST = 48.0, 24.0
#: Side of a place in pixels of a view, about a line.
PLACE = 24
#: Where no more than this share of all places with ink is faint, it is thin strokes of dark writing
#: and what shows through: at most 0.15 on 45 real pages, 0.16 to 0.5 on most of these with the
#: lower half at a contrast of 17 %.
LEAST_SHARE = 0.2


def ink_of(image: Grey) -> Grey:
    """How much darker than its paper a picture is, (H, W), all of it darker where all is faint."""
    ink = np.asarray(cv2.bitwise_not(evenly_lit(image)), np.uint8)
    window = np.ones((WIDEST, WIDEST), np.uint8)
    strokes = np.asarray(cv2.morphologyEx(ink, cv2.MORPH_TOPHAT, window), np.uint8)
    dark = quantile(strokes, MOST)
    if dark >= PAGE_FAINT or quantile(strokes, PLENTY) < PAGE_LEAST:
        return ink
    return np.asarray(cv2.convertScaleAbs(ink, alpha=PAGE_USUAL / dark), np.uint8)


def quantile(ink: Grey, share: float) -> float:
    """How dark the ink is that this share of all is lighter than."""
    # Counting the 256 greys is faster than sorting the pixels.
    below = np.cumsum(cv2.calcHist([ink], [0], None, [256], [0, 256]))
    return float(np.searchsorted(below, below[-1] * share))


def evened(ink: Grey) -> Grey:
    """The ink of a view with faint places made darker, as a pencil's answers to printed questions.

    A place near usual ink stays as it is: only there can one tell what is meant to be read. So does
    a page with few faint places.
    """
    dark = np.asarray(cv2.dilate(darkness_of_places(ink), np.ones((3, 3), np.uint8)))
    faint = (dark >= PLACE_LEAST) & (dark < PLACE_FAINT)
    if faint.sum() <= LEAST_SHARE * (dark >= PLACE_LEAST).sum():
        return ink
    gain = np.where(faint, PLACE_USUAL / np.maximum(dark, 1), 1).astype(np.float32)
    size = gain.shape[1] * PLACE, gain.shape[0] * PLACE
    smooth = np.asarray(cv2.resize(gain, size))[: ink.shape[0], : ink.shape[1]]
    return np.asarray(np.minimum(ink * smooth, 255), np.uint8)


def darkness_of_places(ink: Grey) -> NDArray[np.float32]:
    """How dark the darker ink of each place is where that is faint, (rows, columns of places)."""
    rows, columns = (-(-side // PLACE) for side in ink.shape)
    missing = rows * PLACE - ink.shape[0], columns * PLACE - ink.shape[1]
    whole = np.pad(ink, ((0, missing[0]), (0, missing[1])))
    places = whole.reshape(rows, PLACE, columns, PLACE).swapaxes(1, 2).reshape(rows, columns, -1)
    place = round(PLACE_SHARE * (PLACE**2 - 1))
    is_ink, is_dark = (
        np.count_nonzero(places >= least, axis=2) >= PLACE**2 - place
        for least in (PLACE_LEAST, PLACE_FAINT)
    )
    dark = np.where(is_dark, np.float32(PLACE_FAINT), np.float32(0))
    # Parting pixels takes time: only where it matters how dark exactly.
    faint = is_ink & ~is_dark
    dark[faint] = np.partition(places[faint], place, axis=1)[:, place]
    return dark
