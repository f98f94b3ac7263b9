"""Pictures of what was found, for people."""

import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hwr.layout.ink import Grey
from hwr.layout.line import Line

Colour = tuple[int, int, int]
#: Outlines take turns, so that neighbours differ.
OUTLINES: tuple[Colour, ...] = ((214, 69, 65), (31, 119, 180), (44, 140, 60))
#: Baselines.
BASELINE: Colour = (255, 140, 0)
#: Text and order.
TEXT: Colour = (120, 0, 160)
#: Ground under the text.
GROUND: Colour = (255, 255, 235)
#: Height of the text as a share of the page's longer side.
TEXT_HEIGHT = 1 / 110
#: Lowest text that can be read, in pixels.
LEAST_TEXT = 10


def draw_lines(image: Grey, lines: Sequence[Line], texts: Sequence[str]) -> NDArray[np.uint8]:
    """The page with outline, baseline, order and text of each line over it, RGB, shape (H, W, 3).

    ``texts`` go with ``lines`` one to one; an empty text shows the order alone.
    """
    canvas = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    for line in lines:
        colour = OUTLINES[line.order % len(OUTLINES)]
        cv2.polylines(canvas, [np.array(line.polygon, np.int32)], True, colour, 2)
        cv2.polylines(canvas, [np.array(line.baseline, np.int32)], False, BASELINE, 2)
    picture = Image.fromarray(canvas)
    write_texts(picture, lines, texts)
    return np.asarray(picture, np.uint8)


def write_texts(picture: Image.Image, lines: Sequence[Line], texts: Sequence[str]) -> None:
    """Each line's order and text above its left end."""
    size = max(round(max(picture.size) * TEXT_HEIGHT), LEAST_TEXT)
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(picture)
    for line, text in zip(lines, texts, strict=True):
        place = label_place(line, size)
        label = f"{line.order + 1} {plain_letters(text)}".strip()
        draw.rectangle(draw.textbbox(place, label, font=font), fill=GROUND)
        draw.text(place, label, font=font, fill=TEXT)


def plain_letters(text: str) -> str:
    """`text` without accents, which Pillow's own font lacks."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def label_place(line: Line, size: int) -> tuple[int, int]:
    """Above the line, inside the page."""
    left = min(x for x, _ in line.polygon)
    top = min(y for _, y in line.polygon)
    return left, max(top - size, 0)
