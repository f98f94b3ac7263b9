"""No bytes whatever get anything out of `hwr.documents` but pages and named refusals."""

import tempfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from document_files import (
    A4,
    big_tiff,
    draw_page,
    encode,
    encrypted_pdf,
    group4,
    pdf,
    scanned_pdf,
    tiff,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hwr.documents import Document, Limits, open_document
from hwr.errors import DocumentError, PageError

LIMITS = Limits(max_pages=20, max_side=1000, page_timeout_s=10, render_dpi=36)

HEADS = [
    b"%PDF-1.4\n",
    b"II*\0",
    b"MM\0*",
    b"II+\0\x08\0\0\0",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
]


mutations = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=8)), max_size=6
)


@cache
def valid_pictures() -> tuple[bytes, ...]:
    page, other = draw_page(80, 60), draw_page(60, 90)
    return (
        encode(page, "PNG"),
        encode(page.convert("RGBA"), "PNG"),
        encode(page.convert("P"), "PNG", transparency=0),
        encode(page, "JPEG"),
        encode(page.convert("RGB"), "JPEG", progressive=True, exif=page.getexif()),
        *(tiff([page, other], kind) for kind in (None, "tiff_lzw", "packbits", "jpeg")),
        group4(page, other),
        big_tiff(page),
    )


@cache
def valid_pdfs() -> tuple[bytes, ...]:
    page = (A4, b"0 g 100 100 200 30 re f")
    scan = b"/ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode"
    return (
        pdf([page, page]),
        encrypted_pdf(opens_without_password=False),
        scanned_pdf(scan, encode(draw_page(), "JPEG")),
    )


def mutate(data: bytes, changes: list[tuple[float, bytes]], kept: float) -> bytes:
    mutated = bytearray(data)
    for place, replacement in changes:
        start = int(place * len(mutated))
        mutated[start : start + len(replacement)] = replacement
    return bytes(mutated[: max(1, int(len(mutated) * kept))])


def read_all(data: bytes) -> None:
    """Read every page; only refusals that say something may come out."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # In production Pillow's warnings are no errors: that way must hold as well.
        warnings.simplefilter("ignore")
        path = Path(folder, "upload")
        path.write_bytes(data)
        assert all(refusal.endswith(".") for refusal in refusals(path))


def refusals(path: Path) -> list[str]:
    try:
        with open_document(path, LIMITS) as document:
            return [page_refusal(document, n + 1) for n in range(document.page_count)]
    except DocumentError as error:
        return [str(error)]


def page_refusal(document: Document, number: int) -> str:
    try:
        image = document.page(number).image
    except PageError as error:
        return str(error)
    assert image.dtype == np.uint8
    assert max(image.shape) <= LIMITS.max_side
    return "None."


@settings(max_examples=150, deadline=None)
@given(head=st.sampled_from([b"", *HEADS[1:]]), body=st.binary(max_size=400))
def test_random_bytes(head: bytes, body: bytes) -> None:
    read_all(head + body or b"\0")


@settings(max_examples=300, deadline=None)
@given(
    data=st.deferred(lambda: st.sampled_from(valid_pictures())),
    changes=mutations,
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_mutated_pictures(data: bytes, changes: list[tuple[float, bytes]], kept: float) -> None:
    read_all(mutate(data, changes, kept))


@pytest.mark.usefixtures("poppler")
@settings(max_examples=50, deadline=None)
@given(
    data=st.deferred(lambda: st.sampled_from((HEADS[0] + b"\n%%EOF", *valid_pdfs()))),
    changes=mutations,
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_mutated_pdfs(data: bytes, changes: list[tuple[float, bytes]], kept: float) -> None:
    read_all(mutate(data, changes, kept))
