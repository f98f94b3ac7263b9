"""The slope of a page's lines."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Ink, reduced

#: Slopes looked for lie between plus and minus this (about 8 degrees).
STEEPEST = 0.14
#: Steps of the coarse and of the fine search.
STEPS = (0.01, 0.002)
#: The search runs on a view of this width in pixels.
SEARCH_WIDTH = 400
#: Columns of that view that are taken together: within them a slope moves less than a row.
STRIP = 3


def skew_of(ink: Ink) -> float:
    """Slope of the lines (rows a column, downwards positive) at which rows of ink are sharpest."""
    # Never larger than it is: a page a few pixels wide and very high must not be blown up.
    factor = max(round(ink.shape[1] / SEARCH_WIDTH), 1)
    # As 255, so that means of it can be told apart in eight bits.
    grey = ink * np.uint8(255)
    small = reduced(grey, factor * STRIP, factor).astype(np.float32)
    best, reach = 0.0, STEEPEST
    for step in STEPS:
        slopes = best + np.arange(-reach, reach + step / 2, step)
        best = float(max(slopes, key=lambda slope: sharpness(small, float(slope))))
        reach = step
    return best


def sharpness(small: NDArray[np.float32], slope: float) -> float:
    """Sum of squared differences of neighbouring rows' ink once the slope is taken out.

    ``small`` is a view of strips: STRIP pixels across, 1 down.
    """
    profile = sheared(small, slope * STRIP).sum(axis=1)
    return float(np.square(np.diff(profile)).sum())


def sheared(picture: NDArray[Any], slope: float) -> NDArray[Any]:
    """The picture with each column moved up by ``slope`` times its x, shape as ``picture``."""
    matrix = np.array([[1, 0, 0], [-slope, 1, 0]], np.float64)
    size = picture.shape[1], picture.shape[0]
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_NEAREST)
