"""What is written one character to a box: a comb, read as one line without its boxes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.forms.frame import HEIGHT, frame_view
from hwr.layout import Line
from hwr.layout.ink import Grey, Ink
from hwr.layout.line import whole_pixels
from hwr.layout.rules import whole_level_rules, whole_upright_rules

#: Greatest width of the view of a comb in pixels, and what it shows around.
WIDEST, BESIDE, ABOVE = 4000, 24, 8
#: Levels of 255 by which print and ink are darker than paper.
INK_LEVEL = 50
#: Upright strokes as high as this are sides of boxes, and level ones as long as this their edges:
#: no character fills its box, or is wider.
SIDE, EDGE = round(0.8 * HEIGHT), 2 * HEIGHT
#: Print is thinner than this, in pixels: what crosses it is wider and stays.
THIN = 11
#: So far around it print is blurred.
BLURRED = 3
#: Share of the height that a character extends to at least.
LEAST_MARK = 0.35

Floats = NDArray[np.float64]


def comb_line(image: Grey, frame: Floats) -> Line | None:
    """The comb of a grey page (H, W) as one line; None where nothing is written in it.

    `frame` is its outline in page pixels, (4, 2), clockwise from the top left.
    """
    if not _is_written(255 - comb_picture(image, frame)):
        return None
    polygon = whole_pixels(frame)
    return Line(order=0, polygon=polygon, baseline=(polygon[3], polygon[2]))


def comb_picture(image: Grey, frame: Floats) -> Grey:
    """A grey picture (h, w) of what is written in the comb, level, with its boxes taken away."""
    dark = frame_view(image, frame, widest=WIDEST, beside=BESIDE, above=ABOVE).dark
    dark = _without(dark, whole_upright_rules(_ink(dark), SIDE), (THIN, 1))
    dark = _without(dark, whole_level_rules(_ink(dark), EDGE), (1, THIN))
    return np.asarray(255 - dark, np.uint8)


def _ink(dark: Grey) -> Ink:
    return (dark > INK_LEVEL).astype(np.uint8)


def _without(dark: Grey, print_: Ink, thin: tuple[int, int]) -> Grey:
    """The picture with what is thin, across `thin` (wide, high), taken off the print."""
    wide = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones(thin[::-1], np.uint8))
    near = cv2.dilate(print_, np.ones((BLURRED, BLURRED), np.uint8))
    return np.asarray(np.where(near > 0, wide, dark), np.uint8)


def _is_written(dark: Grey) -> bool:
    """Whether a mark is as large as a character, and not the rest of a box."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(_ink(dark))
    extents = stats[1:count, 2:4].max(axis=1, initial=0)
    return bool((extents > LEAST_MARK * HEIGHT).any())
