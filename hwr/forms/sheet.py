"""The view of a sheet in which a form is looked for."""

from dataclasses import dataclass

import cv2
import numpy as np

from hwr.layout.ink import Grey, flatten
from hwr.layout.sheet import SEARCH_SIDE, Homography, Quad, corners, find_edges, homography
from hwr.layout.skew import skew_of

#: Longer side of the flat view in pixels: a letter page at 160 dpi, a cheque at 250.
FLAT_SIDE = 1800
#: The slope of lines is that of ink darker than evenly lit paper by the first of these grey levels
#: that enough of the picture is: a pattern under the print has slopes of its own.
SLOPE_LEVELS = (60, 20)
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

    def ink(self, level: int) -> Grey:
        """1 where it is darker than its paper by more than `level`, uint8 (h, w)."""
        return (self.dark > level).astype(np.uint8)


def find_sheet(image: Grey) -> Quad:
    """Corners of the sheet on a grey page (H, W).

    Where no edge is to be seen the sheet is as large as the picture, and as askew as its lines.
    """
    edges = find_edges(image)
    return _turned(image) if edges is None else edges


def flat_sheet(image: Grey, sheet: Quad) -> FlatSheet:
    """The view of a sheet on a grey page (H, W)."""
    top, right, bottom, left = np.linalg.norm(np.roll(sheet, -1, axis=0) - sheet, axis=1).tolist()
    width, height = max(top, bottom, 1.0), max(left, right, 1.0)
    scale = min(FLAT_SIDE / max(width, height), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    to_page = homography(corners(*size), sheet)
    view = cv2.warpPerspective(
        image, to_page, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=255
    )
    dark = cv2.bitwise_not(flatten(np.asarray(view, np.uint8)))
    return FlatSheet(dark=np.asarray(dark, np.uint8), to_page=to_page)


def _turned(image: Grey) -> Quad:
    height, width = image.shape
    quad = corners(width, height)
    scale = min(2 * SEARCH_SIDE / min(height, width), 1.0)
    dark = cv2.bitwise_not(flatten(_reduced(image, scale)))
    inks = ((dark > level).astype(np.uint8) for level in SLOPE_LEVELS)
    slope = next((skew_of(ink) for ink in inks if ink.mean() > LEAST_INK), 0.0)
    turn = np.array([(1.0, slope), (-slope, 1.0)]) / np.hypot(1.0, slope)
    middle = quad.mean(axis=0)
    return np.asarray((quad - middle) @ turn + middle, np.float64)


def _reduced(image: Grey, scale: float) -> Grey:
    size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
