"""Pillow pictures as grey arrays, and Pillow's many errors as refusals of one page."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from hwr.documents.colour import with_strokes
from hwr.errors import DamagedPage, PageTooLarge

#: What Pillow's decoders raise on bytes that lie. Listed one by one: a bare Exception would also
#: catch a worker's soft time limit and blame the page for it.
DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)

#: What Pillow raises on a picture that says it is very large.
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

#: Halfway from black to white, and from transparent to opaque.
_MIDDLE = 128
#: Ink covers at most this share of a picture.
_MOST_INK = 0.5

#: Fewest bits of a deep picture that hold anything but noise: sensors have at least so many.
_LEAST_BITS = 10

#: Characters of a decoder's own message that a refusal repeats.
_MESSAGE_LENGTH = 120


@contextmanager
def decoding(number: int) -> Iterator[None]:
    """Turn what a decoder raises on hostile bytes into the refusal of page `number`."""
    try:
        yield
    except MemoryError as error:
        raise PageTooLarge(
            f"Page {number} needs more memory than this process may use. "
            "Scan it at a lower resolution."
        ) from error
    except BOMBS as error:
        raise PageTooLarge(f"Page {number}: {error} Scan it at a lower resolution.") from error
    except DECODER_ERRORS as error:
        raise DamagedPage(
            f"Page {number} cannot be decoded ({brief(error)}). Scan or export this page again."
        ) from error


def brief(error: BaseException) -> str:
    """A decoder's message on one short printable line, for it may repeat the file's bytes."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = "".join(filter(str.isprintable, text))
    if len(text) <= _MESSAGE_LENGTH:
        return text
    text = text[:_MESSAGE_LENGTH]
    return f"{text.rpartition(' ')[0] or text} …"


def to_grey(image: Image.Image) -> NDArray[np.uint8]:
    """`image`, decoded, turned upright by its EXIF orientation and laid on white paper.

    Of a transparent picture light ink becomes dark. Ink as bright as its paper is taken from the
    colour that shows it.

    Returns:
        uint8 (H, W), writable. 16-bit grey keeps the upper 8 of the bits that are in use.

    Raises:
        ValueError: the pixels are 32-bit or floating-point numbers without a known range.
    """
    image.load()
    image = _upright(image)
    if image.mode.startswith("I;16"):
        return _upper_bits(np.asarray(image))
    if image.mode == "LAB":
        return np.array(image.getchannel("L"))
    if image.mode in ("I", "F"):
        raise ValueError("32-bit pixels; save it with 8 bits a pixel")
    return np.array(_on_white(image) if image.has_transparency_data else with_strokes(image))


def _upper_bits(deep: NDArray[np.uint16]) -> NDArray[np.uint8]:
    # Scanners put 12 bits into 16 and do not always say so: the page would be black.
    bits = max(int(deep.max()).bit_length(), _LEAST_BITS)
    return (deep >> (bits - 8)).astype(np.uint8)


def _upright(image: Image.Image) -> Image.Image:
    # Broken EXIF says nothing about the pixels: the page is read as it lies.
    try:
        return ImageOps.exif_transpose(image)
    except DECODER_ERRORS:
        return image


def _on_white(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    grey, alpha = image.convert("L"), image.getchannel("A")
    paper = Image.new("L", image.size, 255)
    # Light ink would vanish on it.
    paper.paste(ImageOps.invert(grey) if _is_light_ink(grey, alpha) else grey, mask=alpha)
    return paper


def _is_light_ink(grey: Image.Image, alpha: Image.Image) -> bool:
    """Whether the little that is not transparent is light: a sheet of paper would be more."""
    seen = np.asarray(grey)[np.asarray(alpha) >= _MIDDLE]
    is_ink = 0 < seen.size < _MOST_INK * grey.width * grey.height
    return is_ink and bool(np.percentile(seen, 1) >= _MIDDLE)
