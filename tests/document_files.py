"""Documents that the tests draw themselves, sound and broken."""

import hashlib
import os
import shutil
import struct
import zlib
from collections.abc import Sequence
from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import TiffImageFile

A4 = b"/MediaBox [0 0 595 842]"

#: The padding of passwords (ISO 32000-1, algorithm 2).
_PASSWORD_PADDING = bytes.fromhex(
    "28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a"
)


def require_poppler() -> None:
    """Skip loudly where poppler is missing; fail in CI, where it must not be."""
    if shutil.which("pdftoppm") is None:
        message = "pdftoppm is missing: PDFs are NOT tested. Install poppler-utils."
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)


def draw_page(width: int = 400, height: int = 300, ink: int = 0) -> Image.Image:
    """A grey page with a bar in its upper left and dark strokes down to its last rows."""
    image = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, width // 2, 50), fill=ink)
    for top in range(60, height - 4, 12):
        draw.line((10, top, width - 10 - top % 50, top + 8), fill=ink, width=3)
    return image


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(images: Sequence[Image.Image], compression: str | None = None) -> bytes:
    first, *rest = images
    return encode(first, "TIFF", save_all=True, append_images=rest, compression=compression)


def group4(*images: Image.Image) -> bytes:
    return tiff([image.convert("1") for image in images], "group4")


def tiff_directories(data: bytes) -> list[int]:
    """Offsets of the directories of a little-endian classic TIFF."""
    offsets: list[int] = []
    (offset,) = struct.unpack_from("<I", data, 4)
    while offset:
        offsets.append(offset)
        (count,) = struct.unpack_from("<H", data, offset)
        (offset,) = struct.unpack_from("<I", data, offset + 2 + 12 * count)
    return offsets


def strips(data: bytes, page: int) -> list[tuple[int, int]]:
    """Offset and byte count of each strip of page `page` (from 0)."""
    with Image.open(BytesIO(data)) as image:
        assert isinstance(image, TiffImageFile)
        image.seek(page)
        return list(zip(image.tag_v2[273], image.tag_v2[279], strict=True))


def empty_tiff_pages(count: int) -> bytes:
    """A TIFF of `count` directories that hold a width and nothing else."""
    size = 2 + 12 + 4
    directories = (
        struct.pack("<HHHIII", 1, 256, 4, 1, 8, 8 + size * (n + 1) if n + 1 < count else 0)
        for n in range(count)
    )
    return b"II*\0" + struct.pack("<I", 8) + b"".join(directories)


def big_tiff(image: Image.Image) -> bytes:
    """An uncompressed BigTIFF of one page."""
    pixels = image.tobytes()
    entries = [(256, image.width), (257, image.height), (258, 8), (259, 1), (262, 1)]
    entries += [(273, 16 + 8 + 20 * 8 + 8), (278, image.height), (279, len(pixels))]
    packed = b"".join(struct.pack("<HHQQ", tag, 4, 1, value) for tag, value in entries)
    head = b"II+\0" + struct.pack("<HHQ", 8, 0, 16)
    return head + struct.pack("<Q", len(entries)) + packed + struct.pack("<Q", 0) + pixels


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds next to no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(64))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def pdf(
    pages: Sequence[tuple[bytes, bytes]],
    trailer: bytes = b"",
    extra: bytes = b"",
    stored: bytes = b"",
    catalog: bytes = b"",
) -> bytes:
    """A PDF of `pages`: (entries of the page's dictionary, content stream, as `stored` says)."""
    kids = b" ".join(b"%d 0 R" % (3 + 2 * n) for n in range(len(pages)))
    bodies = [b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog]
    bodies += [b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages))]
    for n, (entries, content) in enumerate(pages):
        bodies += [b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R %s >>" % (4 + 2 * n, entries)]
        body = b"<< %s /Length %d >>\nstream\n%s\nendstream"
        bodies += [body % (stored, len(content), content)]
    return _assemble(bodies + ([extra] if extra else []), trailer)


#: Points of a scanned page: its picture of 400 × 300 pixels is at 200 dpi.
SCAN_BOX = b"/MediaBox [0 0 144 108]"
SCAN_CONTENT = b"q 144 0 0 108 0 0 cm /Im0 Do Q"


def scanned_pdf(
    image: bytes,
    data: bytes,
    page: bytes = SCAN_BOX,
    content: bytes = SCAN_CONTENT,
    resources: bytes = b"",
    stored: bytes = b"",
) -> bytes:
    """A PDF of one page with the picture `data`, described by the entries `image`."""
    entries = page + b" /Resources << /XObject << /Im0 5 0 R >> %s >>" % resources
    body = b"<< /Type /XObject /Subtype /Image /Width 400 /Height 300 %s /Length %d >>"
    extra = body % (image, len(data)) + b"\nstream\n%s\nendstream" % data
    return pdf([(entries, content)], extra=extra, stored=stored)


def _assemble(bodies: Sequence[bytes], trailer: bytes) -> bytes:
    out, table = b"%PDF-1.4\n", b"0000000000 65535 f \n"
    for number, body in enumerate(bodies, 1):
        table += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size, start = len(bodies) + 1, len(out)
    out += b"xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R %s >>\n" % (size, table, size, trailer)
    return out + b"startxref\n%d\n%%%%EOF\n" % start


def encrypted_pdf(*, opens_without_password: bool) -> bytes:
    """A PDF under 40-bit encryption, with or without a user password."""
    owner, rights, identity = bytes(range(32)), -4, b"0123456789abcdef"
    secret = _PASSWORD_PADDING + owner + struct.pack("<i", rights) + identity
    key = hashlib.md5(secret, usedforsecurity=False).digest()[:5]
    user = _rc4(key, _PASSWORD_PADDING) if opens_without_password else bytes(32)
    entry = b"<< /Filter /Standard /V 1 /R 2 /P %d /O <%s> /U <%s> >>" % (
        rights,
        owner.hex().encode(),
        user.hex().encode(),
    )
    name = identity.hex().encode()
    return pdf([(A4, b"")], b"/Encrypt 5 0 R /ID [<%s> <%s>]" % (name, name), entry)


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
