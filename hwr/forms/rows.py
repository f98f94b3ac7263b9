"""What goes on over several lines of its zone and is one text, as an amount in words may."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from hwr.forms.zone import ZonedLine
from hwr.layout import Line
from hwr.layout.ink import Grey

#: Paper between two rows beside each other, as a share of their height: a space between words.
_SPACE = 0.4
_PAPER = 255


def one_text_each(lines: Sequence[ZonedLine]) -> tuple[ZonedLine, ...]:
    """The lines, those of a zone that is one text made one, in their order and numbered anew."""
    texts: dict[str | int, list[ZonedLine]] = defaultdict(list)
    for place, found in enumerate(lines):
        is_one_text = found.zone is not None and found.zone.is_one_text
        texts[found.zone.name if found.zone and is_one_text else place].append(found)
    return tuple(_one(rows, order) for order, rows in enumerate(texts.values()))


def beside(crops: Sequence[Grey]) -> Grey:
    """Crops (h, w) of a text's rows in one picture from left to right, all of one height."""
    height = max(len(crop) for crop in crops)
    scaled = [_scaled(crop, height) for crop in crops]
    space = np.full((height, round(_SPACE * height)), _PAPER, np.uint8)
    spaced = [part for crop in scaled for part in (space, crop)]
    return np.hstack(spaced[1:])


def _one(rows: Sequence[ZonedLine], order: int) -> ZonedLine:
    if len(rows) == 1:
        return replace(rows[0], line=replace(rows[0].line, order=order))
    lines = tuple(row.line for row in rows)
    return replace(rows[0], line=_around(lines, order), rows=lines)


def _around(lines: Sequence[Line], order: int) -> Line:
    points = np.array([point for line in lines for point in line.polygon], np.int32)
    hull = cv2.convexHull(points)[:, 0].tolist()
    return Line(
        order=order,
        polygon=tuple((x, y) for x, y in hull),
        baseline=tuple(point for line in lines for point in line.baseline),
    )


def _scaled(crop: Grey, height: int) -> Grey:
    width = max(round(crop.shape[1] * height / len(crop)), 1)
    return np.asarray(cv2.resize(crop, (width, height)), np.uint8)
