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
#: Writing goes on across streaks in this share of its rows at least, else they are rules that part
#: the columns of a register whose page was cut out. It is looked for in this share of the width to
#: both sides, is so many grey levels darker than its paper, and no higher than this share of all.
LEAST_CROSSED, BESIDE, LEAST_INK, LOWER = 0.03, 1 / 40, 20, 1 / 20
#: A row of which so much is dark is a level rule, with so many rows around it.
LEVEL, AROUND = 0.6, 5
#: So many columns beside a streak are dark in part.
EDGE = 1


def without_streaks(image: Grey) -> Grey:
    """The grey picture (H, W) as it is, or with streaks filled from what lies on both sides."""
    streaks = streaks_of(image)
    if not 0 < len(streaks) <= MOST_STREAKS or not are_crossed(image, streaks):
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


def are_crossed(image: Grey, streaks: list[tuple[int, int]]) -> bool:
    """Whether writing takes no notice of the streaks."""
    written, crossed = np.sum([rows_across(image, *streak) for streak in streaks], axis=0)
    return bool(crossed > LEAST_CROSSED * written)


def rows_across(image: Grey, before: int, after: int) -> tuple[int, int]:
    """In how many rows there is writing near a streak, and in how many it goes on across it."""
    side = max(round(BESIDE * image.shape[1]), 1)
    start = max(before - side, 0)
    # Grain is as dark as faint writing, but not in three rows.
    near = cv2.blur(image[:, start : after + side], (1, 3))
    window = np.ones((round(LOWER * len(image)), 1), np.uint8)
    paper = cv2.morphologyEx(near, cv2.MORPH_CLOSE, window)
    ink = cv2.subtract(paper, near) >= LEAST_INK
    level = (ink.mean(axis=1) >= LEVEL).astype(np.uint8)[:, None]
    ink &= cv2.dilate(level, np.ones((AROUND, 1), np.uint8)) == 0
    across = ink[:, before - start] & ink[:, after - start]
    return int(np.count_nonzero(ink.any(axis=1))), int(np.count_nonzero(across))
