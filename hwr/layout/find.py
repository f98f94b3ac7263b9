"""From a page to its lines."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import TooManyLines
from hwr.layout.grid import FOLLOWED, PARTED, blurred, grid_of
from hwr.layout.ink import Grey, binarise
from hwr.layout.line import Line, Point
from hwr.layout.order import Box, reading_order
from hwr.layout.pieces import Ink
from hwr.layout.rules import remove_rules
from hwr.layout.scale import letter_height
from hwr.layout.shapes import Shape, extent, shape_of
from hwr.layout.skew import level, skew_of
from hwr.layout.strands import find_strands
from hwr.layout.zones import zones

#: Shorter side of the view in which lines are looked for, in pixels: Letter at 200 dpi.
VIEW_SIDE = 1700
#: Pages smaller than this (pixels) hold no line.
LEAST_SIDE = 8
#: Letters lower than this (pixels of the view) cannot be read.
LEAST_LETTER = 6.0
#: More lines than this are no page of handwriting.
MOST_LINES = 1000


def find_lines(image: Grey) -> tuple[Line, ...]:
    """Lines of a grey page of shape (H, W), in reading order; none on a blank page.

    Raises ``TooManyLines`` above ``MOST_LINES``.
    """
    if min(image.shape) < LEAST_SIDE:
        return ()
    view, scale = view_of(image)
    raw = binarise(view)
    slope = skew_of(raw)
    ink = remove_rules(level(raw, slope))
    shapes = shapes_in(ink)
    polygons = [to_page(shape.polygon, slope, scale, image.shape) for shape in shapes]
    baselines = [to_page(shape.baseline, slope, scale, image.shape) for shape in shapes]
    order = reading_order([box_of(shape) for shape in shapes])
    return tuple(
        Line(order=place, polygon=polygons[index], baseline=baselines[index])
        for place, index in enumerate(order)
    )


def view_of(image: Grey) -> tuple[Grey, float]:
    """The image no larger than the view, and its scale."""
    scale = min(VIEW_SIDE / min(image.shape), 1.0)
    if scale == 1.0:
        return image, scale
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def shapes_in(ink: Ink) -> list[Shape]:
    """Outlines and baselines of the lines in the black and white view."""
    letter = letter_height(ink)
    if letter < LEAST_LETTER:
        return []
    grid = grid_of(ink, letter)
    strands = find_strands(blurred(grid, FOLLOWED))
    if len(strands) > MOST_LINES:
        raise TooManyLines(
            f"The page has {len(strands)} lines, the limit is {MOST_LINES}. Split it."
        )
    near = blurred(grid, PARTED)
    reach = extent(ink, zones(strands, near), len(strands), letter)
    found = (shape_of(s, index, reach, near, letter) for index, s in enumerate(strands))
    return [shape for shape in found if shape is not None]


def to_page(
    curve: NDArray[np.float64], slope: float, scale: float, size: Sequence[int]
) -> tuple[Point, ...]:
    """Points of the levelled view in page pixels, inside the page."""
    x = np.clip(curve[:, 0] / scale, 0, size[1] - 1)
    y = np.clip((curve[:, 1] + slope * curve[:, 0]) / scale, 0, size[0] - 1)
    return tuple(zip(np.rint(x).astype(int).tolist(), np.rint(y).astype(int).tolist(), strict=True))


def box_of(shape: Shape) -> Box:
    left, top = shape.polygon.min(axis=0).tolist()
    right, bottom = shape.polygon.max(axis=0).tolist()
    return left, top, right, bottom
