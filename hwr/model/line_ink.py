"""Is there anything on a line's picture that an empty text leaves out?"""

import cv2
import numpy as np

from hwr.model.line_image import LINE_HEIGHT, Grey

#: The picture is looked at in cells of so many pixels a side, which levels out the paper's grain.
_CELL = 2
#: Grey below which a cell is ink.
_DARK = 128
#: Writing is at least this high, in cells; specks are not.
_LEAST_HEIGHT = LINE_HEIGHT // _CELL // 4
#: Rows and columns of which this share is ink are rules.
_RULE = 0.8
#: Writing that stands upright is squeezed into a picture less wide than this, in pixels, and its
#: ink is at least this share of it.
_NARROW, _LEAST_INK = LINE_HEIGHT // 2, 0.02


def has_writing(image: Grey) -> bool:
    """Whether a normalised line image has ink that is neither specks nor rules."""
    if image.shape[1] < _NARROW:
        return float((image < _DARK).mean()) > _LEAST_INK
    cells = cv2.resize(image, None, fx=1 / _CELL, fy=1 / _CELL, interpolation=cv2.INTER_AREA)
    is_ink = (np.asarray(cells) < _DARK).astype(np.uint8)
    is_ink[is_ink.mean(axis=1) > _RULE] = 0
    is_ink[:, is_ink.mean(axis=0) > _RULE] = 0
    # The first of them is the paper.
    heights = cv2.connectedComponentsWithStats(is_ink)[2][1:, cv2.CC_STAT_HEIGHT]
    return bool((heights >= _LEAST_HEIGHT).any())
