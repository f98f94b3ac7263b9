"""What is written one character to a box: a comb, read as one line without its boxes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout import Line
from hwr.layout.homography import Homography, corners, homography, rectified
from hwr.layout.ink import Grey, Ink
from hwr.layout.line import whole_pixels
from hwr.layout.rules import whole_level_rules, whole_upright_rules

#: Height of the view of a comb in pixels, its greatest width, and what it shows around.
HEIGHT, WIDEST = 64, 4000
BESIDE, ABOVE = 24, 8
#: Percentile of the greys that is paper, and levels of 255 by which print and ink are darker.
PAPER_SHARE, INK_LEVEL = 80, 50
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
    dark = _view(image, frame)
    dark = _without(dark, whole_upright_rules(_ink(dark), SIDE), (THIN, 1))
    dark = _without(dark, whole_level_rules(_ink(dark), EDGE), (1, THIN))
    return np.asarray(255 - dark, np.uint8)


def _view(image: Grey, frame: Floats) -> Grey:
    """How much darker than paper the comb and what is around it are, uint8 (h, w)."""
    width, height = (float(np.linalg.norm(frame[at] - frame[0])) for at in (1, 3))
    wide = min(max(round(HEIGHT * width / max(height, 1.0)), 1), WIDEST)
    shift = np.array([(1, 0, -BESIDE), (0, 1, -ABOVE), (0, 0, 1)], np.float64)
    to_page = homography(corners(wide, HEIGHT), frame) @ shift
    size = wide + 2 * BESIDE, HEIGHT + 2 * ABOVE
    paper = _paper(image, to_page, size)
    return np.asarray(
        np.clip(255 - 255 / paper * rectified(image, to_page, size), 0, 255), np.uint8
    )


def _paper(image: Grey, to_page: Homography, size: tuple[int, int]) -> float:
    """Grey of the paper in a view, where the picture ends that of its edge."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpPerspective(image, to_page, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return max(float(np.percentile(view, PAPER_SHARE)), 1.0)


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
