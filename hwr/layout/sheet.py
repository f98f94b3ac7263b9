"""A sheet of paper before a background: its corners."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.homography import Quad
from hwr.layout.ink import Grey, reduced

#: The sheet's edges are looked for on a picture whose longer side is at most this, in pixels.
SEARCH_SIDE = 480
#: Ink is narrower than so many pixels of that picture; the paper closes over it.
WIDEST_INK = 13
#: Share of the picture's rim that must not be the sheet, else the sheet fills the picture: what is
#: cut off wrongly from a page of free text is lost.
LEAST_RIM = 0.6
#: A sheet covers at least this share of the picture.
LEAST_SHEET = 0.12
#: Share of its quadrilateral that a sheet fills.
LEAST_FILL = 0.93
#: Grey levels between sheet and background.
LEAST_STEP = 10.0
#: Logarithm of the light of each grey, (256,); below that step it is noise.
LIGHT = np.log1p(np.arange(256) / LEAST_STEP)
#: Share of its outline in the picture that is an edge by that step.
LEAST_EDGE = 0.75
#: An edge goes over from sheet to background in less than so many pixels of that picture.
EDGE_WINDOW = np.ones((7, 7), np.uint8)
#: It is steepest in its middle, where the sheet ends: by that the outline is chosen of those that
#: stand out nearly as far as any.
MIDDLE_WINDOW = np.ones((3, 3), np.uint8)
NEARLY = 0.98
#: Grey levels between the levels at which sheet and background are parted.
LEVEL_STEP = 4


def find_edges(image: Grey, least_rim: float = LEAST_RIM) -> Quad | None:
    """Corners of the sheet on a grey page (H, W) whose edges stand out from what lies around it.

    `least_rim` is the share of the picture's rim that must not be the sheet.
    """
    factor = -(-max(image.shape) // SEARCH_SIDE)
    edges = _edges(reduced(image, factor), least_rim)
    return None if edges is None else (edges + 0.5) * factor - 0.5


def _edges(small: Grey, least_rim: float) -> Quad | None:
    """Corners of the sheet whose outline stands out most from what lies around it.

    No one level parts sheet from ground where the light falls from aside or a shadow lies on them:
    at some levels the outline is then that of the light, which is softer, or not as deep.
    """
    if min(small.shape) < 2 * WIDEST_INK:
        return None
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (WIDEST_INK, WIDEST_INK))
    closed = np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, window), np.uint8)
    paper = np.asarray(cv2.medianBlur(closed, 5), np.uint8)
    is_edge = _step(paper, EDGE_WINDOW) >= LEAST_STEP
    found = list(_standing_out(paper, np.where(is_edge, _depth(paper, EDGE_WINDOW), 0), least_rim))
    if not found:
        return None
    most = max(far for far, _, _ in found)
    steep = np.where(is_edge, _depth(paper, MIDDLE_WINDOW), 0)
    near = [(outline, quad) for far, outline, quad in found if far >= NEARLY * most]
    outline, quad = max(near, key=lambda one: _standing(one[0], steep))
    return _fitted(quad, np.asarray(outline, np.float64))


def _standing_out(
    paper: Grey, depth: NDArray[np.float64], least_rim: float
) -> Iterator[tuple[float, NDArray[np.int32], Quad]]:
    """Outlines that may be a sheet's: how far they stand out, and their rough corners.

    Those are left out that stand out less than an earlier one by more than is near.
    """
    most = 0.0
    for level in range(int(paper.min()), int(paper.max()), LEVEL_STEP):
        outline = _outline(np.asarray(paper > level, np.uint8), least_rim)
        if outline is None or (far := _standing(outline, depth)) == 0 or far < NEARLY * most:
            continue
        if (quad := _quad(outline, paper.size)) is not None:
            most = max(most, far)
            yield far, outline, quad


def _step(paper: Grey, window: NDArray[np.uint8]) -> Grey:
    """Grey levels between the brightest and the darkest around each pixel."""
    return np.asarray(cv2.dilate(paper, window) - cv2.erode(paper, window), np.uint8)


def _depth(paper: Grey, window: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The same as a ratio of light: a shadow across an edge takes equally much from both sides."""
    bright, dark = cv2.dilate(paper, window), cv2.erode(paper, window)
    return np.asarray(LIGHT[bright] - LIGHT[dark], np.float64)


