"""Long straight rules of the network's view: a table's columns, margins, edges of the sheet."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.runs import high_runs

#: Rules are darker than the paper around them by so many grey levels.
LEAST_DARK = 20
#: They are at least so many pixels of the view long, four lines of writing: no stroke is.
SHORTEST = 80
#: They drift by less than so many pixels over that length.
DRIFT = 3


def upright_bars(ink: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where upright rules and dark areas of the ink (0 is paper) are, shape (H, W) as ``ink``."""
    drift = np.ones((1, DRIFT), np.uint8)
    dark = cv2.dilate((ink > LEAST_DARK).view(np.uint8), drift)
    return high_runs(np.asarray(dark, np.uint8), SHORTEST).view(np.bool_)


def level_bars(ink: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where level rules and dark areas are, as ``upright_bars``."""
    turned = upright_bars(np.asarray(cv2.transpose(ink), np.uint8))
    return np.asarray(cv2.transpose(turned.view(np.uint8)), np.uint8).view(np.bool_)
