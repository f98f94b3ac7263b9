"""Brings any picture of a text line into the one form that engines eat."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import BadLineImage

#: Height of a line image in pixels. Strides of the network divide it.
LINE_HEIGHT = 64
#: Width is padded with paper to a multiple of this, the network's horizontal stride in pixels.
WIDTH_STEP = 8
#: Longest line in pixels at LINE_HEIGHT: about 300 letters; what is longer is squeezed.
MAX_WIDTH = 6144
#: A line image is at least so many pixels high and wide.
MIN_SIDE = 4
_MIN_CONTRAST = 24.0

Grey = NDArray[np.uint8]


def normalise_line(image: NDArray[Any]) -> Grey:
    """A line image as (LINE_HEIGHT, w) uint8, w a multiple of WIDTH_STEP, paper near 255.

    Takes grey (h, w) or colour (h, w, 3) uint8 of any size from 4 × 4 pixels on.

    Raises:
        BadLineImage: the array is not such a picture.
    """
    grey = as_grey(image)
    return pad_width(_stretch_contrast(_scale(grey)))


def pad_width(image: Grey) -> Grey:
    """`image` (h, w) with paper added on its right up to a multiple of WIDTH_STEP."""
    missing = -image.shape[1] % WIDTH_STEP
    return np.pad(image, ((0, 0), (0, missing)), constant_values=255)


def as_grey(image: NDArray[Any]) -> Grey:
    """A line image in grey.

    Raises:
        BadLineImage: the array is not such a picture.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or min(image.shape[:2]) < MIN_SIDE:
        raise BadLineImage(
            f"A line image of shape {image.shape} and type {image.dtype} cannot be read."
            f" Give 8-bit grey or colour of at least {MIN_SIDE} × {MIN_SIDE} pixels."
        )
    if image.ndim == 2:
        return image
    if image.shape[2] != 3:
        raise BadLineImage("A colour line image needs 3 channels. Convert it to RGB or grey.")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _scale(grey: Grey) -> Grey:
    height, width = grey.shape
    new_width = min(MAX_WIDTH, max(WIDTH_STEP, round(width * LINE_HEIGHT / height)))
    if (height, width) == (LINE_HEIGHT, new_width):
        return grey
    method = cv2.INTER_AREA if height > LINE_HEIGHT else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (new_width, LINE_HEIGHT), interpolation=method), np.uint8)


def _stretch_contrast(grey: Grey) -> Grey:
    ink, paper = _percentile(grey, 1), _percentile(grey, 90)
    scale = 255.0 / max(paper - ink, _MIN_CONTRAST)
    # One entry for each grey value in place of each pixel.
    stretched = 255.0 - (paper - np.arange(256)) * scale
    table = np.clip(stretched, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(grey, table), np.uint8)


def _percentile(grey: Grey, percent: float) -> float:
    """What `np.percentile` gives; counting the 256 greys is faster than sorting the pixels."""
    below = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]).astype(np.int64))
    place = (grey.size - 1) * percent / 100
    low, high = np.searchsorted(below, (int(place), np.ceil(place)), side="right")
    return float(low + (high - low) * (place % 1))
