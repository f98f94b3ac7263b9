"""A PDF of scanned pages, one JPEG a page, written page by page as scanners do."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: A scanner's usual setting: fine strokes keep faint rings
JPEG_QUALITY = 78
#: Objects 1 and 2 are the catalogue and the page tree; each page takes three more
FIRST_PAGE = 3


def write_pdf(path: Path, pictures: Iterable[NDArray[np.uint8]], dpi: int) -> None:
    """Write uint8 (H, W, 3) pictures as pages. One page is held at a time."""
    with path.open("wb") as file:
        file.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        offsets = [0, 0]
        for picture in pictures:
            offsets += _write_page(file, FIRST_PAGE + len(offsets) - 2, picture, dpi)
        _write_tail(file, offsets)


def _write_page(
    file: BinaryIO, first: int, picture: NDArray[np.uint8], dpi: int
) -> tuple[int, int, int]:
    height, width = picture.shape[:2]
    points = (width * 72 / dpi, height * 72 / dpi)
    draw = f"q {points[0]:.3f} 0 0 {points[1]:.3f} 0 0 cm /Scan Do Q"
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {points[0]:.3f} {points[1]:.3f}] "
        f"/Contents {first + 1} 0 R /Resources << /XObject << /Scan {first + 2} 0 R >> >> >>"
    )
    image = (
        f"/Type /XObject /Subtype /Image /Width {width} /Height {height} "
        "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode"
    )
    return (
        _write_object(file, first, page.encode()),
        _write_object(file, first + 1, _stream("", draw.encode())),
        _write_object(file, first + 2, _stream(image, _jpeg(picture))),
    )


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _stream(entries: str, data: bytes) -> bytes:
    head = f"<< {entries} /Length {len(data)} >>\nstream\n"
    return head.encode() + data + b"\nendstream"


def _write_object(file: BinaryIO, number: int, body: bytes) -> int:
    offset = file.tell()
    file.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    return offset


def _write_tail(file: BinaryIO, offsets: list[int]) -> None:
    """The page tree, the catalogue and the table of where everything lies."""
    pages = range(FIRST_PAGE, FIRST_PAGE + len(offsets) - 2, 3)
    kids = " ".join(f"{number} 0 R" for number in pages)
    tree = f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>"
    offsets[0] = _write_object(file, 1, b"<< /Type /Catalog /Pages 2 0 R >>")
    offsets[1] = _write_object(file, 2, tree.encode())
    start = file.tell()
    file.write(f"xref\n0 {len(offsets) + 1}\n0000000000 65535 f \n".encode())
    file.writelines(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    trailer = f"trailer\n<< /Size {len(offsets) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    file.write(trailer.encode())
