"""Is ink darker than what it is written on? A blackboard or an inverted scan is turned round."""

import cv2
import numpy as np

from hwr.layout.ink import Grey, reduced

#: Ink is looked for on a picture whose longer side is at most this, in pixels.
SEARCH_SIDE = 1000
#: What is narrower than half of this window is ink, of that picture.
WINDOW = 21
#: Grey levels by which ink differs from its ground.
LEAST_STEP = 12
#: Light ink outweighs dark so many times: of 15,631 real lines and 45 pages it never did, nor of
#: these pages on dark tables of twice their area.
LIGHT_TO_DARK = 2
#: A dark ground is at least this share of the picture: what is darker than the middle of its grey
#: levels, which lie between these percentiles. Above the second share light ink need outweigh dark
#: at all, as between thick strokes.
LEAST_DARK, MOST_DARK, ENDS = 0.15, 0.6, (1, 99)


def dark_on_light(image: Grey, factor: int | None = None) -> Grey:
    """The grey picture (H, W) as it is, or inverted where its ink is lighter than its ground.

    Only how narrow strokes differ from their surroundings counts: a sheet on a dark table is mostly
    dark as well. `factor` is how much the picture is reduced to look at it.
    """
    factor = factor or -(-max(image.shape) // SEARCH_SIDE)
    return 255 - image if _has_light_ink(image, factor) else image


def _has_light_ink(image: Grey, factor: int) -> bool:
    small = reduced(image, factor)
    dark_share = float((small < np.percentile(small, ENDS).mean()).mean())
    if dark_share < LEAST_DARK:
        return False
    ground = np.asarray(cv2.medianBlur(small, WINDOW), np.uint8)
    light, dark = _weight(small, ground), _weight(ground, small)
    return light > LIGHT_TO_DARK * dark or (light > dark and dark_share > MOST_DARK)


def _weight(over: Grey, under: Grey) -> float:
    """By how much one picture is lighter than the other, wherever it clearly is."""
    step = cv2.subtract(over, under)
    return float(cv2.sumElems(cv2.threshold(step, LEAST_STEP, 0, cv2.THRESH_TOZERO)[1])[0])
