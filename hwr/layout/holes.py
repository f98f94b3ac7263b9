"""Holes punched in a sheet, which look like short thick lines."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Grey

#: A hole punched in the sheet is no wider than so many of its heights, and this share of what is
#: dark there is thicker than so many heights of the line, which no letter is.
HOLE_WIDE, HOLE_SHARE, HOLE_THICK = 2.0, 0.8, 0.45
#: Where strokes that are darker by so many grey levels cover more than this share of what is thick,
#: it is a tinted field with writing.
STROKE_DARKER, STROKE_SHARE = 25, 0.01


def is_hole(box: Grey, height: float) -> bool:
    """Whether the box around a line of that height holds one dark spot and no strokes."""
    if box.shape[1] > HOLE_WIDE * box.shape[0]:
        return False
    _, dark = cv2.threshold(box, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    side = max(round(HOLE_THICK * height), 3)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    thick = cv2.morphologyEx(dark, cv2.MORPH_OPEN, disc)
    return int(thick.sum()) > HOLE_SHARE * int(dark.sum()) and not has_strokes(box, thick, disc)


def has_strokes(box: Grey, thick: NDArray[Any], disc: NDArray[Any]) -> bool:
    """Whether something is written on what is thick (1, else 0) and dark in a box."""
    calm = cv2.blur(box, (3, 3))  # grain is darker than what is around it, too
    strokes = cv2.morphologyEx(calm, cv2.MORPH_BLACKHAT, disc) >= STROKE_DARKER
    inside = cv2.erode(thick, np.ones((5, 5), np.uint8)) > 0
    return bool(np.count_nonzero(strokes & inside) > STROKE_SHARE * np.count_nonzero(inside))
