"""PDF: limits before poppler renders, and poppler's silent failures named."""

from pathlib import Path

import numpy as np
import pytest
from document_files import A4, encrypted_pdf, pdf
from pdf2image import convert_from_path

from hwr.documents import Format, Limits, open_document
from hwr.documents import pdf as pdf_module
from hwr.errors import (
    DamagedDocument,
    DamagedPage,
    DocumentTimeout,
    EncryptedDocument,
    HwrError,
    NoPages,
    PageTimeout,
    PageTooLarge,
    PageTooSmall,
    TooManyPages,
    UnsupportedFormat,
)

BAR = b"0 g 60 700 200 40 re f"
TEN_METRES = b"/MediaBox [0 0 28346.5 28346.5]"

pytestmark = pytest.mark.usefixtures("poppler")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan.pdf"


def refuse_document(path: Path, error: type[HwrError], match: str) -> None:
    with pytest.raises(error, match=match), open_document(path):
        pass


def refuse_page(path: Path, number: int, error: type[Exception], match: str) -> None:
    with open_document(path) as document, pytest.raises(error, match=match):
        document.page(number)


def test_a_page_is_rendered_grey_at_its_resolution(path: Path) -> None:
    path.write_bytes(pdf([(A4, b""), (A4, BAR)]))
    with open_document(path) as document:
        assert (document.format, document.page_count) == (Format.PDF, 2)
        blank, drawn = document.page(1).image, document.page(2).image
    assert drawn.dtype == np.uint8
    assert drawn.shape == blank.shape
    assert abs(drawn.shape[0] - 842 / 72 * 200) <= 1
    assert blank.min() == 255
    top, left = (int((842 - 740) / 72 * 200), int(60 / 72 * 200))
    assert drawn[top + 5 : top + 100, left + 5 : left + 500].max() == 0
    assert drawn[top + 120 :].min() == 255


@pytest.mark.parametrize(("dpi", "shape"), [(72, (842, 595)), (36, (421, 298))])
def test_render_dpi(path: Path, dpi: int, shape: tuple[int, int]) -> None:
    path.write_bytes(pdf([(A4, b"")]))
    with open_document(path, Limits(render_dpi=dpi)) as document:
        assert document.page(1).image.shape == shape


def test_rotation_is_applied(path: Path) -> None:
    path.write_bytes(pdf([(A4 + b" /Rotate 90", BAR)]))
    with open_document(path, Limits(render_dpi=72)) as document:
        assert document.page(1).image.shape == (595, 842)


def test_a_large_page_is_rendered_at_a_lower_resolution(path: Path) -> None:
    lower_half = b"0 g 0 0 842 595 re f"
    path.write_bytes(pdf([(b"/MediaBox [0 0 842 1190]", lower_half), (A4, BAR)]))
    with open_document(path, Limits(max_side=1000, render_dpi=100)) as document:
        image = document.page(1).image
        assert image.shape == (992, 702)  # 60 dpi
        assert image[:494].min() == 255
        assert image[498:].max() == 0
        assert document.page(2).image.shape[0] == 995  # 85 dpi


def test_one_huge_page_alone_is_refused_before_rendering(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(pdf([(A4, BAR), (TEN_METRES, BAR), (A4, BAR)]))
    with open_document(path, Limits(render_dpi=600)) as document:
        assert document.page(1).image.min() == 0
        assert document.page(3).image.min() == 0
        monkeypatch.setattr(pdf_module, "convert_from_path", lambda *_, **__: pytest.fail("drawn"))
        with pytest.raises(PageTooLarge, match=r"Page 2 is 19,686 × 19,686 pixels.*resolution"):
            document.page(2)


def test_only_the_crop_box_is_rendered(path: Path) -> None:
    path.write_bytes(pdf([(TEN_METRES + b" /CropBox [0 0 595 842]", BAR)]))
    with open_document(path, Limits(render_dpi=72)) as document:
        assert document.page(1).image.shape == (842, 595)


def test_a_page_of_a_tenth_of_a_point(path: Path) -> None:
    path.write_bytes(pdf([(b"/MediaBox [0 0 0.1 0.1]", b"")]))
    refuse_page(path, 1, PageTooSmall, "1 × 1 pixels")


def test_a_listed_page_that_is_missing(path: Path) -> None:
    path.write_bytes(pdf([(A4, BAR)] * 2).replace(b"5 0 obj\n", b"9 0 obj\n"))
    refuse_page(path, 2, DamagedPage, "Page 2 is 0 × 0 points: it is listed but missing")


@pytest.mark.parametrize("content", [b"\x00garbage) Tj", b"/Absent Do"])
def test_a_page_that_is_blank_because_it_is_damaged(path: Path, content: bytes) -> None:
    path.write_bytes(pdf([(A4, BAR), (A4, content), (A4, b"")]))
    refuse_page(path, 2, DamagedPage, r"Page 2 is damaged .*again")
    with open_document(path) as document:
        assert document.page(1).image.min() == 0
        assert document.page(3).image.min() == 255


def test_a_page_that_shows_something_is_read_whatever_poppler_complains_about(path: Path) -> None:
    path.write_bytes(pdf([(A4, BAR + b" /Absent Do")]))
    with open_document(path, Limits(render_dpi=72)) as document:
        assert np.unique(document.page(1).image).tolist() == [0, 255]


def test_poppler_giving_one_pixel_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(pdf([(A4, BAR)]))
    monkeypatch.setattr(
        pdf_module,
        "convert_from_path",
        lambda *args, **kw: convert_from_path(*args, **{**kw, "size": (1, 1)}),
    )
    refuse_page(path, 1, DamagedPage, "Page 1 did not render")


def test_a_password(path: Path) -> None:
    path.write_bytes(encrypted_pdf(opens_without_password=False))
    refuse_document(path, EncryptedDocument, "Remove its password")


def test_an_owner_password_alone_keeps_nobody_out(path: Path) -> None:
    path.write_bytes(encrypted_pdf(opens_without_password=True))
    with open_document(path) as document:
        assert document.page(1).image.min() == 255


def test_more_pages_than_a_pdf_counts_are_not_lost_in_silence(path: Path) -> None:
    path.write_bytes(pdf([(A4, BAR)] * 3).replace(b"/Count 3", b"/Count 1"))
    refuse_document(path, DamagedDocument, "says that it has 1 pages and lists 3: .* again")


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        (b"/Collection << /Type /Collection >>", "portfolio: .* one by one"),
        (b"/NeedsRendering true", "Adobe Reader alone .* Print it"),
    ],
)
def test_a_pdf_whose_pages_are_not_what_it_holds(path: Path, entry: bytes, match: str) -> None:
    path.write_bytes(pdf([(A4, BAR)], catalog=entry))
    refuse_document(path, UnsupportedFormat, match)


