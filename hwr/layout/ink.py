"""The black and white view of a page in which lines are looked for; never the one that is read."""

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
#: Side of the window of the local threshold in pixels.
LOCAL_WINDOW = 61
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
    height, width = image.shape
    size = (max(width // PAPER_REDUCTION, 1), max(height // PAPER_REDUCTION, 1))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (PAPER_WINDOW, PAPER_WINDOW))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, window)
    smooth = cv2.blur(closed, (PAPER_WINDOW, PAPER_WINDOW))
    paper = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(paper, DARKEST_PAPER), np.uint8)


def flatten(image: Grey) -> Grey:
    """The image as if evenly lit: paper becomes 255."""
    return np.asarray(cv2.divide(image, paper_of(image), scale=255), np.uint8)


def binarise(image: Grey) -> Ink:
    """Ink of a grey page, shape as ``image``; Sauvola's local threshold on the evenly lit image."""
    flat = flatten(image)
    window = (LOCAL_WINDOW, LOCAL_WINDOW)
    mean = cv2.boxFilter(flat, cv2.CV_32F, window)
    square = cv2.sqrBoxFilter(flat, cv2.CV_32F, window)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    threshold = mean * (1 + LEAST_CONTRAST * (spread / FULL_SPREAD - 1))
    return without_texture(np.asarray(flat < threshold, np.uint8), flat)


def without_texture(ink: Ink, flat: Grey) -> Ink:
    """The ink without pieces that are faint from end to end beside the page's usual ink."""
    if not ink.any():
        return ink
    usual = float(np.percentile(flat[ink > 0], USUAL_INK))
    dark = flat < 255 - LEAST_DARKNESS * (255 - usual)
    pieces = cv2.connectedComponents(ink)[1]
    has_dark = np.zeros(int(pieces.max()) + 1, bool)
    has_dark[pieces[dark]] = True
    has_dark[0] = False
    return np.asarray(has_dark[pieces], np.uint8)
