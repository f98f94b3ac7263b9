"""Streaks that dirt on a scanner's glass draws down the whole picture, upright to the pixel.

They look like the rules that part columns, but writing runs on across them.
"""

import cv2
import numpy as np

from hwr.layout.ink import Grey

#: A streak is narrower than this share of the picture's width,
WIDEST = 1 / 300
#: and darker than what lies beside it by so many grey levels,
LEAST_DARK = 25
#: in this share of the rows at least, of which one in so many is looked at. A printed rule ends
#: before, or leans by a pixel or two.
LEAST_ROWS, EVERY = 0.98, 8
#: The paper is the same on both sides but for so many grey levels, else it is an edge of the sheet.
MOST_APART = 12
#: Lower pictures may be a field cut from a scan, with a rule or a letter down all of it.
LEAST_HEIGHT = 600
#: More than these are the rules of squared paper.
MOST_STREAKS = 8
#: So many columns beside a streak are dark in part.
EDGE = 1


def without_streaks(image: Grey) -> Grey:
    """The grey picture (H, W) as it is, or with streaks filled from what lies on both sides."""
    streaks = streaks_of(image)
    if not 0 < len(streaks) <= MOST_STREAKS:
        return image
    mended = image.copy()
    for before, after in streaks:
        share = np.linspace(0, 1, after - before + 1, dtype=np.float32)
        left, right = image[:, before, None], image[:, after, None]
        mended[:, before : after + 1] = np.rint(left * (1 - share) + right * share)
    return mended


def streaks_of(image: Grey) -> list[tuple[int, int]]:
    """The columns of paper before and after each streak."""
    height, width = image.shape
    if height < LEAST_HEIGHT:
        return []
    light = np.percentile(image[::EVERY], 100 * LEAST_ROWS, axis=0).astype(int)
    window = np.ones((1, max(round(WIDEST * width), 3)), np.uint8)
    around = cv2.morphologyEx(light[None].astype(np.uint8), cv2.MORPH_CLOSE, window)[0]
    edges = np.flatnonzero(np.diff(around - light >= LEAST_DARK, prepend=False, append=False))
    sides = edges.reshape(-1, 2) + np.array([-1 - EDGE, EDGE])
    return [
        (int(before), int(after))
        for before, after in sides
        if before >= 0 and after < width and abs(light[before] - light[after]) <= MOST_APART
    ]
