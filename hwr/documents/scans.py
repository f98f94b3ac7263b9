"""Pages of a PDF that are nothing but one scan, whose picture can be taken out as it was put in.

Rendering such a page decodes the picture, draws it and sends the pixels through a pipe; taking the
picture costs a tenth to a third of that (docs/decisions.md, Splitting). It is taken only where a
page says nothing else in the plainest way: no rotation, no annotations, a content of `q`, `cm`,
`Do` and `Q`, an upright picture from edge to edge without masks, in device grey or RGB. Whatever is
in doubt is left to rendering.
"""

import re
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import pikepdf
from pikepdf import AccessMode, Name, PdfError

from hwr.documents.limits import MAX_PIXELS
from hwr.documents.pixels import DECODER_ERRORS
from hwr.errors import DamagedDocument, UnsupportedFormat

#: Bytes of a content stream, as stored and unpacked: a scan's has about 50.
MAX_CONTENT = 4096
#: Pages after which the file is opened afresh: qpdf keeps 3 KiB of each that it looked at.
PAGES_AT_ONCE = 250
#: Bytes of a picture as stored.
MAX_DATA = 64 * 2**20
#: The picture's edges are those of the page to so many points (1/72 inch).
EDGE = 0.5
#: Its resolutions across and down differ by less than this share.
SQUARENESS = 0.01

# One way only to match a number: digits that two parts could share would be tried in every way.
_NUMBER = rb"[-+]?(?:\d+(?:\.\d*)?|\.\d+)"
_STEP = re.compile(rb"\s*(?:(q)|(Q)|((?:" + _NUMBER + rb"\s+){6})cm|/([^\s/()<>\[\]{}%#]+)\s+Do)\b")

#: Lower left and upper right corner in points.
Box = tuple[float, float, float, float]
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

#: What would change the picture's look between its data and the page.
_CHANGES = ("/ImageMask", "/Mask", "/SMask", "/SMaskInData", "/Decode", "/OC", "/F", "/FFilter")
#: How a portfolio is viewed that looks as if it were none (ISO 32000-1, table 155).
_HIDDEN = Name.H

#: Colour spaces of a page that stand in for the device's (ISO 32000-1, 8.6.5.6).
_DEFAULTS = ("/DefaultGray", "/DefaultRGB")


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The picture that a page consists of, as it is stored."""

    #: Width and height of the page in points.
    page: tuple[float, float]
    #: Width and height of the picture in pixels.
    size: tuple[int, int]
    #: Colours of a pixel: 1 or 3.
    colours: int
    #: Bits of a colour: 1 or 8.
    bits: int
    #: PDF's name of the compression, /DCTDecode, /CCITTFaxDecode or /FlateDecode.
    compression: str
    #: Settings of the compression.
    settings: dict[str, Any]
    #: The compressed pixels.
    data: bytes


class Scans:
    """The scans of an open PDF. Reads from `file` as long as it is open; keeps no page.

    Raises:
        DamagedDocument: it lists more pages than it says that it has.
        UnsupportedFormat: its content is not on its pages.

    The structure is read within this process; a file that poppler has opened comes here, repairs
    are not attempted, and what is read of a page is bounded before it is unpacked.
    """

    def __init__(self, file: BinaryIO, page_count: int) -> None:
        self._file = file
        self._page_count = page_count
        self._pdf = self._open()
        self._looked_at = 0

    def of_page(self, number: int) -> Scan | None:
        """The scan that page `number` is, counted from 1; None: render it."""
        if self._looked_at == PAGES_AT_ONCE:
            # Let go first, or both would be in memory.
            self._pdf = None
            self._pdf, self._looked_at = self._open(), 0
        self._looked_at += 1
        try:
            return None if self._pdf is None else _scan(self._pdf.pages[number - 1].obj)
        except (PdfError, MemoryError, *DECODER_ERRORS):
            return None

    def _open(self) -> pikepdf.Pdf | None:
        try:
            # Not mapped into memory: what was read of a long document would count as ours.
            pdf = pikepdf.open(self._file, attempt_recovery=False, access_mode=AccessMode.stream)
            _check_shown(pdf, self._page_count)
            is_usable = len(pdf.pages) == self._page_count and not pdf.is_encrypted
        except (PdfError, MemoryError, *DECODER_ERRORS):
            return None
        return pdf if is_usable else None


def _check_shown(pdf: pikepdf.Pdf, page_count: int) -> None:
    """Refuse a PDF of which the pages that poppler shows are not what it holds."""
    collection = pdf.Root.get("/Collection")
    if collection is not None and collection.get("/View") != _HIDDEN:
        raise UnsupportedFormat(
            "The PDF is a portfolio: its pages are a cover, and what it holds are files. "
            "Submit these one by one."
        )
    if pdf.Root.get("/NeedsRendering", False):
        raise UnsupportedFormat(
            "The PDF is a form that Adobe Reader alone draws (XFA): its pages only ask to wait. "
            "Print it to a PDF and submit that."
        )
    if len(pdf.pages) > page_count:
        raise DamagedDocument(
            f"The PDF says that it has {page_count:,} pages and lists {len(pdf.pages):,}: some "
            "would be lost. Export it again."
        )


def _scan(page: Any) -> Scan | None:
    media = _box(page.MediaBox)
    if not _is_plain(page, media):
        return None
    drawn = _drawn(_content(_only(page.Contents)))
    if drawn is None:
        return None
    name, box = drawn
    resources = page.Resources
    image = resources.XObject[name]
    if not _is_filled(media, box) or not _is_whole(image):
        return None
    if any(key in resources.get("/ColorSpace", {}) for key in _DEFAULTS):
        return None
    return _picture(image, (media[2] - media[0], media[3] - media[1]))


def _is_plain(page: Any, media: Box) -> bool:
    """Whether the page is shown as it lies, all of it and nothing over it."""
    return (
        page.get("/Rotate", 0) == 0
        and page.get("/UserUnit", 1) == 1
        and len(page.get("/Annots", ())) == 0
        and _box(page.get("/CropBox", page.MediaBox)) == media
    )


def _is_filled(media: Box, box: Box) -> bool:
    # Written so that what is not a number, which huge ones lead to, is no match.
    return all(abs(a - b) <= EDGE for a, b in zip(box, media, strict=True))


def _box(corners: Any) -> Box:
    x0, y0, x1, y1 = (float(corner) for corner in corners)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _content(stream: Any) -> bytes:
    """The page's operators; nothing where they are many or unusually stored."""
    compression = _only(stream.get("/Filter"))
    if int(stream.Length) > MAX_CONTENT or "/DecodeParms" in stream:
        return b""
    data = bytes(stream.read_raw_bytes())
    if compression == Name.FlateDecode:
        data = zlib.decompressobj().decompress(data, MAX_CONTENT + 1)
        return data if len(data) <= MAX_CONTENT else b""
    return data if compression is None else b""


