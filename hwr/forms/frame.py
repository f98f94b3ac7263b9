"""A printed frame, of a box or a comb, seen level."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.forms.sheet import FlatSheet
from hwr.layout.homography import Homography, corners, homography, rectified, translation
from hwr.layout.ink import Grey

#: Height of a frame in its view, in pixels.
HEIGHT = 64
#: Percentile of the greys in the view that is paper.
PAPER_SHARE = 80


def frame_view(
    image: Grey, frame: NDArray[np.float64], *, widest: int, beside: int, above: int
) -> FlatSheet:
    """A frame of a grey page (H, W), HEIGHT and at most `widest` pixels large, seen level.

    `frame` is in page pixels, (4, 2), clockwise from the top left. So many pixels more are seen
    `beside` it on both sides, and `above` and below it; where they are negative, so many fewer.
    """
    width, height = (float(np.linalg.norm(frame[at] - frame[0])) for at in (1, 3))
    wide = min(max(round(HEIGHT * width / max(height, 1.0)), 1), widest)
    to_page = homography(corners(wide, HEIGHT), frame) @ translation(-beside, -above)
    size = max(wide + 2 * beside, 1), HEIGHT + 2 * above
    paper = _paper(image, to_page, size)
    dark = np.clip(255 - 255 / paper * rectified(image, to_page, size), 0, 255)
    return FlatSheet(dark=dark.astype(np.uint8), to_page=to_page)


def _paper(image: Grey, to_page: Homography, size: tuple[int, int]) -> float:
    """Grey of the paper in a view, where the picture ends that of its edge."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpPerspective(image, to_page, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return max(float(np.percentile(view, PAPER_SHARE)), 1.0)
