"""Ink as bright as its paper is seen by its colour; any other page is read by its brightness."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from document_files import (
    SCAN_BOX,
    SCAN_CONTENT,
    draw_page,
    encode,
    require_poppler,
    scanned_pdf,
)
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from hwr.documents import Limits, open_document

Colour = tuple[int, int, int]

#: Paper and ink whose brightness is the same, within one grey level or five.
ALIKE: list[tuple[Colour, Colour]] = [
    ((90, 150, 90), (225, 85, 80)),
    ((90, 150, 90), (217, 80, 80)),
    ((205, 120, 40), (110, 140, 230)),
    ((60, 110, 70), (190, 50, 50)),
    # Lighter in red, and darker in green by less than shows.
    ((100, 140, 100), (165, 107, 100)),
]
#: What a page of a PDF consists of is taken out of it, with its colours.
SCAN = b"/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter "


def painted(paper: Colour, ink: Colour) -> Image.Image:
    """The drawn page in colours."""
    page = Image.new("RGB", (400, 300), paper)
    page.paste(ink, mask=draw_page().point(lambda level: 255 - level))
    return page


def grey_of(tmp_path: Path, data: bytes) -> NDArray[np.uint8]:
    path = tmp_path / "document"
    path.write_bytes(data)
    with open_document(path, Limits(render_dpi=200)) as document:
        return document.page(1).image


def difference(grey: NDArray[np.uint8]) -> float:
    """Grey levels between ink and paper of the drawn page."""
    drawn = np.asarray(draw_page())
    return abs(float(np.median(grey[drawn == 0])) - float(np.median(grey[drawn == 255])))


def written(page: Image.Image, kind: str) -> bytes:
    if kind == "P":
        return encode(page.quantize(16), "PNG")
    if kind == "PDF of a JPEG":
        return scanned_pdf(SCAN + b"/DCTDecode", jpeg(page), SCAN_BOX, SCAN_CONTENT)
    if kind == "rendered PDF":
        return encode(page, "PDF", resolution=200)
    return jpeg(page) if kind == "JPEG" else encode(page, kind)


def jpeg(page: Image.Image) -> bytes:
    return encode(page, "JPEG", quality=85)


@pytest.mark.parametrize("kind", ["PNG", "P", "JPEG", "TIFF", "PDF of a JPEG", "rendered PDF"])
@pytest.mark.parametrize(("paper", "ink"), ALIKE)
def test_ink_as_bright_as_its_paper_is_seen(
    tmp_path: Path, kind: str, paper: Colour, ink: Colour
) -> None:
    if "PDF" in kind:
        require_poppler()
    assert difference(grey_of(tmp_path, written(painted(paper, ink), kind))) > 40


@pytest.mark.parametrize(("paper", "ink"), ALIKE)
def test_a_few_words_as_bright_as_their_paper_are_seen(
    tmp_path: Path, paper: Colour, ink: Colour
) -> None:
    page = Image.new("RGB", (1200, 1600), paper)
    draw = ImageDraw.Draw(page)
    for left in range(100, 700, 60):  # far enough apart for the gaps to be no strokes
        draw.line((left, 300, left + 15, 400), fill=ink, width=4)
    grey = grey_of(tmp_path, encode(page, "PNG"))
    assert abs(int(grey[350].max()) - int(grey[350].min())) > 60


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_faint_ink_that_brightness_shows_is_read_by_it(tmp_path: Path, kind: str) -> None:
    page = painted((200, 200, 200), (120, 205, 200))
    assert_brightness(grey_of(tmp_path, written(page, kind)), written(page, kind))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("ink", [(200, 30, 40), (235, 225, 60), (20, 20, 20)])
def test_ink_that_brightness_shows_is_read_by_it(tmp_path: Path, kind: str, ink: Colour) -> None:
    page = painted((250, 245, 235), ink)
    assert_brightness(grey_of(tmp_path, written(page, kind)), written(page, kind))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_empty_page_of_coloured_grain_stays_as_bright_as_it_is(
    tmp_path: Path, kind: str
) -> None:
    grain = np.random.default_rng(0).normal((200, 190, 150), (2, 2, 5), (300, 400, 3))
    page = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))
    assert_brightness(grey_of(tmp_path, written(page, kind)), written(page, kind))


def assert_brightness(grey: NDArray[np.uint8], data: bytes) -> None:
    """Brightness that a JPEG's decoder gives is another where its colours are cut off."""
    with Image.open(BytesIO(data)) as image:
        expected = np.asarray(image.convert("L"), np.int16)
    assert np.abs(grey - expected).mean() < 3
