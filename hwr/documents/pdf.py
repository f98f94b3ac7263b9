"""PDF: a page that is one scan is taken out of the file; poppler renders the others through
pdf2image, one page at a time, after its size was checked."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pdf2image import convert_from_path, pdfinfo_from_path
from pdf2image.exceptions import (
    PDFInfoNotInstalledError,
    PDFPageCountError,
    PDFPopplerTimeoutError,
    PDFSyntaxError,
)
from PIL import Image

from hwr.documents.embedded import decode
from hwr.documents.formats import Format
from hwr.documents.limits import MIN_SIDE, Limits, check_page_size, fitting
from hwr.documents.pages import Page, check_number
from hwr.documents.pixels import BOMBS, DECODER_ERRORS, brief, decoding, to_grey
from hwr.documents.scans import Scan, Scans
from hwr.errors import (
    DamagedDocument,
    DamagedPage,
    DocumentTimeout,
    EncryptedDocument,
    HwrError,
    NoPages,
    PageError,
    PageTimeout,
    PageTooSmall,
    TooManyPages,
)

_POINTS_PER_INCH = 72
#: Pages that are too large are rendered at this resolution at least: the largest that PDF knows
#: (14,400 points, ISO 32000-1, annex C) has 10,000 pixels a side.
_LEAST_DPI = 50
#: Square inches of a page of Letter size, to whose pixels scans are enlarged at most.
_LETTER = 8.5 * 11
#: Scans are made smaller to this part of them at the least, 100 dpi on Letter.
_FEWEST = 4
#: What a scan's sides may differ by for its pixels to be taken as they are.
_SAME = 0.01

#: A whole PDF has its end mark in so many last bytes (ISO 32000-1, annex H.3), padding apart.
_TAIL_BYTES = 1024
_PADDING_BYTES = 2**16

#: Complaints of poppler after which a picture is missing, or the rest of it. Others, about fonts
#: say, come with pages that look as they should; sound JBIG2 may have a few bytes too many.
_LOST = re.compile(
    r"Unknown filter|start of jpeg data|opening JPX Stream\.|(flate|LZW) stream"
    r"|JBIG2|\d\d extraneous bytes|Previous segment handler"
    # Of a fax that is coded in two dimensions nothing is right from there on; zeros are its end.
    r"|two dim|Invalid CCITTFax|code \((0000|-001)\) in CCITTFax"
)
#: No complaint at all: the ends of page and file, which encoders may write, are segments that
#: poppler does not know. They are empty; of others, and of cut ones, it counts the bytes as well.
_HARMLESS = "Unknown segment type in JBIG2 stream"
#: In what poppler says of damage; its warnings are none.
_COMPLAINT = "Syntax Error"
#: In complaints about a row of a fax, one or two for each; poppler goes on with the next row.
_ODD_ROW = "CCITTFax"
#: Such complaints that a page may come with, as faxes over a bad line do, and have all its text.
_FEW_COMPLAINTS = 8


class Pdf:
    """An open PDF (a `Document`). A PDF that opens without a password is read, whatever rights
    its owner password keeps back.

    Raises:
        DamagedDocument, EncryptedDocument, NoPages, TooManyPages, DocumentTimeout: as named.
        UnsupportedFormat: its content is not on its pages.
        HwrError: poppler is not installed.
    """

    format = Format.PDF

    def __init__(self, file: BinaryIO, path: Path, limits: Limits) -> None:
        # Absolute: poppler would take a relative name such as "-v" for an option.
        self._path = str(path.absolute())
        self._limits = limits
        # Whole seconds, never more than the limit: who waits for us may have set it as well.
        self._timeout_s = max(1, math.floor(limits.page_timeout_s))
        self.page_count = _count_pages(self._path, self._timeout_s)
        self._check_count()
        _check_end(file)
        self._scans = Scans(file, self.page_count)

    def page(self, number: int) -> Page:
        """Page `number` at `Limits.render_dpi`, see `Document.page`; smaller where that is too
        large, and its scan nearer to what is stored where its paper's size is in doubt."""
        check_number(number, self.page_count)
        scanned = self._scanned(number)
        if scanned is not None:
            return Page(number=number, image=scanned)
        with _poppler_on_page(number, self._timeout_s), decoding(number):
            return Page(number=number, image=to_grey(self._render(number, self._dpi(number))))

    def _scanned(self, number: int) -> NDArray[np.uint8] | None:
        """The picture that the page consists of; None where there is any doubt: it is rendered.

        Raises:
            DamagedPage: it is cut off; poppler would draw what is left of it, in silence.
            PageTimeout: of the caller's deadline, which no rendering may outlast.
        """
        try:
            return self._taken_out(number)
        except (DamagedPage, PageTimeout):
            raise
        except (PageError, MemoryError, *BOMBS, *DECODER_ERRORS):
            return None

    def _taken_out(self, number: int) -> NDArray[np.uint8] | None:
        scan = self._scans.of_page(number)
        if scan is None:
            return None
        wanted = self._scan_size(scan)
        check_page_size(number, *wanted, self._limits)
        return decode(number, scan, wanted)

    def _scan_size(self, scan: Scan) -> tuple[int, int]:
        """Width and height in pixels that a scan is taken at, of the shape of its page.

        They are those of the page at `Limits.render_dpi`, unless the paper cannot be what the file
        says: then few pixels are not blown up and many not thrown away.
        """
        scale = self._limits.render_dpi / _POINTS_PER_INCH
        width, height = (points * scale for points in scan.page)
        stored, letter = math.prod(scan.size), _LETTER * self._limits.render_dpi**2
        if stored <= width * height:
            area = max(stored, min(width * height, letter))
        else:
            area = min(stored, max(width * height, letter / _FEWEST))
        share = math.sqrt(area / (width * height))
        share *= fitting(width * share, height * share, self._limits)
        return _near((width * share, height * share), scan.size)

    def _check_count(self) -> None:
        if self.page_count < 1:
            raise _no_pages()
        if self.page_count > self._limits.max_pages:
            raise TooManyPages(
                f"The PDF has {self.page_count:,} pages, more than {self._limits.max_pages:,}. "
                "Split it into smaller documents."
            )

    def _dpi(self, number: int) -> int:
        """The resolution that page `number` is rendered at."""
        wanted = self._limits.render_dpi
        width, height = (points / _POINTS_PER_INCH for points in self._points(number))
        fit = math.floor(wanted * fitting(width * wanted, height * wanted, self._limits))
        dpi = min(max(fit, _LEAST_DPI), wanted)
        check_page_size(number, math.ceil(width * dpi), math.ceil(height * dpi), self._limits)
        return dpi

    def _points(self, number: int) -> tuple[float, float]:
        """Width and height of page `number` in points, before any rotation."""
        info = pdfinfo_from_path(
            self._path,
            timeout=self._timeout_s,
            first_page=number,
            last_page=number,
        )
        # "Page    7 size": "595 x 842 pts (A4)"
        width, _, height = info[f"Page {number:4} size"].split()[:3]
        if float(width) <= 0 or float(height) <= 0:
            raise DamagedPage(
                f"Page {number} is {width} × {height} points: it is listed but missing. "
                "Export this page again."
            )
        return float(width), float(height)

    def _render(self, number: int, dpi: int) -> Image.Image:
        images, complaint = self._drawn(number, dpi)
        # Where poppler fails it gives nothing, or a page of 1 × 1 pixels, and no error.
        if not images or min(images[0].size) < MIN_SIDE:
            raise DamagedPage(f"Page {number} did not render. Export this page again.")
        if images[0].getcolors(1):
            # A blank page has to be blank by intent.
            if complaint:
                raise PDFSyntaxError(complaint)
            # Of a JPEG it cannot decode poppler may not even complain.
            with suppress(PageTooSmall):
                self._taken_out(number)
        return images[0]

    def _drawn(self, number: int, dpi: int) -> tuple[list[Image.Image], str]:
        """The page and what poppler complains about, unless that costs a picture on it."""
        try:
            return self._draw(number, dpi, strict=True), ""
        except PDFSyntaxError as error:
            complaint = _complaint(str(error))
        # What poppler cannot decode it leaves out, and a stamp over it hides that.
        if _LOST.search(complaint) or complaint.count(_ODD_ROW) > _FEW_COMPLAINTS:
            raise PDFSyntaxError(complaint)
        # The error came in place of the page, which was drawn.
        return self._draw(number, dpi, strict=False), complaint

    def _draw(self, number: int, dpi: int, *, strict: bool) -> list[Image.Image]:
        """The page, in a list of one or none; `strict` raises what poppler complains about."""
        images: list[Image.Image] = convert_from_path(
            self._path,
            dpi=dpi,
            first_page=number,
            last_page=number,
            grayscale=True,
            # pdfinfo measures the crop box; without this pdftoppm would render the media box.
            use_cropbox=True,
            timeout=self._timeout_s,
            strict=strict,
        )
        return images


