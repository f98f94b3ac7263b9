"""Long straight rules of the network's view: a table's columns, margins, edges of the sheet."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.runs import high_runs, long_runs

#: Rules are darker than the paper around them by so many grey levels.
LEAST_DARK = 20
#: They are at least so many pixels of the view long, four lines of writing: no stroke is.
SHORTEST = 80
#: They are narrower than so many pixels of the view. What is wider is a dark area if it is so many
#: grey levels darker than its paper, else the soft edge of a shadow.
WIDEST, LEAST_AREA = 11, 120
#: They drift by less than so many pixels over that length.
DRIFT = 3


def upright_bars(ink: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where upright rules and dark areas of the ink (0 is paper) are, shape (H, W) as ``ink``."""
    return high_runs(drifting(ink, (1, DRIFT)), SHORTEST).view(np.bool_)


def level_bars(ink: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where level rules and dark areas are, as ``upright_bars``."""
    return long_runs(drifting(ink, (DRIFT, 1)), SHORTEST).view(np.bool_)


def without_shadows(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink less what is wide and high and not dark, shape as ``ink``."""
    wide = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((WIDEST, WIDEST), np.uint8))
    return np.asarray(np.where(wide < LEAST_AREA, cv2.subtract(ink, wide), ink), np.uint8)


def drifting(ink: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """1 where there is dark ink within so many rows and columns, shape as ``ink``."""
    dark = (ink > LEAST_DARK).view(np.uint8)
    return np.asarray(cv2.dilate(dark, np.ones(shape, np.uint8)), np.uint8)
