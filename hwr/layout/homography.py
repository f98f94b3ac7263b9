"""Homographies: what takes one flat view of a sheet to another, and pictures and points along."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Grey

#: float64 (4, 2): x, y of top left, top right, bottom right, bottom left in page pixels.
Quad = NDArray[np.float64]
#: float64 (3, 3).
Homography = NDArray[np.float64]


def corners(width: float, height: float) -> Quad:
    """Corners of a view of that size."""
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def sides(quad: Quad) -> tuple[float, float]:
    """Width and height of a sheet: the longer of its sides that face each other, 1 at least."""
    top, right, bottom, left = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1).tolist()
    return max(top, bottom, 1.0), max(left, right, 1.0)


def homography(source: Quad, target: Quad) -> Homography:
    """What takes one quadrilateral to another."""
    taken = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    return np.asarray(taken, np.float64)


def translation(x: float, y: float) -> Homography:
    """What moves points by so much to the right and down."""
    return np.array([(1, 0, x), (0, 1, y), (0, 0, 1)], np.float64)


def mapped(points: NDArray[Any], transform: Homography) -> NDArray[np.float64]:
    """Points (n, 2) taken elsewhere by a homography."""
    taken = cv2.perspectiveTransform(np.asarray(points, np.float64)[None], transform)
    return np.asarray(taken[0], np.float64)


def rectified(image: Grey, to_page: Homography, size: tuple[int, int]) -> Grey:
    """A view of ``size`` (width, height) whose pixels ``to_page`` takes to those of the image.

    Grey, shape (height, width); white where the image ends.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpPerspective(image, to_page, size, flags=flags, borderValue=255)
    return np.asarray(view, np.uint8)
