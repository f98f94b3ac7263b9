"""Other views of a line's picture: what hesitates over one may be sure of another."""

from collections.abc import Sequence
from math import ceil

import cv2
import numpy as np

from hwr.model.line_image import MAX_WIDTH, WIDTH_STEP, Grey
from hwr.model.line_slant import unusual_slant

#: Pixels to the right for each pixel upwards; the first view is slanted no further.
_SHEARS: Sequence[float] = (0.0, 0.12, -0.12)
#: How many views there are.
VIEWS = len(_SHEARS)
_PAPER = 255


def view(image: Grey, number: int) -> Grey:
    """View `number`, from 0 on, of a normalised line (LINE_HEIGHT, w).

    0 is the line itself, set more upright where it slants more than usual; the others are slanted
    from there to the right and to the left. What is slanted becomes wider, so that nothing is cut
    off, but never wider than a line may be.
    """
    shear = _SHEARS[number] - unusual_slant(image)
    return slanted(image, shear) if shear else image


def slanted(image: Grey, shear: float) -> Grey:
    """A line (h, w) on white, slanted by so many pixels to the right for each pixel upwards."""
    height, width = image.shape
    beside = ceil(abs(shear) * height / WIDTH_STEP) * WIDTH_STEP
    wider = min(width + beside, MAX_WIDTH)
    shift = (wider - width) / 2 + shear * height / 2
    matrix = np.array([[1.0, -shear, shift], [0.0, 1.0, 0.0]])
    return np.asarray(
        cv2.warpAffine(
            image, matrix, (wider, height), borderMode=cv2.BORDER_CONSTANT, borderValue=_PAPER
        ),
        np.uint8,
    )
