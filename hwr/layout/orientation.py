"""Which way up a page lies, from the shape of its writing alone.

Lines of writing make the ink of rows rise and fall much more than that of columns: that tells pages
that lie on their side. Letters stand sharply on their baseline and reach above their middle in
ascenders and capitals more often than below it: ink falls off more steeply below a line than it
rises above it. The cube of the slopes' sum therefore has a sign that turns round with the page
(compare R. S. Caprari, "Algorithm for text page up/down orientation determination", Pattern
Recognition Letters 21, 2000). Nothing is turned unless the page says so clearly.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.faint import ink_of
from hwr.layout.ink import Grey, reduced
from hwr.layout.runs import level_runs, upright_runs

#: The page is looked at as if it had so many pixels, squared: small letters are 5 to 10 of them.
VIEW_SIDE = 600
#: Ink is so much darker than its paper, of 255.
LEAST_DARKNESS = 30
#: Straight runs of ink at least this long (pixels of the view) are rules, not letters.
SHORTEST_RULE = 37
#: Over so many pixels along a faint rule the paper's grain is meaned.
RULE_GRAIN = 5
#: Pixels of the view across which the ink of a row is summed: slopes do no harm within them.
STRIP = 48
#: Blurs (standard deviations, pixels of the view) between which lines of writing come and go.
LINES = (1.5, 12.0)
#: Blur of the profile whose slopes are compared, in pixels of the view.
EDGE_BLUR = 0.5
#: Darkness of a row of a strip, of 255, above which more means nothing.
FULL = 76.0
#: A page lies on its side where its columns vary more than its rows by this factor (logarithm).
LEAST_SIDEWAYS = 0.5
#: Which way its head is says a lean of the slopes this far to one side, -1 to 1.
LEAST_LEAN = 0.08
#: Writing makes rows or columns vary at least so much; noise and shadows do not.
LEAST_VARIATION = 3.0
#: Fewer pieces of strips with writing than this say nothing about it.
LEAST_PIECES = 12
#: Their lean differs from nothing by so many standard errors on a page that lies on its side, and
#: on one whose lines run level, which rarely stands on its head.
SIDE_SURENESS, HEAD_SURENESS = 1.5, 2.0

#: float32 (rows, strips): mean darkness of the pixels of a row within each strip.
Profiles = NDArray[np.float32]


def quarter_turns(image: Grey) -> int:
    """Clockwise quarter turns that bring a grey page (H, W) upright, 0 to 3; 0 where unsure."""
    dark = ink_without_rules(image)
    if min(dark.shape) < 2 * STRIP:
        return 0
    rows, columns = profiles_both_ways(dark)
    if not are_lines(rows, columns):
        return 0
    lies = sideways(rows, columns) >= LEAST_SIDEWAYS
    lean, sureness = leaning(columns if lies else rows)
    if abs(lean) < LEAST_LEAN or sureness < (SIDE_SURENESS if lies else HEAD_SURENESS):
        return 0
    if lies:
        return 1 if lean > 0 else 3
    return 0 if lean > 0 else 2


def ink_without_rules(image: Grey) -> Grey:
    """How much darker than its paper the ink is on the view, without rules, uint8 (h, w)."""
    factor = max(round(float(np.sqrt(image.size)) / VIEW_SIDE), 1)
    dark = ink_of(reduced(image, factor))
    ink = (dark > LEAST_DARKNESS).astype(np.uint8)
    across = cv2.dilate(level_runs(ink, SHORTEST_RULE), np.ones((3, 1), np.uint8))
    down = cv2.dilate(upright_runs(ink, SHORTEST_RULE), np.ones((1, 3), np.uint8))
    dark[cv2.bitwise_or(across, down) > 0] = 0
    return np.asarray(
        cv2.subtract(dark, cv2.max(faint_rules(dark, 1), faint_rules(dark, 0))), np.uint8
    )


def faint_rules(dark: Grey, axis: int) -> Grey:
    """How dark the rules along an axis are, however faint, shape as ``dark``."""
    along, smooth = [1, 1], [1, 1]
    along[axis], smooth[axis] = SHORTEST_RULE, RULE_GRAIN
    even = cv2.blur(dark, tuple(smooth[::-1]))
    return np.asarray(cv2.morphologyEx(even, cv2.MORPH_OPEN, np.ones(along, np.uint8)), np.uint8)


def profiles_both_ways(dark: Grey) -> tuple[Profiles, Profiles]:
    """The ink of rows and that of columns."""
    return profiles(dark), profiles(np.asarray(cv2.transpose(dark), np.uint8))


def are_lines(rows: Profiles, columns: Profiles) -> bool:
    """Whether rows or columns come and go as lines of writing do; those of a halftone do not."""
    return max(variation(rows), variation(columns)) >= LEAST_VARIATION


def profiles(dark: Grey) -> Profiles:
    """The ink of rows, strip by strip."""
    count = dark.shape[1] // STRIP
    narrow = cv2.resize(
        dark[:, : count * STRIP].astype(np.float32),
        (count, dark.shape[0]),
        interpolation=cv2.INTER_AREA,
    )
    return np.minimum(narrow, np.float32(FULL))


def sideways(rows: Profiles, columns: Profiles) -> float:
    """Logarithm of how much more columns vary than rows do; 0 on an empty page."""
    return float(np.log((variation(columns) + 1e-3) / (variation(rows) + 1e-3)))


def variation(profile: Profiles) -> float:
    """How much the profile varies as lines of writing make it, a pixel."""
    fine, coarse = (along(profile, sigma) for sigma in LINES)
    return float(np.square(fine - coarse).mean())


def leaning(profile: Profiles) -> tuple[float, float]:
    """How far slopes lean to a page that is upright, -1 to 1, and in standard errors."""
    slope = np.diff(along(profile, EDGE_BLUR), axis=0)
    pieces = slope[: len(slope) // STRIP * STRIP].reshape(-1, STRIP, slope.shape[1])
    lean, most = -(pieces**3).sum(axis=1).ravel(), (np.abs(pieces) ** 3).sum(axis=1).ravel()
    if np.count_nonzero(most) < LEAST_PIECES:
        return 0.0, 0.0
    error = float(np.sqrt(np.square(lean - lean.mean()).sum()))
    return float(lean.sum() / most.sum()), float(abs(lean.sum())) / max(error, 1e-9)


def along(profile: Profiles, sigma: float) -> Profiles:
    """The profile blurred down its strips."""
    return np.asarray(cv2.GaussianBlur(profile, (1, 0), 1e-3, sigmaY=sigma), np.float32)
