"""Ink told from its paper, for looking for lines; never what is read."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
#: 1 where there is ink, else 0.
Ink = NDArray[np.uint8]

#: The paper's brightness is measured on a picture reduced by this factor.
PAPER_REDUCTION = 8
#: Dark things narrower than this many reduced pixels are ink, not paper.
PAPER_WINDOW = 15
#: Paper darker than this is a shadow or the scanner's lid: nothing on it is brightened up.
DARKEST_PAPER = 48
#: What is wider and higher than so many pixels of a view is no stroke but a dark area, if it is so
#: many grey levels darker than its paper, else the soft edge of a shadow.
WIDEST_STROKE, DARK_AREA = 11, 120


def brightness_of(image: Grey) -> Grey:
    """Brightness of the paper at every pixel, shape as ``image``."""
    small = reduced(image, PAPER_REDUCTION)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (PAPER_WINDOW, PAPER_WINDOW))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, window)
    smooth = cv2.blur(closed, (PAPER_WINDOW, PAPER_WINDOW))
    return enlarged(np.maximum(smooth, DARKEST_PAPER), image)


def evenly_lit(image: Grey) -> Grey:
    """The image as if evenly lit: paper becomes 255."""
    return np.asarray(cv2.divide(image, brightness_of(image), scale=255), np.uint8)


def without_shadows(ink: Grey) -> Grey:
    """The ink (0 is paper) less what is wide and high and not dark, shape as ``ink``."""
    wide = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((WIDEST_STROKE, WIDEST_STROKE), np.uint8))
    return np.asarray(np.where(wide < DARK_AREA, cv2.subtract(ink, wide), ink), np.uint8)


def reduced(picture: Grey, across: int, down: int | None = None) -> Grey:
    """Means over cells of ``across`` × ``down`` pixels, squares where only one is given.

    The last cells of rows and columns may be cut off.
    """
    # Whole numbers make it many times as fast as a size in pixels would.
    fx, fy = 1 / min(across, picture.shape[1]), 1 / min(down or across, picture.shape[0])
    small = cv2.resize(picture, None, fx=fx, fy=fy, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def enlarged(picture: NDArray[Any], like: Grey) -> Grey:
    """The picture at the size of ``like``."""
    size = like.shape[1], like.shape[0]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
