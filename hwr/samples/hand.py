"""A hand: writers who differ, and lines of which no two letters are the same.

Each letter of a font is drawn apart with its own turn, size and place; the line is then bent,
slanted and given the uneven width and flow of a pen.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.samples.fonts import Face, hand_font
from hwr.samples.noise import Field, as_field, smooth_noise

#: Lines are drawn so much larger than they end up: bending needs the room
SUPERSAMPLE = 2
#: Ems for one of x-height, measured on each font's "o"; Amatic's small letters are tall capitals
EM_PER_X_HEIGHT = {Face.SHADOWS: 1.8, Face.INTUITIVE: 1.9, Face.AMATIC: 2.2}
#: Space added between letters, in ems: a pen is wider than the font's own strokes
LOOSE = 0.055
#: Blue and black ball-points, as RGB
INKS = ((28, 38, 110), (24, 24, 30), (40, 52, 128), (52, 48, 60))


@dataclass(frozen=True, kw_only=True)
class Writer:
    """What stays the same in one person's hand."""

    face: Face
    #: Height of a small letter in page pixels
    x_height: float
    #: Lean to the right, as the tangent of its angle
    slant: float
    #: Width of the pen: 0 as the font has it, more is bolder
    pen: float
    #: Red, green, blue
    ink: tuple[int, int, int]
    #: How much letters differ: 1 is an ordinary hand
    unrest: float

    def spell(self, text: str) -> str:
        """The text as this writer spells it: a font of capitals has no small letters."""
        return text.upper() if self.face is Face.AMATIC else text

    @property
    def em(self) -> int:
        """Size of the font in pixels of the supersampled drawing."""
        return round(self.x_height * EM_PER_X_HEIGHT[self.face] * SUPERSAMPLE)


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A written line before it meets the paper."""

    #: Share of ink on each pixel, float32 (h, w) from 0 to 1, cut to the ink
    coverage: Field
    #: Row of the baseline in it
    baseline: int


def choose_writer(rng: np.random.Generator, face: Face) -> Writer:
    """Someone who writes with this font."""
    return Writer(
        face=face,
        x_height=float(rng.uniform(22, 26)),
        slant=float(rng.uniform(-0.02, 0.22)),
        pen=float(rng.uniform(-0.02, 0.05)) + (0.12 if face is Face.SHADOWS else -0.1),
        ink=INKS[int(rng.integers(len(INKS)))],
        unrest=float(rng.uniform(0.7, 1.2)),
    )


def signing(writer: Writer) -> Writer:
    """The same hand when it signs: larger, faster, more slanted."""
    return replace(
        writer,
        x_height=writer.x_height * 1.2,
        slant=writer.slant + 0.2,
        unrest=writer.unrest * 1.7,
    )


def wrap(text: str, writer: Writer, width: int) -> list[str]:
    """Break the text into lines of at most about `width` page pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _length(longer, writer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _length(text: str, writer: Writer) -> float:
    # Spaces are stretched by a fifth when written, and letters are set loose.
    spaced = text + " " * (text.count(" ") // 5)
    plain = hand_font(writer.face, writer.em).getlength(spaced)
    return (plain + LOOSE * writer.em * len(text)) / SUPERSAMPLE


def write(text: str, writer: Writer, rng: np.random.Generator) -> Stroke:
    """Write one line. The same words come out differently each time."""
    em = writer.em
    flat = _set_letters(text, writer, rng)
    bent = _bend(flat, 2 * em, writer, rng)
    return _cut(_ink(bent, writer, rng), 2 * em // SUPERSAMPLE)


def _set_letters(text: str, writer: Writer, rng: np.random.Generator) -> Field:
    """Letters side by side on the baseline in row 2 em, float32 (4 em, w)."""
    em, unrest = writer.em, writer.unrest
    font = hand_font(writer.face, em)
    width = round(font.getlength(text) * 1.3) + 6 * em
    canvas = np.zeros((4 * em, width), np.float32)
    x = 2.0 * em
    for letter, follower in zip(text, text[1:] + " ", strict=True):
        advance = font.getlength(letter + follower) - font.getlength(follower)
        if letter == " ":
            x += advance * rng.uniform(0.95, 1.45)
            continue
        _put(canvas, _turned(letter, writer, rng), round(x), em)
        x += advance + em * (LOOSE + unrest * rng.normal(0, 0.012))
    return canvas


def _turned(letter: str, writer: Writer, rng: np.random.Generator) -> NDArray[np.uint8]:
    em, unrest = writer.em, writer.unrest
    glyph = _glyph(writer.face, em, letter)
    # The origin of a glyph lies at (1 em, 2 em) of its canvas.
    turn = cv2.getRotationMatrix2D(
        (em, 2 * em), unrest * rng.normal(0, 1.6), 1 + unrest * rng.normal(0, 0.035)
    )
    turn[1, 2] += unrest * rng.normal(0, 0.012) * em
    wide = 1 + unrest * rng.normal(0, 0.04)
    turn[0] = wide * turn[0] + (0, 0, em * (1 - wide))
    turned = cv2.warpAffine(glyph, turn, (glyph.shape[1], glyph.shape[0]))
    return np.asarray(turned, dtype=np.uint8)


@lru_cache(maxsize=512)
def _glyph(face: Face, em: int, letter: str) -> NDArray[np.uint8]:
    """The letter with its origin at (1 em, 2 em), uint8 (4 em, 4 em)."""
    mask, (left, top) = hand_font(face, em).getmask2(letter, mode="L", anchor="ls")
    width, height = mask.size
    canvas = np.zeros((4 * em, 4 * em), np.uint8)
    ink = np.array(mask, dtype=np.uint8).reshape(height, width)
    canvas[2 * em + top : 2 * em + top + height, em + left : em + left + width] = ink
    return canvas


def _put(canvas: Field, glyph: NDArray[np.uint8], x: int, em: int) -> None:
    part = canvas[:, x - em : x + 3 * em]
    np.maximum(part, glyph[:, : part.shape[1]].astype(np.float32) / 255, out=part)


def _bend(flat: Field, baseline: int, writer: Writer, rng: np.random.Generator) -> Field:
    """Slant, drift of the baseline and the small bends of single strokes."""
    em, unrest = writer.em, writer.unrest
    height, width = flat.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across = smooth_noise((height, width), 0.45 * em, rng)
    along = smooth_noise((height, width), 0.45 * em, rng)
    drift = smooth_noise((2, width), 9 * em, rng)[0]
    slope = rng.normal(0, 0.003)
    map_x = x + writer.slant * (y - baseline) + unrest * 0.018 * em * across
    map_y = y + unrest * em * (0.016 * along + 0.03 * drift) + slope * x
    return as_field(
        cv2.remap(flat, as_field(map_x), as_field(map_y), interpolation=cv2.INTER_LINEAR)
    )


def _ink(bent: Field, writer: Writer, rng: np.random.Generator) -> Field:
    """Pen width, pressure and flow; then down to page pixels."""
    em = writer.em
    soft = as_field(cv2.GaussianBlur(bent, (0, 0), 0.016 * em))
    pressure = smooth_noise(bent.shape, 0.8 * em, rng)
    edge = np.maximum(0.4 - writer.pen + 0.06 * pressure, 0.2)
    line = np.clip((soft - edge) * 4 + 0.5, 0, 1)
    flow = 0.86 + 0.07 * smooth_noise(bent.shape, 0.6 * em, rng)
    grain = 1 - 0.1 * np.abs(rng.standard_normal(bent.shape))
    full = as_field(line * np.clip(flow * grain, 0, 1))
    size = (bent.shape[1] // SUPERSAMPLE, bent.shape[0] // SUPERSAMPLE)
    return as_field(cv2.resize(full, size, interpolation=cv2.INTER_AREA))


def _cut(coverage: Field, baseline: int) -> Stroke:
    rows = np.flatnonzero(coverage.max(axis=1) > 0.1)
    columns = np.flatnonzero(coverage.max(axis=0) > 0.1)
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    return Stroke(coverage=coverage[top:bottom, left:right], baseline=baseline - top)
