"""The page as it is looked at: upright, and a photographed sheet as if seen from straight above."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwr.layout.homography import Homography, mapped
from hwr.layout.ink import Grey
from hwr.layout.line import Line, Point, whole_pixels
from hwr.layout.orientation import quarter_turns
from hwr.layout.perspective import flattened, photographed_sheet
from hwr.layout.tilt import levelled


@dataclass(frozen=True, kw_only=True, eq=False)
class Upright:
    """A page in the way in which lines are looked for and cut."""

    #: Grey, shape (h, w).
    image: Grey
    #: Height and width of the page as it came, in pixels.
    page_shape: tuple[int, int]
    #: Takes pixels of the image to those of the page; None where they are the same.
    to_page: Homography | None = None

    def on_page(self, line: Line) -> Line:
        """A line of the image, in pixels of the page; its baseline runs as it is read."""
        if self.to_page is None:
            return line
        return _taken(line, self.to_page, self.page_shape)

    def in_view(self, line: Line) -> Line:
        """A line of the page, in pixels of the image."""
        if self.to_page is None:
            return line
        back = np.asarray(np.linalg.inv(self.to_page), np.float64)
        return _taken(line, back, self.image.shape)

    def points_on_page(self, points: Sequence[Point]) -> tuple[Point, ...]:
        """Points of the image, in pixels of the page."""
        if self.to_page is None:
            return tuple(points)
        return _points(points, self.to_page, self.page_shape)


def upright(image: Grey) -> Upright:
    """The grey page (H, W) as it is to be looked at; the same where nothing speaks for a change."""
    view, to_page = image, np.eye(3)
    if (sheet := photographed_sheet(image)) is not None:
        view, to_page = flattened(image, sheet)
    if (level := levelled(view)) is not None:
        view, back = level
        to_page = to_page @ back
    if turns := quarter_turns(view):
        view, back = quarter_turned(view, turns)
        to_page = to_page @ back
    if view is image:
        return Upright(image=image, page_shape=_shape(image))
    return Upright(image=view, page_shape=_shape(image), to_page=to_page)


def quarter_turned(image: Grey, turns: int) -> tuple[Grey, Homography]:
    """The grey image turned clockwise by so many quarters, and the way back."""
    return np.ascontiguousarray(np.rot90(image, -turns)), turned_back(image, turns)


def turned_back(image: Grey, turns: int) -> Homography:
    """Takes pixels of the image, turned clockwise by `turns` quarters, to its own."""
    right, bottom = image.shape[1] - 1, image.shape[0] - 1
    backs = {
        1: [(0, 1, 0), (-1, 0, bottom), (0, 0, 1)],
        2: [(-1, 0, right), (0, -1, bottom), (0, 0, 1)],
        3: [(0, -1, right), (1, 0, 0), (0, 0, 1)],
    }
    return np.array(backs[turns], np.float64)


def _taken(line: Line, transform: Homography, shape: tuple[int, ...]) -> Line:
    return Line(
        order=line.order,
        polygon=_points(line.polygon, transform, shape),
        baseline=_points(line.baseline, transform, shape),
    )


def _points(
    points: Sequence[Point], transform: Homography, shape: tuple[int, ...]
) -> tuple[Point, ...]:
    """The points taken elsewhere, to whole pixels inside of `shape`."""
    taken = mapped(np.array(points), transform)
    return whole_pixels(np.clip(taken, 0, np.array(shape[::-1]) - 1))


def _shape(image: Grey) -> tuple[int, int]:
    height, width = image.shape
    return height, width
