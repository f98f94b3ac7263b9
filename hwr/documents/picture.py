"""JPEG and PNG: documents of one page."""

import re
from collections.abc import Callable
from typing import IO

from PIL.Image import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from hwr.documents.colour import hides_ink
from hwr.documents.formats import Format
from hwr.documents.limits import Limits, check_page_size
from hwr.documents.pages import Page, check_number
from hwr.documents.pixels import DECODER_ERRORS, brief, decoding, to_grey
from hwr.documents.png import check_png_end
from hwr.errors import DamagedDocument, DamagedPage

#: Scans of a progressive JPEG. Encoders write about 10; each costs a pass over the whole picture,
#: so that a small file with thousands of them would decode for hours.
MAX_SCANS = 100

#: Rows of a JPEG's block, and the grey that libjpeg fills missing blocks with, in silence.
_BLOCK = 8
_MISSING = 128

_START_OF_SCAN = b"\xff\xda"
#: Markers, but those without a length that may stand within a scan: stuffed zeros and restarts.
_MARKER = re.compile(rb"\xff+([\x02-\xcf\xd8-\xfe])")
_START_OF_IMAGE, _END_OF_IMAGE = 0xD8, 0xD9
_CHUNK_BYTES = 2**20

_DECODERS: dict[Format, Callable[[IO[bytes]], ImageFile]] = {
    Format.JPEG: JpegImageFile,
    Format.PNG: PngImageFile,
}


class Picture:
    """An open JPEG or PNG (a `Document`).

    Raises:
        DamagedDocument: the header cannot be read.
    """

    page_count = 1

    def __init__(self, file: IO[bytes], found: Format, limits: Limits) -> None:
        self.format = found
        self._file = file
        self._limits = limits
        try:
            self._header()
        except (MemoryError, *DECODER_ERRORS) as error:
            raise DamagedDocument(
                f"The {found.upper()} is damaged in its header ({brief(error)}). "
                "Scan or export it again."
            ) from error

    def page(self, number: int) -> Page:
        """Page 1, see `Document.page`."""
        check_number(number, self.page_count)
        with decoding(number):
            image = self._header()
            check_page_size(number, *image.size, self._limits)
            if self.format is Format.JPEG:
                check_scans(number, self._file)
            mode = image.mode
            image.draft("L", None)
            image.load()
            if self.format is Format.JPEG:
                check_jpeg_end(number, image)
            else:
                check_png_end(number, image, self._file)
            if hides_ink(image, mode):
                image = self._header()
            return Page(number=number, image=to_grey(image))

    def _header(self) -> ImageFile:
        # The decoder itself, not Image.open: that refuses a bomb without telling its size.
        self._file.seek(0)
        return _DECODERS[self.format](self._file)


def check_scans(number: int, file: IO[bytes]) -> None:
    """Refuse page `number`, the JPEG `file`, if it has too many scans.

    Raises:
        DamagedPage: it has more than `MAX_SCANS`.
    """
    scans = _count(file, _START_OF_SCAN)
    if scans > MAX_SCANS and (scans := _scans(file)) > MAX_SCANS:
        raise DamagedPage(
            f"Page {number} is a JPEG of {scans:,} scans, more than {MAX_SCANS}. "
            "Save it as a baseline JPEG."
        )


def check_jpeg_end(number: int, image: Image) -> None:
    """Refuse page `number`, the JPEG decoded as `image`, if its last rows are missing.

    Raises:
        DamagedPage: they are of the grey that stands for missing blocks.
    """
    last_rows = image.crop((0, image.height - _BLOCK, *image.size))
    # Pillow inverts what Adobe's programs store of CMYK, all of it or, of YCCK, the black alone.
    missing = (_MISSING, 255 - _MISSING) if image.mode == "CMYK" else (_MISSING,)
    extrema = [channel.getextrema() for channel in last_rows.split()]
    if all(low == high in missing for low, high in extrema):
        raise DamagedPage(
            f"Page {number} is a JPEG that ends before its last rows: it is damaged, or says "
            "that it is larger than it is. Scan or export this page again."
        )


def _count(file: IO[bytes], mark: bytes) -> int:
    """How often `mark` stands in `file`, give or take those across two chunks."""
    position = file.tell()
    file.seek(0)
    count = sum(chunk.count(mark) for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""))
    file.seek(position)
    return count


def _scans(file: IO[bytes]) -> int:
    """Scans of the JPEG alone: phones put videos behind it, which hold such marks by chance."""
    position = file.tell()
    file.seek(0)
    data, at, scans = file.read(), 0, 0
    file.seek(position)
    while (found := _MARKER.search(data, at)) and found[1][0] != _END_OF_IMAGE:
        scans += found[0].endswith(_START_OF_SCAN)
        has_length = found[1][0] != _START_OF_IMAGE
        at = found.end() + has_length * int.from_bytes(data[found.end() : found.end() + 2])
    return scans