def _complaint(said: str) -> str:
    """What poppler complains about, empty if it is harmless all."""
    lines = [line for line in said.splitlines() if _HARMLESS not in line]
    return "\n".join(lines) if any(_COMPLAINT in line for line in lines) else ""


def _count_pages(path: str, timeout_s: int) -> int:
    with _poppler_installed():
        try:
            return int(pdfinfo_from_path(path, timeout=timeout_s)["Pages"])
        except PDFPopplerTimeoutError as error:
            raise DocumentTimeout(
                f"The PDF took more than {timeout_s} s to open. Export it in a simpler form."
            ) from error
        except PDFPageCountError as error:
            if _was_killed(error):
                raise DocumentTimeout(
                    "Poppler was killed while it opened the PDF, for the time or the memory that "
                    "it took. Export it in a simpler form."
                ) from error
            raise _refusal(brief(error)) from error


def _was_killed(error: PDFPageCountError) -> bool:
    # Its exit status is lost; but of whatever is wrong with a file, pdfinfo complains.
    return not str(error).partition("\n")[2].strip()


def _refusal(complaint: str) -> EncryptedDocument | DamagedDocument | NoPages:
    if "password" in complaint or "security handler" in complaint:
        return EncryptedDocument()
    if "Invalid page count 0" in complaint:
        return _no_pages()
    return DamagedDocument(f"The PDF cannot be opened ({complaint}). Scan or export it again.")


