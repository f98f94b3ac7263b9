"""A form's print on a page in the form's frame, and the page without it.

The frame is right to a few pixels; the print of each part of the page is moved to where its ink
is, so that no more than the print is taken away.
"""

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Grey, Ink, brightness_of
from hwr.layout.rules import bridges

#: The frame is off by this at most, in parts of the form's longer side.
SPREAD = 1 / 600
#: Print of another run is off its place by this at most: a millimetre on A4.
RUN = 1 / 280
#: Sides of the parts of a page whose print is moved alike: as a share of its longer side, and in
#: pixels at least.
PART, LEAST_PART = 1 / 24, 96
#: Of two places with as much ink the nearer one is taken: a rule fits all along itself. Share of
#: the print that the farthest place to a side loses; nearer ones lose by the square of their way.
DISTANCE_COST = 0.1


def spread(ink: Ink) -> Ink:
    """Ink (h, w), and wherever it may be if its frame is not exact."""
    return _widened(ink, _reach(ink, SPREAD))


def without_form_print(view: Grey, ink: Ink, printed: Ink) -> Grey:
    """A page (h, w) in the form's frame, with `ink`, without what the form says is `printed`.

    Strokes that cross print stay whole.
    """
    mask = _widened(_settled(printed, ink), 1)
    crossed = ink & bridges(ink & (1 - mask))
    dropped = (mask & (1 - crossed)).astype(bool)
    return np.where(dropped, brightness_of(view), view).astype(np.uint8)


def _reach(ink: Ink, share: float) -> int:
    side: int = max(ink.shape)
    return max(round(side * share), 1)


def _widened(ink: Ink, reach: int) -> Ink:
    return np.asarray(cv2.dilate(ink, np.ones((2 * reach + 1,) * 2, np.uint8)), np.uint8)


def _settled(printed: Ink, ink: Ink) -> Ink:
    """The print with each of its parts where most of it lies on ink."""
    reach = _reach(ink, RUN) + 1
    around = np.pad(ink, reach).astype(np.float32)
    settled = np.zeros(around.shape, np.uint8)
    side = max(round(PART * max(ink.shape)), LEAST_PART)
    for y, x in product(*(range(0, length, side) for length in printed.shape)):
        part = printed[y : y + side, x : x + side]
        if part.any():
            height, width = part.shape
            room = around[y : y + height + 2 * reach, x : x + width + 2 * reach]
            top, left = np.add((y, x), _best_place(part, room))
            settled[top : top + height, left : left + width] |= part
    return settled[reach:-reach, reach:-reach]


def _best_place(part: Ink, around: NDArray[np.float32]) -> tuple[int, int]:
    """Row and column in `around`, larger by the same to all sides, where print (h, w) fits best."""
    fit = cv2.matchTemplate(around, part.astype(np.float32), cv2.TM_CCORR) / part.sum()
    away = np.linspace(-1, 1, len(fit))
    fit -= DISTANCE_COST * (away[:, None] ** 2 + away[None] ** 2)
    y, x = divmod(int(fit.argmax()), len(fit))
    return y, x
