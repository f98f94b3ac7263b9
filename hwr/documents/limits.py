"""How large a document and its pages may be, checked before anything is decoded."""

import math
from dataclasses import dataclass

from PIL import Image

from hwr.errors import PageTooLarge, PageTooSmall

#: Pixels. A line of handwriting on less cannot be told from dirt.
MIN_SIDE = 16

#: Pixels of a page. Pillow warns of a decompression bomb above it and refuses at twice as many;
#: here the warning already refuses.
MAX_PIXELS = Image.MAX_IMAGE_PIXELS or 89_478_485


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a document may ask for. The defaults are those of the service's settings."""

    #: Largest file in bytes.
    max_bytes: int = 500 * 2**20
    #: Most pages of a document.
    max_pages: int = 3000
    #: Shortest side of a page in pixels.
    min_side: int = MIN_SIDE
    #: Longest side of a page in pixels, after rendering for a PDF.
    max_side: int = 10_000
    #: Most seconds for opening a PDF, and for rendering one of its pages.
    page_timeout_s: float = 60.0
    #: Resolution PDF pages are rendered at, in dots per inch; larger pages at a lower one.
    render_dpi: int = 200


DEFAULT_LIMITS = Limits()


def check_page_size(number: int, width: int, height: int, limits: Limits) -> None:
    """Refuse page `number` of `width` × `height` pixels, before it takes memory.

    Raises:
        PageTooLarge: a side is longer than `limits.max_side` or the area passes `MAX_PIXELS`.
        PageTooSmall: a side is shorter than `limits.min_side`.
    """
    size = f"Page {number} is {width:,} × {height:,} pixels"
    if min(width, height) < limits.min_side:
        raise PageTooSmall(
            f"{size}, less than {limits.min_side} a side. Scan it at 150 dpi or more."
        )
    if max(width, height) > limits.max_side or width * height > MAX_PIXELS:
        raise PageTooLarge(
            f"{size}, more than {limits.max_side:,} a side or {MAX_PIXELS:,} in all. "
            "Scan it at a lower resolution or set a smaller page size."
        )


def fitting(width: float, height: float, limits: Limits) -> float:
    """The share that a page of `width` × `height` pixels is made smaller to, to keep to `limits`:
    1 where it does."""
    return min(1.0, limits.max_side / max(width, height), math.sqrt(MAX_PIXELS / (width * height)))