def _near(wanted: tuple[float, float], stored: tuple[int, int]) -> tuple[int, int]:
    """The size in whole pixels; that which is stored where it differs by hardly anything."""
    if all(math.isclose(a, b, rel_tol=_SAME) for a, b in zip(wanted, stored, strict=True)):
        return stored
    width, height = wanted
    return max(round(width), 1), max(round(height), 1)


def _no_pages() -> NoPages:
    return NoPages("The PDF has 0 pages. Export it again with at least one page.")


def _check_end(file: BinaryIO) -> None:
    # Poppler repairs a cut-off PDF in silence and would render what is lost white.
    file.seek(max(0, file.seek(0, SEEK_END) - _PADDING_BYTES))
    if b"%%EOF" not in file.read().rstrip(b"\0\t\r\n ")[-_TAIL_BYTES:]:
        raise DamagedDocument(
            "The PDF is cut off: it has no end mark (%%EOF) in its last 1,024 bytes. "
            "Submit it again after a complete upload, or export it again."
        )


@contextmanager
def _poppler_installed() -> Iterator[None]:
    try:
        yield
    except PDFInfoNotInstalledError as error:
        raise HwrError(
            "poppler was not found: PDFs cannot be read. Install poppler-utils and try again."
        ) from error


@contextmanager
def _poppler_on_page(number: int, timeout_s: int) -> Iterator[None]:
    with _poppler_installed():
        try:
            yield
        except PDFPopplerTimeoutError as error:
            raise PageTimeout(
                f"Page {number} took more than {timeout_s} s to render. "
                "Export it as a plain scan, without vector drawings."
            ) from error
        except PDFPageCountError as error:
            if _was_killed(error):
                raise PageTimeout(
                    f"Poppler was killed while it looked for page {number}, for the time or the "
                    "memory that it took. Export it as a plain scan, without vector drawings."
                ) from error
            raise DamagedPage(
                f"Page {number} cannot be found ({brief(error)}). Export this page again."
            ) from error
        except PDFSyntaxError as error:
            raise DamagedPage(
                f"Page {number} is damaged and came out blank or in part ({brief(error)}). "
                "Scan or export this page again."
            ) from error
