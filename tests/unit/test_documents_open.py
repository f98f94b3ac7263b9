"""What is refused before any page is decoded, and how a format is told."""

import os
from dataclasses import fields
from pathlib import Path

import pytest
from document_files import draw_page, encode, pdf, require_poppler

import hwr.documents
from hwr.documents import Format, Limits, open_document
from hwr.documents.formats import is_document
from hwr.documents.limits import MIN_SIDE
from hwr.errors import (
    DocumentError,
    DocumentTooLarge,
    EmptyDocument,
    PageError,
    UnsupportedFormat,
)
from workers.limits import limits_of
from workers.settings import Settings


def test_public_names() -> None:
    assert hwr.documents.__all__ == ["Document", "Format", "Limits", "Page", "open_document"]


def test_limits_are_those_of_the_settings() -> None:
    settings = {name: field.default for name, field in Settings.model_fields.items()}
    settings["page_timeout_s"] = settings["page_deadline_s"]
    settings["min_side"] = MIN_SIDE  # no setting
    assert {f.name: f.default for f in fields(Limits)} == {
        f.name: settings[f.name] for f in fields(Limits)
    }


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    path.touch()
    with pytest.raises(EmptyDocument, match=r"0 bytes\. Submit"), open_document(path):
        pass


@pytest.mark.parametrize("name", ["missing.pdf", "", "nul\0.pdf"])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError), open_document(tmp_path / name):
        pass


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    with (
        pytest.raises(DocumentError, match="is not a file"),
        open_document(tmp_path / "pipe.pdf"),
    ):
        pass


def test_too_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(encode(draw_page(), "PNG"))
    size = path.stat().st_size
    with open_document(path, Limits(max_bytes=size)):
        pass
    with (
        pytest.raises(DocumentTooLarge, match=f"{size:,} bytes, more than {size - 1:,}"),
        open_document(path, Limits(max_bytes=size - 1)),
    ):
        pass


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"PK\x03\x04....", "a ZIP archive or an Office document"),
        (b"GIF89a", "a GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP picture"),
        (b"\0\0\0\x18ftypheic", "a HEIC picture"),
        (b"<!doctype html>", "HTML"),
        (b"<p>A PDF begins with %PDF-1.4</p>", "HTML"),
        (b"Dear Sir,\n\tplease find\r\n", "plain text"),
        (b"\x80\x81", r"unknown kind \(first bytes: 80 81\)"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(data)
    with pytest.raises(UnsupportedFormat, match=f"{found}.*Convert"), open_document(path):
        pass


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_the_content_tells_the_format_not_the_suffix(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "letter.docx"
    path.write_bytes(encode(draw_page(), kind))
    with open_document(path) as document:
        assert document.format is Format(kind.lower())
        assert document.page(1).image.shape == (300, 400)


@pytest.mark.parametrize("late", [250, 1019])
def test_a_pdf_may_start_late(tmp_path: Path, late: int) -> None:
    require_poppler()
    path = tmp_path / "late.png"
    junk = b"junk from a mail gateway\n" * 50
    path.write_bytes(junk[:late] + pdf([(b"/MediaBox [0 0 99 99]", b"")]))
    with open_document(path) as document:
        assert document.format is Format.PDF


@pytest.mark.parametrize("number", [-1, 0, 2])
def test_a_page_that_is_not_there(tmp_path: Path, number: int) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(encode(draw_page(), "PNG"))
    with (
        open_document(path) as document,
        pytest.raises(PageError, match=f"no page {number}. Ask for a page from 1 to 1"),
    ):
        document.page(number)


def test_an_error_of_the_caller_passes_through(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(encode(draw_page(), "PNG"))
    with pytest.raises(OSError, match="disk full"), open_document(path):
        raise OSError("disk full")


def test_what_cannot_be_opened_may_be_a_document(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir,")
    assert not is_document(tmp_path / "letter.txt")
    assert is_document(tmp_path / "gone.pdf")


def test_the_limits_are_set_by_the_service() -> None:
    settings = Settings(max_bytes=1, max_pages=2, max_side=3, render_dpi=4, page_deadline_s=100.0)
    assert limits_of(settings) == Limits(
        max_bytes=1, max_pages=2, max_side=3, render_dpi=4, page_timeout_s=80.0
    )
