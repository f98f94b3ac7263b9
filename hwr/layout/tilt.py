"""How far a page is turned out of the level, from the rhythm of its lines.

Lines of writing come at even distances, and so do the columns of what lies on its side: in the
power spectrum of the page they stand out in the direction across the lines, whatever that is.
"""

from functools import cache
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.faint import ink_of
from hwr.layout.homography import Homography
from hwr.layout.ink import Grey, reduced, without_shadows
from hwr.layout.orientation import FULL, are_lines, ink_without_rules, profiles_both_ways

#: The page is looked at as if its longer side had at most so many pixels.
SIDE = 512
#: A page with a shorter side holds no lines whose rhythm could be seen.
LEAST_SIDE = 128
#: Lines lie so far apart, in those pixels.
DISTANCES = (9.0, 70.0)
#: Differences from the paper smaller than this are its grain.
GRAIN = 15.0
#: Degrees to both sides of level and of upright: less than the first is levelled when lines are
#: looked for, more than the second says nothing.
LEAST, MOST = 7, 35
#: How many times stronger a rhythm is than that of level and upright lines for the page to be
#: turned. The strongest of 45 real pages as they came has 0.5, the weakest of them turned by 12
#: degrees 2.4.
LEAST_STRONGER = 1.3
#: Weights with which neighbouring degrees are meaned.
SMOOTHING = np.array([1, 2, 3, 2, 1]) / 9


def levelled(image: Grey) -> tuple[Grey, Homography] | None:
    """The grey page (H, W) with its lines made level, and the way back; None if they nearly are."""
    tilt = tilt_of(image)
    if tilt == 0:
        return None
    view, to_page = rotated(image, tilt)
    return (view, to_page) if are_lines(*profiles_both_ways(ink_without_rules(view))) else None


def tilt_of(image: Grey) -> int:
    """Degrees by which lines of the grey page (H, W) fall to the right, or what lies on its side.

    0 unless they fall or rise by more than ``LEAST`` degrees, and clearly so.
    """
    if min(image.shape) < LEAST_SIDE:
        return 0
    strength = rhythm(image)
    degrees = (np.arange(180) + 45) % 90 - 45
    tilted = (np.abs(degrees) >= LEAST) & (np.abs(degrees) <= MOST)
    strongest = int(np.where(tilted, strength, 0.0).argmax())
    level = float(strength[np.abs(degrees) < LEAST].max())
    if strength[strongest] <= LEAST_STRONGER * level:
        return 0
    return int(degrees[strongest])


def rotated(image: Grey, tilt: int) -> tuple[Grey, Homography]:
    """The page with lines that fall by so many degrees made level, and its way back to the page."""
    height, width = image.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = ceil(height * sin + width * cos), ceil(height * cos + width * sin)
    turn[:, 2] += np.array(size) / 2 - (width / 2, height / 2)
    paper = float(np.median(image))
    view = cv2.warpAffine(image, turn, size, flags=cv2.INTER_LINEAR, borderValue=paper)
    return np.asarray(view, np.uint8), np.linalg.inv(np.vstack([turn, (0, 0, 1)]))


def rhythm(image: Grey) -> NDArray[np.float64]:
    """Power of the page's ink in each direction, (180,): at 0 of level lines, then falling ones."""
    factor = ceil(max(image.shape) / SIDE)
    # The edge of a shadow is one strong line, and has no rhythm.
    dark = without_shadows(ink_of(reduced(image, factor)))
    ink = np.where(dark < GRAIN, 0.0, np.minimum(dark, FULL)).astype(np.float32)
    # So that the picture's edges have no direction.
    window = cv2.createHanningWindow(ink.shape[::-1], cv2.CV_32F) if min(ink.shape) > 1 else 0 * ink
    ink = (ink - np.average(ink, weights=window + 1e-9)) * window
    power = np.square(np.abs(np.fft.rfft2(ink, (SIDE, SIDE))))
    across, degree = _directions()
    strength = np.bincount(degree, power[across], 180) / np.maximum(np.bincount(degree), 1)
    around = np.concatenate([strength[-2:], strength, strength[:2]])
    return np.convolve(around, SMOOTHING, "valid")


@cache
def _directions() -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Which places of the spectrum are of lines so far apart, and by how many degrees they fall."""
    down, right = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")
    frequency = np.hypot(down, right)
    least, most = DISTANCES
    across = (frequency > 1 / most) & (frequency < 1 / least)
    degrees = np.degrees(np.arctan2(down[across], right[across])) - 90
    return across, np.rint(degrees).astype(np.intp) % 180
