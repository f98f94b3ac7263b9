"""Lines by classic means: ink is blurred along the lines, and its maxima are followed."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import TooManyLines
from hwr.layout.grid import FOLLOWED, PARTED, blurred, grid_of
from hwr.layout.ink import Grey, binarise
from hwr.layout.line import MOST_LINES, Outline
from hwr.layout.pieces import Ink
from hwr.layout.rules import remove_rules
from hwr.layout.scale import letter_height
from hwr.layout.shapes import Shape, extent, shape_of
from hwr.layout.skew import level, skew_of
from hwr.layout.strands import find_strands
from hwr.layout.zones import zones

#: Shorter side of the view in which lines are looked for, in pixels: Letter at 200 dpi.
VIEW_SIDE = 1700
#: Letters lower than this (pixels of the view) cannot be read.
LEAST_LETTER = 6.0


def classic_outlines(image: Grey) -> list[Outline]:
    """Outlines of the lines of a grey page, in no order. Raises ``TooManyLines``."""
    view, scale = view_of(image)
    raw = binarise(view)
    slope = skew_of(raw)
    shapes = shapes_in(remove_rules(level(raw, slope)))
    return [
        Outline(
            polygon=to_page(shape.polygon, slope, scale),
            baseline=to_page(shape.baseline, slope, scale),
        )
        for shape in shapes
    ]


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


def to_page(curve: NDArray[np.float64], slope: float, scale: float) -> NDArray[np.float64]:
    """Points of the levelled view in page pixels."""
    return np.stack([curve[:, 0], curve[:, 1] + slope * curve[:, 0]], axis=1) / scale
