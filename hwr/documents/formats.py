"""What a file is, told from its first bytes. Names and suffixes are not believed."""

from enum import StrEnum
from pathlib import Path

from hwr.errors import UnsupportedFormat

#: Bytes that `sniff` wants. A PDF header may stand anywhere in them (ISO 32000-1, annex H.3).
HEAD_BYTES = 1024


class Format(StrEnum):
    """The formats hwr reads."""

    #: Portable Document Format, rendered with poppler.
    PDF = "pdf"
    #: TIFF and BigTIFF, each directory a page that is no mask or smaller copy of another.
    TIFF = "tiff"
    #: JPEG, baseline or progressive: one page.
    JPEG = "jpeg"
    #: PNG; of an animation the first picture: one page.
    PNG = "png"


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"II+\0", Format.TIFF),
    (b"MM\0+", Format.TIFF),
    (b"%PDF-", Format.PDF),
)

#: Offset, bytes and name of formats that people submit by mistake.
_OTHERS = (
    (0, b"PK\x03\x04", "a ZIP archive or an Office document"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document"),
    (0, b"GIF8", "a GIF"),
    (0, b"BM", "a BMP"),
    (8, b"WEBP", "a WebP picture"),
    (4, b"ftyp", "a HEIC picture or a video"),
    (4, b"jP  ", "a JPEG 2000 picture"),
    (0, b"AT&TFORM", "a DjVu document"),
    (0, b"%!PS", "PostScript"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"<", "HTML or XML"),
)


def sniff(head: bytes) -> Format:
    """The format of a file that starts with `head` (its first `HEAD_BYTES` bytes).

    Raises:
        UnsupportedFormat: naming what was found instead.
    """
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    other = _name_other(head)
    if other is None and b"%PDF-" in head:
        return Format.PDF
    raise UnsupportedFormat(
        f"The file is {other or _describe(head)}, not a PDF, TIFF, JPEG or PNG. "
        "Convert it to one of these."
    )


def is_document(path: Path) -> bool:
    """Whether the file at `path` looks like a document; one that cannot be opened may be one."""
    try:
        with path.open("rb") as file:
            sniff(file.read(HEAD_BYTES))
    except UnsupportedFormat:
        return False
    except OSError:
        return True
    return True


def _name_other(head: bytes) -> str | None:
    names = (name for offset, magic, name in _OTHERS if head.startswith(magic, offset))
    return next(names, None)


def _describe(head: bytes) -> str:
    if head.isascii() and b"".join(head.split()).decode().isprintable():
        return "plain text"
    return f"of an unknown kind (first bytes: {head[:8].hex(' ')})"
