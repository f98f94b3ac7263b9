"""JPEG and PNG: every kind of pixel comes out grey on white, every lie is refused."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from document_files import draw_page, encode, png_header
from numpy.typing import NDArray
from PIL import Image, ImageOps

from hwr.documents import Limits, Page, open_document
from hwr.documents.pixels import brief, decoding
from hwr.errors import DamagedDocument, DamagedPage, PageTooLarge, PageTooSmall


def read(tmp_path: Path, data: bytes, limits: Limits | None = None) -> NDArray[np.uint8]:
    path = tmp_path / "picture"
    path.write_bytes(data)
    with open_document(path, limits or Limits()) as document:
        page = document.page(1)
    assert isinstance(page, Page)
    assert (page.number, page.image.dtype, page.image.ndim) == (1, np.dtype(np.uint8), 2)
    return page.image


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA"])
def test_png_pixels(tmp_path: Path, mode: str) -> None:
    drawn = draw_page()
    assert np.array_equal(read(tmp_path, encode(drawn.convert(mode), "PNG")), np.asarray(drawn))


def test_16_bit_png_keeps_its_upper_bits(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    assert np.array_equal(read(tmp_path, encode(Image.fromarray(deep), "PNG")), deep >> 8)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_of_which_fewer_are_in_use(tmp_path: Path, bits: int, kind: str) -> None:
    deep = np.linspace(0, 2**bits - 1, 64 * 64).astype(np.uint16).reshape(64, 64)
    grey = read(tmp_path, encode(Image.fromarray(deep), kind))
    assert np.array_equal(grey, deep >> (bits - 8))


def test_noise_in_the_lowest_of_16_bits_stays_dark(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 200, (64, 64), np.uint16)
    assert read(tmp_path, encode(Image.fromarray(deep), "PNG")).max() < 50


def test_cielab_is_read_by_its_lightness(tmp_path: Path) -> None:
    drawn = draw_page()
    neutral = Image.new("L", drawn.size, 128)
    picture = Image.merge("LAB", (drawn, neutral, neutral))
    assert np.array_equal(read(tmp_path, encode(picture, "TIFF")), np.asarray(drawn))


def test_transparent_paper_is_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 20, 40))
    image.paste((0, 0, 0, 128), (0, 30, 40, 40))
    grey = read(tmp_path, encode(image, "PNG"))
    assert (grey[0, 0], grey[0, 39], grey[39, 39]) == (0, 255, 127)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_light_ink_on_transparent_ground_comes_out_dark(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (40, 40), 0)
    image.paste(Image.new(mode, (10, 40), "white"), (0, 0))
    grey = read(tmp_path, encode(image, "PNG"))
    assert (grey[0, 0], grey[0, 39]) == (0, 255)


@pytest.mark.parametrize("width", [15, 30])
def test_a_white_sheet_on_transparent_ground_stays_white(tmp_path: Path, width: int) -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste("white", (0, 0, width, 40))
    image.paste("black", (4, 0, 6, 40))
    grey = read(tmp_path, encode(image, "PNG"))
    assert (grey[0, 0], grey[0, 5], grey[0, 39]) == (255, 0, 255)


def test_a_blank_sheet_on_transparent_ground_stays_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste("white", (0, 0, 30, 40))
    assert read(tmp_path, encode(image, "PNG")).min() == 255


def test_what_is_wholly_transparent_is_white(tmp_path: Path) -> None:
    assert read(tmp_path, encode(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG")).min() == 255


def test_light_ink_on_a_ground_that_is_hardly_there_comes_out_dark(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 10))
    image.paste("white", (0, 0, 10, 40))
    grey = read(tmp_path, encode(image, "PNG"))
    assert (grey[0, 0], grey[0, 39]) == (0, 255)


def test_transparent_palette_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, 10, 10, 10])
    image.paste(0, (0, 0, 20, 40))
    grey = read(tmp_path, encode(image, "PNG", transparency=1))
    assert (grey[0, 0], grey[0, 39]) == (0, 255)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_pixels(tmp_path: Path, mode: str, progressive: bool) -> None:
    drawn = draw_page()
    data = encode(drawn.convert(mode), "JPEG", quality=98, progressive=progressive)
    assert np.abs(read(tmp_path, data).astype(int) - np.asarray(drawn)).mean() < 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, kind: str, orientation: int) -> None:
    drawn = draw_page()
    drawn.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(drawn))
    grey = read(tmp_path, encode(drawn, kind, exif=drawn.getexif()))
    assert grey.shape == upright.shape
    assert np.abs(grey.astype(int) - upright).mean() < 5


def test_the_image_can_be_written_to(tmp_path: Path) -> None:
    read(tmp_path, encode(draw_page(), "PNG"))[:] = 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated_pixels(tmp_path: Path, kind: str, kept: float) -> None:
    noise = Image.effect_noise((200, 200), 80)
    data = encode(noise, kind)
    with pytest.raises(DamagedPage, match=r"Page 1 .*again"):
        read(tmp_path, data[: int(len(data) * kept)])


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_that_ends_early_behind_a_whole_frame(tmp_path: Path, mode: str) -> None:
    data = encode(Image.effect_noise((200, 200), 80).convert(mode), "JPEG")
    with pytest.raises(DamagedPage, match=r"before its last rows.*again"):
        read(tmp_path, data[: len(data) // 2] + b"\xff\xd9")


@pytest.mark.parametrize("transform", [0, 2])
def test_a_jpeg_of_inks_that_ends_early(tmp_path: Path, transform: int) -> None:
    data = bytearray(encode(Image.effect_noise((200, 200), 80).convert("CMYK"), "JPEG"))
    data[data.index(b"Adobe") + 11] = transform  # CMYK as it is, or as YCCK
    assert read(tmp_path, bytes(data)).shape == (200, 200)
    with pytest.raises(DamagedPage, match=r"before its last rows.*again"):
        read(tmp_path, bytes(data[: len(data) // 2]) + b"\xff\xd9")


def png_rows(mode: str, rows: bytes) -> bytes:
    """A PNG of 100 × 100 pixels of a mode, whose data is whole but holds these rows alone."""
    bits, colours = {"1": (1, 0), "L": (8, 0), "I;16": (16, 0), "P": (8, 3), "RGBA": (8, 6)}[mode]
    header = struct.pack(">IIBBBBB", 100, 100, bits, colours, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"PLTE", bytes(768))] if mode == "P" else [(b"IHDR", header)]
    packed = zlib.compress(rows)
    chunks += [(b"IDAT", packed[:10]), (b"IDAT", packed[10:]), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize(
    ("mode", "row"), [("1", 14), ("L", 101), ("I;16", 201), ("P", 101), ("RGBA", 401)]
)
def test_a_png_without_its_last_rows(tmp_path: Path, mode: str, row: int) -> None:
    rows = (b"\0" + b"\xff" * (row - 1)) * 80 + bytes(row) * 20
    assert read(tmp_path, png_rows(mode, rows + bytes(10**6))).shape == (100, 100)
    for some in (rows[:-row], rows[: row * 50]):
        with pytest.raises(DamagedPage, match=r"ends before its last rows.*again"):
            read(tmp_path, png_rows(mode, some))


def test_a_png_that_ends_in_black_rows_is_whole(tmp_path: Path) -> None:
    page = Image.new("L", (2000, 2500))
    page.paste(draw_page(), (0, 0))
    assert not read(tmp_path, encode(page, "PNG"))[-1].any()


@pytest.mark.parametrize("size", [(5000, 5000), (312, 400)])
def test_a_jpeg_that_lies_about_its_size(tmp_path: Path, size: tuple[int, int]) -> None:
    data = bytearray(encode(draw_page(400, 296), "JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, *size)
    with pytest.raises(DamagedPage, match="larger than it is"):
        read(tmp_path, bytes(data))


@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\0\0\0"]
)
def test_truncated_header(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DamagedDocument, match="header"):
        read(tmp_path, data)


def test_one_pixel(tmp_path: Path) -> None:
    with pytest.raises(PageTooSmall, match=r"1 × 1 pixels.*150 dpi"):
        read(tmp_path, encode(Image.new("L", (1, 1)), "PNG"))


@pytest.mark.parametrize("size", [(40_000, 40_000), (40_000, 20), (20, 40_000), (9_900, 9_900)])
def test_too_large_is_refused_by_its_header(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(PageTooLarge, match=rf"{size[0]:,} × {size[1]:,} pixels.*resolution"):
        read(tmp_path, png_header(*size))


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    data = encode(draw_page(400, 300), "PNG")
    assert read(tmp_path, data, Limits(max_side=400)).shape == (300, 400)
    with pytest.raises(PageTooLarge, match="more than 399 a side"):
        read(tmp_path, data, Limits(max_side=399))


def test_the_least_side_itself_is_allowed(tmp_path: Path) -> None:
    assert read(tmp_path, encode(Image.new("L", (16, 20)), "PNG")).shape == (20, 16)
    with pytest.raises(PageTooSmall, match="less than 16 a side"):
        read(tmp_path, encode(Image.new("L", (20, 15)), "PNG"))


def test_a_video_behind_a_photo_is_not_taken_for_scans(tmp_path: Path) -> None:
    photo = encode(draw_page(), "JPEG", progressive=True)
    assert read(tmp_path, photo + b"\xff\xda\0\2" * 101).shape == (300, 400)


def test_a_thumbnail_does_not_hide_endless_scans(tmp_path: Path) -> None:
    small = encode(draw_page(40, 30), "JPEG")
    data = encode(draw_page(), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    hidden = data[:2] + b"\xff\xe9" + struct.pack(">H", len(small) + 2) + small + data[2:-2]
    with pytest.raises(DamagedPage, match=r" scans, more than 100\. Save it as a baseline"):
        read(tmp_path, hidden + b"\xff\x01" + scan * 100 + data[-2:])


def test_a_jpeg_of_endless_scans(tmp_path: Path) -> None:
    data = encode(draw_page(), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    most = data[:-2] + scan * (100 - data.count(b"\xff\xda"))
    assert read(tmp_path, most + data[-2:]).shape == (300, 400)
    with pytest.raises(DamagedPage, match=r"101 scans, more than 100\. Save it as a baseline"):
        read(tmp_path, most + scan + data[-2:])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("exif", [b"II*\0\xff\xff", b"XX*\0\xff\xff"])
def test_broken_exif_does_not_cost_the_page(tmp_path: Path, kind: str, exif: bytes) -> None:
    data = encode(draw_page(), kind, exif=b"Exif\0\0" + exif)
    assert read(tmp_path, data).shape == (300, 400)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("short\n  and \x1b good", "short and  good"),
        ("word " * 100, "word " * 23 + "word …"),
        ("x" * 500, "x" * 120 + " …"),
        ("", "ValueError"),
    ],
)
def test_what_a_decoder_says_is_cut_between_words(message: str, said: str) -> None:
    assert brief(ValueError(message)) == said


@pytest.mark.parametrize(
    "error", [MemoryError(), Image.DecompressionBombError("x"), Image.DecompressionBombWarning("x")]
)
def test_what_asks_for_too_much_memory_is_too_large_and_not_damaged(error: Exception) -> None:
    with pytest.raises(PageTooLarge, match=r"Page 7.* lower resolution"), decoding(7):
        raise error