def _only(value: Any) -> Any:
    """What stands alone in an array, or without one."""
    is_single = isinstance(value, pikepdf.Array) and len(value) == 1
    return value[0] if is_single else value


def _drawn(content: bytes) -> tuple[str, Box] | None:
    """The one picture that is drawn and where; None if anything else happens."""
    drawn: tuple[str, Box] | None = None
    box, saved, position = _WHOLE, list[Box](), 0
    while step := _STEP.match(content, position):
        save, restore, numbers, name = step.groups()
        if save:
            saved.append(box)
        elif restore:
            box = saved.pop()
        elif numbers:
            box = _placed(box, [float(number) for number in numbers.split()])
        elif drawn:
            return None
        else:
            drawn = f"/{name.decode('ascii')}", box
        position = step.end()
    return None if content[position:].strip() else drawn


def _placed(box: Box, matrix: list[float]) -> Box:
    """The unit square of a matrix within that of `box`.

    Raises:
        ValueError: it is turned, skewed or mirrored.
    """
    a, b, c, d, e, f = matrix
    if b or c or a <= 0 or d <= 0:
        raise ValueError("not upright")
    width, height = box[2] - box[0], box[3] - box[1]
    left, bottom = box[0] + e * width, box[1] + f * height
    return left, bottom, left + a * width, bottom + d * height


def _is_whole(image: Any) -> bool:
    """Whether the picture's data is all that it looks like."""
    return image.get("/Subtype") == Name.Image and not any(key in image for key in _CHANGES)


def _picture(image: Any, page: tuple[float, float]) -> Scan | None:
    size = int(image.Width), int(image.Height)
    if min(size) < 1:  # zlib would take "unpack no bytes" for "unpack all there are"
        return None
    colours = {"/DeviceGray": 1, "/DeviceRGB": 3}.get(str(image.ColorSpace))
    across, down = size[0] / page[0], size[1] / page[1]
    if colours is None or abs(across - down) > SQUARENESS * down:
        return None
    if int(image.Length) > MAX_DATA or size[0] * size[1] > MAX_PIXELS:
        return None
    settings = dict(_only(image.get("/DecodeParms", {})))
    return Scan(
        page=page,
        size=size,
        colours=colours,
        bits=int(image.BitsPerComponent),
        compression=str(_only(image.Filter)),
        settings={str(key): value for key, value in settings.items()},
        data=bytes(image.read_raw_bytes()),
    )