def test_attachments_alone_do_not_keep_pages_from_being_read(path: Path) -> None:
    path.write_bytes(pdf([(A4, BAR)], catalog=b"/Collection << /View /H >> /NeedsRendering false"))
    with open_document(path) as document:
        assert document.page(1).image.min() == 0


def test_no_pages(path: Path) -> None:
    path.write_bytes(pdf([]))
    refuse_document(path, NoPages, "0 pages")


def test_the_limit_of_pages_itself_is_allowed(path: Path) -> None:
    path.write_bytes(pdf([(A4, BAR)] * 2))
    with open_document(path, Limits(max_pages=2)) as document:
        assert document.page_count == 2


def test_five_thousand_pages(path: Path) -> None:
    path.write_bytes(pdf([(A4, b"")] * 5000))
    refuse_document(path, TooManyPages, r"5,000 pages, more than 3,000\. Split")


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.98])
def test_a_truncated_file(path: Path, kept: float) -> None:
    data = pdf([(A4, BAR)] * 20)
    path.write_bytes(data[: int(len(data) * kept)])
    refuse_document(path, DamagedDocument, "again")


def test_a_truncated_file_that_poppler_would_repair(path: Path) -> None:
    data = pdf([(A4, BAR)] * 20)
    trailer = data[data.index(b"trailer") :]
    path.write_bytes(data.replace(b"%PDF-1.4\n", b"%PDF-1.4\n" + trailer)[:-2000])
    refuse_document(path, DamagedDocument, "cut off: it has no end mark")


def test_padding_after_the_end_is_accepted(path: Path) -> None:
    path.write_bytes(pdf([(A4, BAR)]) + bytes(4096))
    with open_document(path) as document:
        assert document.page_count == 1


def test_a_name_that_looks_like_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-v").write_bytes(pdf([(A4, BAR)]))
    with open_document(Path("-v"), Limits(render_dpi=72)) as document:
        assert document.page(1).image.min() == 0


def test_a_title_cannot_forge_sizes(path: Path) -> None:
    info = b"<< /Title (x\nPage    1 size: 10 x 10 pts\nPages: 3) >>"
    path.write_bytes(pdf([(TEN_METRES, BAR)], b"/Info 5 0 R", info))
    refuse_page(path, 1, PageTooLarge, "19,686")


def _replace(monkeypatch: pytest.MonkeyPatch, program: str, folder: Path, does: str) -> None:
    """Put a `program` first on PATH that does this where poppler would work."""
    script = folder / program
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_opening_has_a_deadline(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(pdf([(A4, BAR)]))
    _replace(monkeypatch, "pdfinfo", tmp_path, "exec sleep 60")
    with (
        pytest.raises(DocumentTimeout, match=r"more than 1 s to open\. Export"),
        open_document(path, Limits(page_timeout_s=1.9)),
    ):
        pass


def test_a_poppler_that_is_killed_does_not_make_the_file_damaged(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(pdf([(A4, BAR)]))
    with open_document(path) as document:
        _replace(monkeypatch, "pdfinfo", tmp_path, "kill -XCPU $$")
        with pytest.raises(PageTimeout, match=r"killed while it looked for page 1.*Export"):
            document.page(1)
    refuse_document(path, DocumentTimeout, r"killed while it opened.*Export")


def test_rendering_has_a_deadline(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Huge rectangles, each of which poppler fills in full.
    squares = b" ".join(b"%d %d 3000 3000 re f" % (n % 50, n % 70) for n in range(400_000))
    path.write_bytes(pdf([(A4, b"0.5 g " + squares), (A4, BAR)]))
    with open_document(path, Limits(page_timeout_s=1)) as document:
        with pytest.raises(PageTimeout, match=r"Page 1 took more than 1 s to render\. Export"):
            document.page(1)
        assert document.page(2).image.min() == 0


def test_poppler_missing_is_not_the_documents_fault(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(pdf([(A4, BAR)]))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HwrError, match="Install poppler-utils") as caught, open_document(path):
        pass
    assert type(caught.value) is HwrError


def test_a_soft_time_limit_is_not_blamed_on_the_page(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SoftTimeLimitError(Exception):
        """Stands for billiard's, which can be raised in the middle of anything."""

    def interrupted(*_: object, **__: object) -> None:
        raise SoftTimeLimitError("after 60 s")

    path.write_bytes(pdf([(A4, BAR)]))
    monkeypatch.setattr(pdf_module, "convert_from_path", interrupted)
    refuse_page(path, 1, SoftTimeLimitError, "^after 60 s$")
