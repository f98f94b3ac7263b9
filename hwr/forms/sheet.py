"""The view of a sheet in which a form is looked for."""

from dataclasses import dataclass

import cv2
import numpy as np

from hwr.layout.homography import Homography, Quad, corners, homography, mapped, rectified, sides
from hwr.layout.ink import Grey, evenly_lit
from hwr.layout.sheet import find_edges
from hwr.layout.skew import skew_of

#: Longer side of the flat view in pixels: a letter page at 160 dpi, a cheque at 250.
FLAT_SIDE = 1800
#: The slope of lines is that of ink darker than evenly lit paper by the first of these grey levels
#: that enough of the picture is: a pattern under the print has slopes of its own.
SLOPE_LEVELS = (60, 20)
#: Longer side of the view in which slopes are measured, in pixels.
SLOPE_SIDE = 1200
#: Print is askew on its sheet by less than this slope; where more is measured it is not print.
MOST_ASKEW = 0.05
#: Share of the picture's rim that must not be the sheet: a form loses nothing by what is taken for
#: its edge, so that edges are believed in sooner than on free text.
LEAST_RIM = 0.05
#: Share of the picture that is ink enough.
LEAST_INK = 0.0003


@dataclass(frozen=True, kw_only=True)
class FlatSheet:
    """A sheet as if it lay straight under the camera, and filled the picture."""

    #: How much darker than its paper, 0 to 255, uint8 (h, w).
    dark: Grey
    #: From its pixels to those of the page.
    to_page: Homography

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.dark.shape[1], self.dark.shape[0]

    @property
    def from_page(self) -> Homography:
        """From pixels of the page to its own."""
        return np.asarray(np.linalg.inv(self.to_page), np.float64)

    def ink(self, level: int) -> Grey:
        """1 where it is darker than its paper by more than `level`, uint8 (h, w)."""
        return (self.dark > level).astype(np.uint8)


def find_sheet(image: Grey) -> Quad:
    """Corners of the sheet on a grey page (H, W), turned as what is printed on it.

    Where no edge is to be seen the sheet is as large as the picture. Print is often a little askew
    on its sheet, and zones are where the print is.
    """
    height, width = image.shape
    edges = find_edges(image, LEAST_RIM)
    sheet = corners(width, height) if edges is None else edges
    size, to_page = _view(sheet, SLOPE_SIDE)
    slope = _slope(rectified(image, to_page, size))
    if edges is not None and abs(slope) > MOST_ASKEW:
        return sheet
    turn = np.array([(1.0, slope), (-slope, 1.0)]) / np.hypot(1.0, slope)
    flat = corners(*size)
    middle = flat.mean(axis=0)
    return mapped((flat - middle) @ turn + middle, to_page)


def flat_sheet(image: Grey, sheet: Quad) -> FlatSheet:
    """The view of a sheet on a grey page (H, W)."""
    size, to_page = _view(sheet, FLAT_SIDE)
    dark = cv2.bitwise_not(evenly_lit(rectified(image, to_page, size)))
    return FlatSheet(dark=np.asarray(dark, np.uint8), to_page=to_page)


def _view(sheet: Quad, side: int) -> tuple[tuple[int, int], Homography]:
    """Size of a straight view of the sheet whose longer side is at most this, and its place."""
    width, height = sides(sheet)
    scale = min(side / max(width, height), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return size, homography(corners(*size), sheet)


def _slope(view: Grey) -> float:
    """Slope of what is printed and written on a view (h, w), rows a column."""
    dark = cv2.bitwise_not(evenly_lit(view))
    inks = ((dark > level).astype(np.uint8) for level in SLOPE_LEVELS)
    return next((skew_of(ink) for ink in inks if ink.mean() > LEAST_INK), 0.0)
