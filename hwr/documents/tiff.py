"""TIFF and BigTIFF: every directory that is no mask or smaller copy of another is a page, found and
decoded independently of the others.

Pillow walks from page to page, so that one broken directory would take the rest with it and page
3,000 would cost 3,000 readings. Here the chain of directories is walked once, without decoding, and
Pillow is then shown the file as if the wanted page were its first.
"""

import mmap
import struct
from typing import IO, Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImagePalette
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COLORMAP,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    X_RESOLUTION,
    Y_RESOLUTION,
    TiffImageFile,
)

from hwr.documents.formats import Format
from hwr.documents.limits import Limits, check_page_size, fitting
from hwr.documents.pages import Page, check_number
from hwr.documents.pixels import decoding, to_grey
from hwr.documents.strips import check_ends, check_spans
from hwr.errors import DamagedDocument, DamagedPage, NoPages, TooManyPages

_BIG = 43
_SEPARATE = 2
_BYTE, _BYTE_MAX = 8, 255
_WHITE_IS_ZERO = 0
_UPRIGHT = 1
#: Orientations from this one on lie on their side.
_SIDEWAYS = 5

#: How many times finer a picture is along one side than along the other for it to count: faxes are
#: twice, and some scanners say 1 dpi along one side.
_LEAST_OBLONG, _MOST_OBLONG = 1.1, 4.0


#: Tags of a directory that are looked at to tell whether it is a page: the kind comes first, then
#: width and height.
_FRAME_TAGS = 4
_SHORT = 3
_KIND = Base.NewSubfileType
#: Kinds of directories that are no pages (TIFF 6.0, NewSubfileType).
_REDUCED, _MASK = 1, 4


class _Layout:
    """Where the numbers of a TIFF's frame stand, and how to read them."""

    def __init__(self, header: bytes) -> None:
        order = self._order = "<" if header.startswith(b"II") else ">"
        big = struct.unpack_from(order + "H", header, 2)[0] == _BIG
        #: Position of the first directory's offset.
        self.start = 8 if big else 4
        #: Bytes of one entry of a directory.
        self.entry = 20 if big else 12
        #: Entries of a directory, at its begin.
        self.count = struct.Struct(order + ("Q" if big else "H"))
        #: Offset of a directory.
        self.offset = struct.Struct(order + ("Q" if big else "I"))

    def number(self, entries: bytes, start: int) -> tuple[int, int]:
        """Tag and value of the entry at `start`, if it is one short or long number."""
        tag, kind = struct.unpack_from(self._order + "HH", entries, start)
        value = start + self.entry - self.offset.size
        return tag, struct.unpack_from(
            self._order + ("H" if kind == _SHORT else "I"), entries, value
        )[0]


class _Frame(mmap.mmap):
    """The file in private memory pages, with one directory put first. Nothing is copied but the
    4 KiB that hold the header."""

    @classmethod
    def at(cls, file: IO[bytes], layout: _Layout, directory: int) -> Self:
        frame = cls(file.fileno(), 0, access=mmap.ACCESS_COPY)
        layout.offset.pack_into(frame, layout.start, directory)
        return frame

    def getvalue(self) -> Self:
        # Pillow hands this to libtiff instead of reading the whole file.
        return self