def _standing(outline: NDArray[np.int32], depth: NDArray[np.float64]) -> float:
    """How far an outline stands out, all along; 0 where it is no edge, or the picture's."""
    height, width = depth.shape
    x, y = outline.T
    seen = (x > 0) & (y > 0) & (x < width - 1) & (y < height - 1)
    along = depth[y[seen], x[seen]]
    if not len(along) or (along > 0).mean() < LEAST_EDGE:
        return 0.0
    return float(along.sum())


def _outline(bright: Grey, least_rim: float) -> NDArray[np.int32] | None:
    """Of the sheet, which is `bright` or, if that is not in its middle, what is not."""
    high, wide = (side // 4 for side in bright.shape)
    sheet = bright if bright[high:-high, wide:-wide].mean() > 0.5 else 1 - bright
    rim = np.concatenate([sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1]])
    if (rim == 0).mean() < least_rim:
        return None
    outlines, _ = cv2.findContours(sheet, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(max(outlines, key=cv2.contourArea), np.int32).reshape(-1, 2)


def _quad(outline: NDArray[np.int32], page_size: int) -> Quad | None:
    """Rough corners of an outline, where it is a quadrilateral large enough for the page."""
    hull = cv2.convexHull(outline)
    if cv2.contourArea(hull) < LEAST_SHEET * page_size:
        return None
    few = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True)
    rough = few if len(few) == 4 else cv2.boxPoints(cv2.minAreaRect(hull))
    quad = _ordered(np.asarray(rough, np.float64).reshape(4, 2))
    filled = cv2.contourArea(outline) / max(cv2.contourArea(quad.astype(np.float32)), 1.0)
    if not LEAST_FILL <= filled <= 2 - LEAST_FILL:
        return None
    return quad


def _fitted(quad: Quad, outline: NDArray[np.float64]) -> Quad:
    """The corners where lines through the outline's sides meet: those of the mask are rounded."""
    sides = [
        _side(start, end, outline) for start, end in zip(quad, np.roll(quad, -1, 0), strict=True)
    ]
    met = [_meeting(before, side) for before, side in zip([sides[-1], *sides], sides, strict=False)]
    # Of a sheet a corner of which lies outside of the picture.
    near = all(np.hypot(*(one - other)) < WIDEST_INK for one, other in zip(met, quad, strict=True))
    return np.array(met) if near else quad


def _side(
    start: NDArray[np.float64], end: NDArray[np.float64], outline: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A point on the side and its direction, from the outline between its corners."""
    along = (end - start) / np.hypot(*(end - start))
    away = outline - start
    place = away @ along / np.hypot(*(end - start))
    beside = np.abs(away @ np.array([-along[1], along[0]])) < WIDEST_INK / 2
    chosen = outline[beside & (place > 0.1) & (place < 0.9)]
    if len(chosen) < 2:
        return np.stack([start, along])
    dx, dy, x, y = cv2.fitLine(chosen.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    return np.array([(x, y), (dx, dy)], np.float64)


def _meeting(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where two lines meet that are each a point and a direction; far away for parallels."""
    steps = np.stack([one[1], -other[1]], axis=1)
    if abs(np.linalg.det(steps)) < 1e-6:
        return np.full(2, np.inf)
    step = np.linalg.solve(steps, other[0] - one[0])[0]
    return np.asarray(one[0] + step * one[1], np.float64)


def _ordered(quad: Quad) -> Quad:
    """Clockwise from the top left, for a sheet that is roughly upright."""
    middle = quad.mean(axis=0)
    around = np.argsort(np.arctan2(quad[:, 1] - middle[1], quad[:, 0] - middle[0]))
    turned = quad[around]
    return np.roll(turned, -int(np.argmin(turned.sum(axis=1))), axis=0)
