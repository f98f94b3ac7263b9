"""Ink that differs from its paper in colour alone: the brightness of a picture does not show it."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]

#: Strokes are looked for on a picture whose longer side is at most this, in pixels.
_SEARCH_SIDE = 1000
#: What is narrower or lower than this is a stroke, in pixels of that picture.
_WIDEST = 11
#: Share of a page that is no ink, if anything is written on it: all but a few words.
_MOST_PAPER = 0.999
#: Grey levels between paper and strokes: a picture with less shows none, a colour with more does.
#: Real pages have 104 at least; lines are found on drawn ones from 10 to 15 on.
_NO_STROKES, _STROKES = 16, 36

#: Light strokes and dark ones.
_KINDS = cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT


def hides_ink(grey: Image.Image, mode: str) -> bool:
    """Whether a picture, decoded as mode L, has colours in its file that may show more than it."""
    return grey.mode == "L" and mode not in ("1", "L") and not _shows_strokes(grey)


def with_strokes(image: Image.Image) -> Image.Image:
    """The brightness of a picture without transparency, or its one colour that shows its ink.

    Returns:
        A picture of mode L: red, green or blue where brightness shows no strokes and that does.
    """
    grey = image.convert("L")
    if not hides_ink(grey, image.mode):
        return grey
    colours = image.convert("RGB")
    contrasts = [_contrast(colour) for colour in _small(colours).split()]
    best = int(np.argmax(contrasts))
    return colours.getchannel(best) if contrasts[best] >= _STROKES else grey


def _shows_strokes(grey: Image.Image) -> bool:
    return _contrast(_small(grey)) >= _NO_STROKES


def _small(image: Image.Image) -> Image.Image:
    return image.reduce(-(-max(image.size) // _SEARCH_SIDE))


def _contrast(grey: Image.Image) -> int:
    """Grey levels by which the strongest strokes differ from what lies around them."""
    pixels = np.asarray(grey)
    window = np.ones((_WIDEST, _WIDEST), np.uint8)
    light, dark = (cv2.morphologyEx(pixels, kind, window) for kind in _KINDS)
    below = np.cumsum(cv2.calcHist([cv2.max(light, dark)], [0], None, [256], [0, 256]))
    return int(np.searchsorted(below, below[-1] * _MOST_PAPER))