class Tiff:
    """An open TIFF (a `Document`).

    Where the chain of directories breaks off, one more page is counted: asking for it tells that
    it and all after it are lost.

    Raises:
        DamagedDocument: not even the first directory is there.
        NoPages, TooManyPages: as named.
    """

    format = Format.TIFF

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file = file
        self._limits = limits
        file.seek(0)
        header = file.read(16).ljust(16, b"\0")
        self._layout = _Layout(header)
        first = self._layout.offset.unpack_from(header, self._layout.start)[0]
        directories, self._whole = self._walk(first)
        self._directories = self._pages_of(directories)
        self.page_count = len(self._directories) + (not self._whole)
        self._check_count(len(directories) + (not self._whole))

    def page(self, number: int) -> Page:
        """Page `number`, see `Document.page`."""
        check_number(number, self.page_count)
        if number > len(self._directories):
            raise DamagedPage(
                f"Page {number} lies beyond the end of the TIFF: it is cut off or damaged, and any "
                "later pages are lost with it. Scan or export them again."
            )
        directory = self._directories[number - 1]
        with decoding(number), _Frame.at(self._file, self._layout, directory) as frame:
            return self._decode(number, TiffImageFile(cast(IO[bytes], frame)), frame)

    def _decode(self, number: int, image: TiffImageFile, frame: _Frame) -> Page:
        check_page_size(number, *image.size, self._limits)
        if image.mode in ("I", "F"):
            raise DamagedPage(f"Page {number} has 32-bit pixels. Save it with 8 bits a pixel.")
        _check_planes(number, image)
        _widen_palette(image)
        check_spans(number, image, len(frame))
        turned = image.tag_v2.get(Base.Orientation, _UPRIGHT) != _UPRIGHT
        oblong = _oblong(image)
        image.load()
        if not turned:
            check_ends(number, image, frame)
        grey = ~to_grey(image) if _is_negative(image) else to_grey(image)
        return Page(number=number, image=_squared(grey, oblong, self._limits))

    def _walk(self, offset: int) -> tuple[list[int], bool]:
        """Offsets of the directories, and whether the chain came to its end (or to the limit)."""
        seen: dict[int, None] = {}
        while offset and len(seen) <= self._limits.max_pages:
            following = self._following(offset)
            if following is None or offset in seen:
                return list(seen), False
            seen[offset] = None
            offset = following
        return list(seen), True

    def _pages_of(self, directories: list[int]) -> list[int]:
        """Those that are no mask of another and no smaller copy."""
        tags = {offset: self._frame_tags(offset) for offset in directories}
        whole = [_size(found) for found in tags.values() if not found.get(_KIND, 0) & _REDUCED]
        pages = [offset for offset in directories if not _is_extra(tags[offset], whole)]
        return pages or directories

    def _frame_tags(self, offset: int) -> dict[int, int]:
        """Whole numbers among the first tags of a directory, which are in order."""
        layout = self._layout
        start = offset + layout.count.size
        count = min(self._read(offset, layout.count), _FRAME_TAGS)
        self._file.seek(start)
        entries = self._file.read(count * layout.entry)
        return dict(layout.number(entries, n * layout.entry) for n in range(count))

    def _following(self, offset: int) -> int | None:
        """Offset of the directory after the one at `offset`, 0 for none, None where it is cut."""
        try:
            count = self._read(offset, self._layout.count)
            end = offset + self._layout.count.size + count * self._layout.entry
            return self._read(end, self._layout.offset) if count else None
        except (struct.error, OSError, ValueError):
            return None

    def _read(self, offset: int, number: struct.Struct) -> int:
        self._file.seek(offset)
        return int(number.unpack(self._file.read(number.size))[0])

    def _check_count(self, directories: int) -> None:
        """Copies and masks count as well: the walk ends at the limit, and would lose the rest."""
        if not self._directories and self._whole:
            raise NoPages("The TIFF has 0 pages. Export it again with at least one page.")
        if not self._directories:
            raise DamagedDocument(
                "The TIFF is cut off before its first page. Scan or export it again."
            )
        if directories > self._limits.max_pages:
            raise TooManyPages(
                f"The TIFF has more than {self._limits.max_pages:,} pages. "
                "Split it into smaller documents."
            )


def _is_extra(tags: dict[int, int], pages: list[tuple[int, int]]) -> bool:
    """Whether a directory is a mask, or a copy of one of the `pages` of these sizes.

    Some programs call pages copies that are none: those of other sizes than the first, say.
    """
    kind = tags.get(_KIND, 0)
    width, height = _size(tags)
    is_small = any(2 * width <= wide + 1 and 2 * height <= high + 1 for wide, high in pages)
    return bool(kind & _MASK or (kind & _REDUCED and is_small))


def _size(tags: dict[int, int]) -> tuple[int, int]:
    return tags.get(IMAGEWIDTH, 0), tags.get(IMAGELENGTH, 0)


def _check_planes(number: int, image: TiffImageFile) -> None:
    bits = image.tag_v2.get(BITSPERSAMPLE, (1,))
    is_raw = any(tile[0] == "raw" for tile in image.tile)
    if is_raw and image.tag_v2.get(PLANAR_CONFIGURATION) == _SEPARATE and max(bits) > _BYTE:
        # Pillow takes these for bytes and shows noise.
        raise DamagedPage(
            f"Page {number} has planes of {max(bits)}-bit colours. Save it with 8 bits a colour."
        )


def _widen_palette(image: TiffImageFile) -> None:
    """Take colours of 8 bits, which some old programs write instead of 16, for what they are."""
    colours = image.tag_v2.get(COLORMAP, ())
    if image.mode == "P" and max(colours, default=_BYTE_MAX + 1) <= _BYTE_MAX:
        image.palette = ImagePalette.raw("RGB;L", bytes(colours))


def _is_negative(image: TiffImageFile) -> bool:
    """Whether 0 is white still: of fewer bits than 16 Pillow sees to that."""
    is_white_zero = image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    return is_white_zero and image.mode.startswith("I;16")


def _oblong(image: TiffImageFile) -> float:
    """How many times finer a page is across than down once it stands upright; 1 where unknown."""
    try:
        across, down = (float(image.tag_v2[tag]) for tag in (X_RESOLUTION, Y_RESOLUTION))
        oblong = across / down
        is_sideways = image.tag_v2.get(Base.Orientation, _UPRIGHT) >= _SIDEWAYS
        return 1 / oblong if is_sideways else oblong
    except (LookupError, TypeError, ValueError, ArithmeticError):
        return 1.0


def _squared(grey: NDArray[np.uint8], oblong: float, limits: Limits) -> NDArray[np.uint8]:
    """The page with pixels as high as wide: a fax has half as many down as across, or twice."""
    if not _LEAST_OBLONG <= max(oblong, 1 / max(oblong, 1e-9)) <= _MOST_OBLONG:
        return grey
    height, width = grey.shape
    wider, higher = max(width / oblong, width), max(height * oblong, height)
    share = fitting(wider, higher, limits)
    size = max(round(wider * share), 1), max(round(higher * share), 1)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR), np.uint8)
