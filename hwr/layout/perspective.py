"""The sheet on a photograph, which a camera sees from aside.

A sheet counts as photographed where all of its edges are seen before a darker background, and it
leans or narrows as no sheet in a scanner does. Everything else stays as it is.
"""

import cv2
import numpy as np

from hwr.layout.homography import Homography, Quad, corners, homography, rectified, sides
from hwr.layout.ink import Grey, reduced
from hwr.layout.sheet import SEARCH_SIDE, find_edges

#: The sheet is brighter than its background by so many grey levels.
LEAST_STEP = 40.0
#: Its edges are this far inside the picture, as a share of the picture's shorter side.
LEAST_INSIDE = 0.008
#: The background takes at least this share of the picture.
LEAST_BACKGROUND = 0.05
#: Degrees that a corner is off a right angle, or the sheet askew; a scan's sheet is neither.
LEAST_OFF, LEAST_ASKEW = 2.5, 6.0
#: No camera that was meant for reading makes a corner this far off.
MOST_OFF = 40.0
#: Nor a side so many times as long as the one opposite: that is where the light ends.
MOST_NARROWED = 1.6
#: Share of its width and height that is cut off the sheet on each side: its edge is a dark line.
EDGE = 0.004


def photographed_sheet(image: Grey) -> Quad | None:
    """Corners of the sheet on a grey photograph (H, W); None for anything else."""
    if min(image.shape) < SEARCH_SIDE:
        return None
    quad = find_edges(image)
    if quad is None or not (is_inside(quad, image) and leans(quad) and stands_out(quad, image)):
        return None
    return quad


def is_inside(quad: Quad, image: Grey) -> bool:
    """Whether the whole sheet is in the picture."""
    margin = LEAST_INSIDE * min(image.shape)
    far = np.array(image.shape[::-1]) - 1 - margin
    return bool((quad >= margin).all() and (quad <= far).all())


def leans(quad: Quad) -> bool:
    """Whether the sheet is seen from aside, or turned by more than lines are levelled."""
    edges = np.roll(quad, -1, axis=0) - quad
    directions = np.degrees(np.arctan2(edges[:, 1], edges[:, 0]))
    turned = (np.diff(directions, append=directions[0]) + 180) % 360 - 180
    off = float(np.abs(turned - 90).max())
    askew = float(np.abs((directions + 45) % 90 - 45).min())
    lengths = np.linalg.norm(edges, axis=1)
    narrowed = float(np.exp(np.abs(np.log(lengths / np.roll(lengths, 2))).max()))
    if off > MOST_OFF or narrowed > MOST_NARROWED:
        return False
    return off >= LEAST_OFF or askew >= LEAST_ASKEW


def stands_out(quad: Quad, image: Grey) -> bool:
    """Whether the sheet is clearly brighter than what lies around it."""
    factor = -(-max(image.shape) // SEARCH_SIDE)
    small = reduced(image, factor)
    sheet = np.zeros_like(small)
    cv2.fillConvexPoly(sheet, np.rint(quad / factor).astype(np.int32), 1)
    around = small[sheet == 0]
    if len(around) < LEAST_BACKGROUND * small.size:
        return False
    # Of the background the brighter part: one bright thing beside the sheet makes it doubtful.
    step = np.median(small[sheet > 0]) - np.percentile(around, 75)
    return bool(step >= LEAST_STEP)


def flattened(image: Grey, quad: Quad) -> tuple[Grey, Homography]:
    """The sheet as if seen from straight above, and what takes its pixels to those of the page."""
    quad = quad + (quad.mean(axis=0) - quad) * 2 * EDGE
    width, height = sides(quad)
    size = round(width), round(height)
    to_page = homography(corners(*size), quad)
    return rectified(image, to_page, size), to_page
