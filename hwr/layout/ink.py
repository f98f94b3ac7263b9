"""The black and white view of a page in which lines are looked for; never the one that is read."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.pieces import Ink, pieces_of

Grey = NDArray[np.uint8]

#: The paper's brightness is measured on a picture reduced by this factor.
PAPER_REDUCTION = 8
#: Dark things narrower than this many reduced pixels are ink, not paper.
PAPER_WINDOW = 15
#: Paper darker than this is a shadow or the scanner's lid: nothing on it is brightened up.
DARKEST_PAPER = 48
#: Side of the window of the local threshold in pixels.
LOCAL_WINDOW = 68
#: The threshold is worked out on a picture reduced by this factor: it changes slowly.
LOCAL_REDUCTION = 4
#: Ink is darker than its surroundings by this share (Sauvola's k).
LEAST_CONTRAST = 0.14
#: Percentile of the grey of all ink that is taken as the page's usual ink.
USUAL_INK = 10
#: A piece of ink is somewhere at least this share as dark as the usual ink.
LEAST_DARKNESS = 0.45
#: Sauvola's R: the spread of grey values at which the threshold reaches the mean.
FULL_SPREAD = 128.0


def paper_of(image: Grey) -> Grey:
    """Brightness of the paper at every pixel, shape as ``image``."""
    small = reduced(image, PAPER_REDUCTION, PAPER_REDUCTION)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (PAPER_WINDOW, PAPER_WINDOW))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, window)
    smooth = cv2.blur(closed, (PAPER_WINDOW, PAPER_WINDOW))
    return enlarged(np.maximum(smooth, DARKEST_PAPER), image)


def flatten(image: Grey) -> Grey:
    """The image as if evenly lit: paper becomes 255."""
    return np.asarray(cv2.divide(image, paper_of(image), scale=255), np.uint8)


def binarise(image: Grey) -> Ink:
    """Ink of a grey page, shape as ``image``; Sauvola's local threshold on the evenly lit image."""
    flat = flatten(image)
    return without_texture((flat < threshold_of(flat)).view(np.uint8), flat)


def threshold_of(flat: Grey) -> Grey:
    """What ink is darker than, shape as ``flat``: Sauvola, from means over cells of pixels."""
    # Of the darkness, which is 0 nearly everywhere: its mean loses least to rounding.
    dark = cv2.bitwise_not(flat)
    square = cv2.multiply(dark, dark, dtype=cv2.CV_16U)
    mean, mean_square = local_mean(dark), local_mean(square)
    spread = np.sqrt(np.maximum(mean_square - mean * mean, 0))
    threshold = (255 - mean) * (1 + LEAST_CONTRAST * (spread / FULL_SPREAD - 1))
    return enlarged(np.ceil(threshold).astype(np.uint8), flat)


def local_mean(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Means over the local window, on the reduced picture."""
    small = reduced(picture, LOCAL_REDUCTION, LOCAL_REDUCTION)
    window = (LOCAL_WINDOW // LOCAL_REDUCTION,) * 2
    return np.asarray(cv2.boxFilter(small, cv2.CV_32F, window), np.float32)


def reduced(picture: NDArray[Any], across: int, down: int) -> NDArray[Any]:
    """Means over cells of ``across`` × ``down`` pixels; the last ones may be cut off."""
    # Whole numbers make it many times as fast as a size in pixels would.
    fx, fy = 1 / min(across, picture.shape[1]), 1 / min(down, picture.shape[0])
    return cv2.resize(picture, None, fx=fx, fy=fy, interpolation=cv2.INTER_AREA)


def enlarged(picture: NDArray[Any], like: NDArray[Any]) -> Grey:
    """The picture at the size of ``like``."""
    size = like.shape[1], like.shape[0]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def as_grey(ink: Ink) -> Grey:
    """The ink as 255, so that means of it can be told apart in eight bits."""
    return ink * np.uint8(255)


def without_texture(ink: Ink, flat: Grey) -> Ink:
    """The ink without pieces that are faint from end to end beside the page's usual ink."""
    if not ink.any():
        return ink
    pieces = pieces_of(ink)
    grey = flat.ravel()[pieces.pixels]
    usual = float(np.percentile(grey, USUAL_INK))
    dark = grey < 255 - LEAST_DARKNESS * (255 - usual)
    return pieces.without(ink, ~pieces.having(dark))
