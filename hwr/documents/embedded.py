"""The pixels of a scan that was taken out of a PDF, in grey."""

import zlib
from io import BytesIO
from struct import pack
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from hwr.documents.colour import hides_ink, with_strokes
from hwr.documents.picture import check_jpeg_end, check_scans
from hwr.documents.scans import Scan
from hwr.documents.strips import check_ends, is_cut
from hwr.errors import DamagedPage

Grey = NDArray[np.uint8]

#: The first of PNG's predictors among PDF's (ISO 32000-1, table 10): data as in a PNG.
_PNG_PREDICTOR = 10
_GROUP4 = 4
#: Rows that may be missing without harm to what is written.
_FEW_ROWS = 8
_END_OF_IMAGE = b"\xff\xd9"


def decode(number: int, scan: Scan, wanted: tuple[int, int]) -> Grey | None:
    """The picture of page `number` brought to `wanted` (width, height) pixels.

    Returns:
        uint8 (H, W); None where the data is not of a kind that is read here.

    Raises:
        PageError and `pixels.DECODER_ERRORS`: the data is damaged or not what the PDF says.
    """
    image = _open(number, scan, wanted)
    return None if image is None else _resized(np.array(with_strokes(image)), wanted)


def _open(number: int, scan: Scan, wanted: tuple[int, int]) -> Image.Image | None:
    kind = scan.compression, scan.bits, scan.colours
    if kind[:2] == ("/DCTDecode", 8) and not scan.settings:
        return _jpeg(number, scan, wanted)
    if kind == ("/CCITTFaxDecode", 1, 1):
        return _group4(number, scan)
    if kind[:2] == ("/FlateDecode", 8):
        return _flate(number, scan)
    return None


def _jpeg(number: int, scan: Scan, wanted: tuple[int, int]) -> Image.Image:
    # Where the data is cut, the decoder goes on to the end with what stands for missing blocks.
    file = BytesIO(scan.data + _END_OF_IMAGE)
    check_scans(number, file)
    image = JpegImageFile(file)
    if image.size != scan.size or image.mode != {1: "L", 3: "RGB"}[scan.colours]:
        raise ValueError("a JPEG of another size or kind than its PDF says")
    mode = image.mode
    # The decoder itself gives brightness alone, and halves a picture that is twice too large.
    image.draft("L", wanted)
    image.load()
    check_jpeg_end(number, image)
    if hides_ink(image, mode):
        file.seek(0)
        image = JpegImageFile(file)
        image.draft(mode, wanted)
    return image


def _group4(number: int, scan: Scan) -> Image.Image | None:
    known = {"/K": -1, "/Columns": scan.size[0], "/Rows": scan.size[1]}
    black_is_1 = bool(scan.settings.get("/BlackIs1", False))
    others = {key: value for key, value in scan.settings.items() if key != "/BlackIs1"}
    if others.get("/K") != -1 or "/Columns" not in others:
        return None
    if any(known.get(key) != value for key, value in others.items()):
        return None
    file = _as_tiff(scan, photometric=int(black_is_1))
    image = TiffImageFile(BytesIO(file))
    image.load()
    try:
        check_ends(number, image, file)
    except DamagedPage:
        if is_cut(image, scan.data):
            raise
        return None  # wastefully encoded, or garbage of which poppler complains
    return image


def _as_tiff(scan: Scan, *, photometric: int) -> bytes:
    """A TIFF of one Group 4 strip (TIFF 6.0, sections 2 and 11)."""
    width, height = scan.size
    tags = {256: width, 257: height, 258: 1, 259: _GROUP4, 262: photometric, 278: height}
    start = 8 + 2 + 12 * (len(tags) + 2) + 4
    tags |= {273: start, 279: len(scan.data)}
    entries = b"".join(pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    return pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + scan.data


def _flate(number: int, scan: Scan) -> Image.Image | None:
    mode = {1: "L", 3: "RGB"}[scan.colours]
    width, height = scan.size
    known: dict[str, Any] = {"/Colors": scan.colours, "/Columns": width, "/BitsPerComponent": 8}
    predictor = int(scan.settings.get("/Predictor", 1))
    if predictor == 1:
        return Image.frombytes(mode, scan.size, _rows(number, scan, width * scan.colours))
    named = {key: value for key, value in scan.settings.items() if key != "/Predictor"}
    if predictor < _PNG_PREDICTOR or named != known:
        return None
    image = PngImageFile(BytesIO(_as_png(scan)))
    image.load()
    # Rows that are missing stay black, in silence: where the last is black, they are counted.
    if not image.crop((0, height - 1, width, height)).getbbox():
        row_bytes = 1 + width * scan.colours
        return image if len(_rows(number, scan, row_bytes)) == row_bytes * height else None
    return image


def _rows(number: int, scan: Scan, row_bytes: int) -> bytes:
    """The unpacked rows of a scan, of so many bytes each.

    Raises:
        DamagedPage: more than a few are missing; poppler would leave them out, in silence.
    """
    height = scan.size[1]
    data = zlib.decompressobj().decompress(scan.data, row_bytes * height)
    if len(data) < row_bytes * (height - _FEW_ROWS):
        raise DamagedPage(
            f"Page {number} is a picture of {height:,} rows of which {len(data) // row_bytes:,} "
            "are there. Scan or export this page again."
        )
    return data


def _as_png(scan: Scan) -> bytes:
    """A PNG of the same compressed rows (ISO/IEC 15948, clause 11)."""
    colour_type = {1: 0, 3: 2}[scan.colours]
    header = pack(">IIBBBBB", *scan.size, scan.bits, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", scan.data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))


def _resized(picture: Grey, wanted: tuple[int, int]) -> Grey:
    height, width = picture.shape
    if abs(width - wanted[0]) <= 1 and abs(height - wanted[1]) <= 1:
        return picture
    method = cv2.INTER_AREA if width > wanted[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, wanted, interpolation=method), np.uint8)
