"""A picture of what was found on a page, for people who write profiles."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hwr.forms.zone import Zone
from hwr.layout import Line, draw_lines
from hwr.layout.ink import Grey

#: Outline and name of zones that are read, and of those that are not.
READ, NOT_READ = (0, 120, 90), (120, 120, 120)
#: How much of the page shows through a zone.
SHEER = 0.88
#: Height of a name as a share of the page's longer side, and its least in pixels.
TEXT_HEIGHT, LEAST_TEXT = 1 / 90, 11


def draw_layout(
    image: Grey, lines: Sequence[Line], texts: Sequence[str], zones: Sequence[Zone]
) -> NDArray[np.uint8]:
    """The page with zones, lines, baselines and texts over it, RGB, shape (H, W, 3)."""
    canvas = draw_lines(image, lines, texts).copy()
    for zone in zones:
        _tint(canvas, zone)
    picture = Image.fromarray(canvas)
    for zone in zones:
        _name(picture, zone)
    return np.asarray(picture, np.uint8)


def _tint(canvas: NDArray[np.uint8], zone: Zone) -> None:
    corners = np.array(zone.polygon, np.int32)
    filled = canvas.copy()
    cv2.fillPoly(filled, [corners], _colour(zone))
    cv2.addWeighted(canvas, SHEER, filled, 1 - SHEER, 0, dst=canvas)
    cv2.polylines(canvas, [corners], True, _colour(zone), 2)


def _name(picture: Image.Image, zone: Zone) -> None:
    """The zone's name inside its right upper corner, where a line rarely reaches."""
    size = max(round(max(picture.size) * TEXT_HEIGHT), LEAST_TEXT)
    font = ImageFont.load_default(size)
    x, y = zone.polygon[1]
    draw = ImageDraw.Draw(picture)
    box = draw.textbbox((x - 3, y + 2), zone.name, font=font, anchor="ra")
    draw.rectangle(box, fill=(255, 255, 255))
    draw.text((x - 3, y + 2), zone.name, font=font, anchor="ra", fill=_colour(zone))


def _colour(zone: Zone) -> tuple[int, int, int]:
    return READ if zone.is_read else NOT_READ
