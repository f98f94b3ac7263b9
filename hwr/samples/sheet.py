"""A sheet of paper: printed on, written on, and known by heart."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.samples.fonts import print_font
from hwr.samples.hand import Stroke, Writer, signing, write
from hwr.samples.noise import Field, as_field, smooth_noise
from hwr.samples.truth import Kind

#: Ink of a laser printer, as RGB
TONER = (34, 34, 38)
#: Pixels between the ink of a line and its polygon
MARGIN = 3
#: Pixels that a printed rule is thick
RULE = 2

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line put on the sheet."""

    text: str
    kind: Kind
    #: Left, top, right, bottom in pixels of the flat sheet
    box: Box
    #: Name of the zone it was put into; None outside of all
    zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A zone of the form that is printed on the sheet."""

    name: str
    #: Left, top, right, bottom in pixels of the flat sheet
    box: Box


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A flat sheet, before it is scanned. Lines are entered in reading order."""

    #: Float32 (H, W, 3), red, green, blue from 0 to 255
    picture: Field
    #: Where the chance of everything on the sheet comes from
    rng: np.random.Generator
    #: What was put on it so far
    entries: list[Entry] = field(default_factory=list)
    #: Where something belongs on it
    marks: list[Mark] = field(default_factory=list)
    #: Whether nobody writes on it
    is_blank: bool = False

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.picture.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.picture.shape[0])

    def mark(self, name: str, box: Box) -> str:
        """Say what zone of the form lies there; returns its name for what is put into it."""
        self.marks.append(Mark(name=name, box=box))
        return name

    def print(self, text: str, x: int, baseline: int, size: int, zone: str | None = None) -> int:
        """Print a line with its left end at `x`; returns its right end."""
        mask, (left, top) = print_font(size).getmask2(text, mode="L", anchor="ls")
        width, height = mask.size
        coverage = as_field(np.array(mask, dtype=np.float32).reshape(height, width) / 255)
        return self._enter(text, Kind.PRINT, coverage, (x + left, baseline + top), TONER, zone)

    def write(
        self, text: str, x: int, baseline: int, writer: Writer, zone: str | None = None
    ) -> int:
        """Write a line by hand from `x`; returns its right end."""
        if self.is_blank:
            return x
        spelt = writer.spell(text)
        stroke = write(spelt, writer, self.rng)
        corner = (x, baseline - stroke.baseline - round(self.rng.normal(1, 1.5)))
        return self._enter(spelt, Kind.HANDWRITING, stroke.coverage, corner, writer.ink, zone)

    def sign(
        self, name: str, x: int, baseline: int, writer: Writer, zone: str | None = None
    ) -> int:
        """Sign with the name from `x`; returns the right end."""
        if self.is_blank:
            return x
        spelt = writer.spell(name)
        stroke = _underline(write(spelt, signing(writer), self.rng), self.rng)
        corner = (x, baseline - stroke.baseline)
        return self._enter(spelt, Kind.HANDWRITING, stroke.coverage, corner, writer.ink, zone)

    def _enter(
        self,
        text: str,
        kind: Kind,
        coverage: Field,
        corner: tuple[int, int],
        colour: Colour,
        zone: str | None,
    ) -> int:
        x, y = corner
        height, width = coverage.shape
        box = (x - MARGIN, y - MARGIN, x + width + MARGIN, y + height + MARGIN)
        self.stamp(coverage, x, y, colour)
        self.entries.append(Entry(text=text, kind=kind, box=box, zone=zone))
        return int(x + width)

    def stamp(self, coverage: Field, x: int, y: int, colour: Colour) -> None:
        """Lay ink on the paper, darkening what is there. What falls off the sheet is lost."""
        top, left = max(0, -y), max(0, -x)
        bottom, right = max(0, y + coverage.shape[0]), max(0, x + coverage.shape[1])
        part = self.picture[y + top : bottom, x + left : right]
        ink = coverage[top : top + part.shape[0], left : left + part.shape[1], None]
        part *= 1 - ink * (1 - np.asarray(colour, np.float32) / 255)

    def draw(self, points: NDArray[np.floating], colour: Colour, *, strength: float = 1.0) -> None:
        """Draw a thin line through float (n, 2) points (x, y)."""
        left, top = (int(low) - 2 for low in np.floor(points.min(axis=0)))
        right, bottom = (int(high) + 3 for high in np.ceil(points.max(axis=0)))
        mask = np.zeros((bottom - top, right - left), np.uint8)
        _draw_curve(mask, points - (left, top), 255, thickness=1)
        self.stamp(mask.astype(np.float32) * (strength / 255), left, top, colour)

    def rule(self, start: tuple[int, int], length: int, colour: Colour) -> None:
        """Draw a horizontal rule."""
        x, y = start
        self.stamp(np.ones((RULE, length), np.float32), x, y, colour)


def new_sheet(width: int, height: int, tint: Colour, rng: np.random.Generator) -> Sheet:
    """Blank paper of this tint, with its clouds and fibres."""
    shape = (height, width)
    clouds = 1.2 * smooth_noise(shape, 180, rng)
    fibres = as_field(cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), 1.2))
    texture = clouds + 5 * fibres
    picture = np.asarray(tint, np.float32) + texture[:, :, None]
    return Sheet(picture=as_field(picture), rng=rng)


def _underline(stroke: Stroke, rng: np.random.Generator) -> Stroke:
    """Add a stroke under a name that comes back from its last letter."""
    height, width = stroke.coverage.shape
    t = np.linspace(0, 1, 60)
    swing = 10 * np.sin(2.6 * np.pi * t + rng.uniform(-0.4, 0.4))
    points = np.stack([width + 25 - (width + 10) * t, stroke.baseline + 12 + swing * t], axis=1)
    mask = np.zeros((max(height, stroke.baseline + 40), width + 40), np.uint8)
    _draw_curve(mask, points, 220, thickness=2)
    grown = as_field(mask / 255)
    part = grown[:height, :width]
    np.maximum(part, stroke.coverage, out=part)
    return Stroke(coverage=grown, baseline=stroke.baseline)


def _draw_curve(
    mask: NDArray[np.uint8], points: NDArray[np.floating], value: int, *, thickness: int
) -> None:
    # OpenCV takes fixed-point coordinates with four binary places.
    fixed = np.round(points * 16).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(mask, [fixed], False, value, thickness, cv2.LINE_AA, shift=4)
