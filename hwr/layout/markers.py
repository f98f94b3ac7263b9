"""Bars of a marker over writing: paper of another brightness, as wide as the words marked."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Grey, brightness_of, enlarged, reduced

#: Bars are looked for on a picture whose shorter side is about this, in pixels.
SEARCH_SIDE = 640
#: A bar is wider and higher than so many of its pixels, which no stroke is.
STROKE = 11
#: It is so many grey levels darker than the paper at least, and nowhere more than that.
LEAST, MOST = 30, 120
#: It is so many pixels wide at least, a short word, and so many high at most, two lines.
LEAST_WIDE, MOST_HIGH = 40, 50
#: It fills this share of the box around it, else it is a frame or a shadow.
FILLED = 0.4
#: Strokes cover this share of it at least, else it is a felt pen's own. They are darker than it by
#: more than so many grey levels and so many times its grain.
WRITTEN, LEAST_STROKE, GRAINS = 0.05, 5, 2.5
#: So many pixels around a bar are dark in part.
EDGE = 2


def without_markers(image: Grey) -> Grey:
    """The grey page (H, W) as it is, or with the writing under bars on paper like that around."""
    factor = max(round(min(image.shape) / SEARCH_SIDE), 1)
    small = reduced(image, factor)
    paper = brightness_of(small)
    bare = closed(small, STROKE)
    bars = bars_of(np.asarray(cv2.subtract(paper, bare), np.uint8))
    bars = written_ones(bars, np.asarray(cv2.subtract(bare, small), np.uint8))
    if not bars.any():
        return image
    around = cv2.dilate(bars.view(np.uint8), np.ones((2 * EDGE + 1,) * 2, np.uint8))
    # In bytes: numbers with a point would take four times the memory of a large page.
    share = cv2.divide(image, closed(image, STROKE * factor), scale=255)
    lit = cv2.multiply(share, enlarged(paper, image), scale=1 / 255)
    return np.where(enlarged(around * np.uint8(255), image) > 0, lit, image).astype(np.uint8)


def closed(image: Grey, window: int) -> Grey:
    """The picture without what is dark and narrower or lower than the window."""
    square = np.ones((window, window), np.uint8)
    return np.asarray(cv2.morphologyEx(image, cv2.MORPH_CLOSE, square), np.uint8)


def bars_of(darker: Grey) -> NDArray[np.bool_]:
    """Where bars are; those that reach the edge of the picture are shadows or lie around a sheet.

    ``darker`` is by how much each place is darker than the paper, (H, W) as the result.
    """
    _, found, boxes, _ = cv2.connectedComponentsWithStats((darker >= LEAST).view(np.uint8))
    labels = np.asarray(found, np.int32)
    left, top, width, height, area = boxes.T
    inside = (left > 0) & (top > 0)
    inside &= (left + width < darker.shape[1]) & (top + height < darker.shape[0])
    is_bar = inside & (width >= LEAST_WIDE) & (height <= MOST_HIGH)
    is_bar &= area >= FILLED * width * height
    is_bar[np.unique(labels[darker > MOST])] = False
    return np.asarray(is_bar[labels], np.bool_)


def written_ones(bars: NDArray[np.bool_], strokes: Grey) -> NDArray[np.bool_]:
    """The bars with writing on them; ``strokes`` is by how much each place is darker than its bar.

    Shapes (H, W), as the result.
    """
    count, found = cv2.connectedComponents(bars.view(np.uint8))
    labels = np.asarray(found, np.int32)
    is_written = [False, *(has_strokes(strokes[labels == bar]) for bar in range(1, count))]
    return np.asarray(np.array(is_written)[labels], np.bool_)


def has_strokes(strokes: NDArray[np.uint8]) -> bool:
    """Whether enough of the places (n,) of a bar are darker than its grain makes them."""
    least = LEAST_STROKE + GRAINS * np.median(strokes)
    return bool(np.mean(strokes > least) >= WRITTEN)
