"""Pictures of single lines as people give them: light on dark, sloping, with paper around."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.ink import Ink, reduced
from hwr.layout.polarity import dark_on_light
from hwr.layout.skew import STEEPEST, skew_of
from hwr.model.line_image import LINE_HEIGHT, MIN_SIDE, Grey, as_grey, normalise_line

#: Polarity and writing are looked for on pictures about so many pixels high.
_HIGH, _TRIMMED_HIGH = LINE_HEIGHT, 2 * LINE_HEIGHT
#: A row or column at the edge of which this share is dark is no paper.
_SOLID = 0.9
#: What is so many grey levels darker or lighter than most of the picture is no paper.
_EDGE_STEP = 64
#: Ink is darker than paper by this many grey levels, and by this share of the darkest ink.
_LEAST_STEP, _STEP_SHARE = 24.0, 0.4
#: Writing is as high as this share of the tallest writing; what is less is specks and dots.
_LEAST_HEIGHT = 0.3
#: Writing of fewer rows would be all blur when enlarged.
_LEAST_WRITING = 6
#: What is so many times wider than high, or higher than wide, is a rule.
_RULE = 12
#: Rows are cut off where those above and below the writing are this share of the picture's height.
_MOST_EMPTY = 0.25
#: Paper that stays above and below, as a share of the writing's height: accents stand in it.
_MARGIN = 0.1
#: Lines that fall or rise by less (rows a column, about a degree) are read as well as they are.
_LEAST_SLOPE = 0.02
#: Neither single letters have a slope, nor what no line is: width divided by height.
_SLOPING = (3, 40)
#: Levelled pictures need not be higher than this, and what they need of memory is bounded.
_LEVEL_HIGH = 4 * LINE_HEIGHT


def views_of(image: NDArray[Any]) -> tuple[Grey, ...]:
    """What `normalise_line` makes of a picture that somebody else has cut.

    Where much of its height is empty, or the line slopes, it comes as it is and once more each
    way that may read better, without the empty rows and levelled: some hands are read better so and
    some so, and a reader is surer of what it reads well.

    Raises:
        BadLineImage: the array is not such a picture.
    """
    grey = _without_edges(as_grey(image))
    grey = dark_on_light(grey, -(-grey.shape[0] // _HIGH))
    ink = small_ink(grey)
    cut, level = trimmed(grey, ink), levelled(grey, ink)
    views = [grey]
    if cut is not grey:
        views.append(cut)
    if level is not grey:
        views.append(trimmed(level, small_ink(level)))
    return tuple(map(normalise_line, views))


def levelled(grey: Grey, ink: Ink) -> Grey:
    """A line (H, W) with its columns moved so that it is level; the same where it is.

    `ink` is that of a smaller view, as `small_ink` gives it.
    """
    height, width = grey.shape
    if not _SLOPING[0] <= width / height <= _SLOPING[1]:
        return grey
    room = math.ceil(STEEPEST * ink.shape[1])
    slope = skew_of(np.pad(ink, ((room, room), (0, 0)))) if ink.any() else 0.0
    return grey if abs(slope) < _LEAST_SLOPE else _moved(grey, slope)


def _moved(grey: Grey, slope: float) -> Grey:
    factor = max(grey.shape[0] // _LEVEL_HIGH, 1)
    grey = reduced(grey, factor)
    height, width = grey.shape
    drop = math.ceil(abs(slope) * width)
    up = np.array([[1, 0, 0], [-slope, 1, max(math.copysign(drop, slope), 0)]])
    paper = float(np.median(grey))
    return np.asarray(cv2.warpAffine(grey, up, (width, height + drop), borderValue=paper), np.uint8)


def trimmed(grey: Grey, ink: Ink) -> Grey:
    """A line (H, W) without its empty rows; the same where there are few. `ink` as `levelled`'s."""
    factor = _factor(grey)
    top, bottom = _writing(ink)
    top, bottom = factor * top, min(factor * bottom, grey.shape[0])
    empty = grey.shape[0] - (bottom - top)
    if empty <= _MOST_EMPTY * grey.shape[0] or bottom - top < _LEAST_WRITING:
        return grey
    margin = round(_MARGIN * (bottom - top))
    return grey[max(top - margin, 0) : bottom + margin]


def _without_edges(grey: Grey) -> Grey:
    factor = _factor(grey)
    small = reduced(grey, factor)
    is_other = np.abs(np.median(small) - small) > _EDGE_STEP
    rows, columns = (_inside(is_other.mean(axis=axis) < _SOLID) for axis in (1, 0))
    inside = grey[_scaled(rows, factor, len(small)), _scaled(columns, factor, small.shape[1])]
    return inside if min(inside.shape) >= MIN_SIDE else grey


def _inside(is_paper: NDArray[np.bool_]) -> tuple[int, int]:
    """From the first place with paper to behind the last."""
    places = np.flatnonzero(is_paper)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, len(is_paper))


def _scaled(places: tuple[int, int], factor: int, size: int) -> slice:
    start, stop = places
    return slice(start * factor, None if stop == size else stop * factor)


def _writing(ink: Ink) -> tuple[int, int]:
    """First row with writing and the one behind the last; (0, 0) where there is none."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    if count == 1:
        return 0, 0
    _, top, width, height, _ = stats[1:].T
    is_writing = (width < _RULE * height) & (height < _RULE * width)
    is_writing &= height >= _LEAST_HEIGHT * np.max(height, where=is_writing, initial=0)
    if not is_writing.any():
        return 0, 0
    return int(top[is_writing].min()), int((top + height)[is_writing].max())


def _factor(grey: Grey) -> int:
    return -(-len(grey) // _TRIMMED_HIGH)


def small_ink(grey: Grey) -> Ink:
    """The ink of a dark line on light paper, in the view smaller by `_factor`."""
    small = reduced(grey, _factor(grey))
    darkness = np.median(small) - small
    step = max(_LEAST_STEP, _STEP_SHARE * float(np.percentile(darkness, 99.5)))
    return (darkness > step).astype(np.uint8)
