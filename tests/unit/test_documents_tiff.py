"""TIFF: pages are independent, and missing pixels never pass for paper."""

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from document_files import (
    big_tiff,
    draw_page,
    empty_tiff_pages,
    encode,
    group4,
    strips,
    tiff,
    tiff_directories,
)
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from hwr.documents import Document, Format, Limits, open_document
from hwr.errors import (
    DamagedDocument,
    DamagedPage,
    HwrError,
    NoPages,
    PageTooLarge,
    PageTooSmall,
    TooManyPages,
)

#: Compressions that scanners write, and how far their pixels may be off.
COMPRESSIONS = {None: 0, "tiff_lzw": 0, "tiff_adobe_deflate": 0, "packbits": 0, "jpeg": 4}

SIZES = [(400, 300), (300, 500), (350, 420)]


def outcomes(tmp_path: Path, data: bytes) -> list[str]:
    """What each page of a TIFF comes to: "read" or the code of its refusal."""
    path = tmp_path / "scan.tif"
    path.write_bytes(data)
    with open_document(path) as document:
        return [outcome(document, number + 1) for number in range(document.page_count)]


def outcome(document: Document, number: int) -> str:
    try:
        document.page(number)
    except DamagedPage as error:
        told = str(error).startswith(f"Page {number} ") and str(error).endswith("again.")
        return error.code if told else f"says only: {error}"
    return "read"


@pytest.mark.parametrize(("compression", "off"), COMPRESSIONS.items())
def test_pages_in_any_order(tmp_path: Path, compression: str | None, off: int) -> None:
    drawn = [draw_page(*size) for size in SIZES]
    path = tmp_path / "scan.tif"
    path.write_bytes(tiff(drawn, compression))
    with open_document(path) as document:
        assert (document.format, document.page_count) == (Format.TIFF, 3)
        for number in (3, 1, 2, 2):
            image = document.page(number).image
            assert image.dtype == np.uint8
            assert np.abs(image.astype(int) - np.asarray(drawn[number - 1])).mean() <= off


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_bilevel(tmp_path: Path, compression: str) -> None:
    drawn = [draw_page(*size).convert("1") for size in SIZES]
    path = tmp_path / "scan.tif"
    path.write_bytes(tiff(drawn, compression))
    with open_document(path) as document:
        for number, image in enumerate(drawn, 1):
            assert np.array_equal(document.page(number).image, np.asarray(image) * np.uint8(255))


@pytest.mark.parametrize("tags", [{262: 0}, {262: 1}, {266: 2}])
def test_bits_either_way_round(tmp_path: Path, tags: dict[int, int]) -> None:
    drawn = draw_page().convert("1")
    path = tmp_path / "scan.tif"
    path.write_bytes(encode(drawn, "TIFF", compression="group4", tiffinfo=tags))
    with open_document(path) as document:
        assert np.array_equal(document.page(1).image, np.asarray(drawn) * np.uint8(255))


def test_big_tiff(tmp_path: Path) -> None:
    drawn = draw_page()
    path = tmp_path / "scan.tif"
    path.write_bytes(big_tiff(drawn))
    with open_document(path) as document:
        assert document.page_count == 1
        assert np.array_equal(document.page(1).image, np.asarray(drawn))


def test_16_bit_grey(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    path = tmp_path / "scan.tif"
    path.write_bytes(encode(Image.fromarray(deep), "TIFF"))
    with open_document(path) as document:
        assert np.array_equal(document.page(1).image, deep >> 8)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_16_bits_of_which_0_is_white(tmp_path: Path, compression: str | None) -> None:
    deep = np.linspace(0, 4095, 64 * 64).astype(np.uint16).reshape(64, 64)
    data = encode(Image.fromarray(deep), "TIFF", compression=compression)
    black, white = (struct.pack("<HHIHH", 262, 3, 1, zero, 0) for zero in (1, 0))
    assert data.count(black) == 1
    path = tmp_path / "scan.tif"
    path.write_bytes(data.replace(black, white))
    with open_document(path) as document:
        assert np.array_equal(document.page(1).image, 255 - (deep >> 4))


FAXES = {
    (204, 98): (624, 400),
    (204, 391): (300, 767),
    (204, 196): (300, 400),
    (200, 200): (300, 400),
    (200, 1): (300, 400),
    (0, 98): (300, 400),
    (204, 0): (300, 400),
}


@pytest.mark.parametrize(("resolution", "shape"), FAXES.items())
def test_a_fax_gets_pixels_as_high_as_wide(
    tmp_path: Path, resolution: tuple[int, int], shape: tuple[int, int]
) -> None:
    path = tmp_path / "fax.tif"
    drawn = draw_page(400, 300).convert("1")
    path.write_bytes(encode(drawn, "TIFF", compression="group4", dpi=resolution))
    with open_document(path) as document:
        image = document.page(1).image
    assert image.shape == shape
    small = np.asarray(Image.fromarray(image).resize((400, 300), Image.Resampling.BOX))
    assert np.abs(small.astype(int) - np.asarray(drawn.convert("L"))).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_fax_on_its_side_gets_pixels_as_high_as_wide(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "fax.tif"
    tags = {0x0112: orientation}
    path.write_bytes(encode(draw_page(400, 300), "TIFF", dpi=(204, 98), tiffinfo=tags))
    with open_document(path) as document:
        shape = document.page(1).image.shape
    assert shape == ((400, 624) if orientation > 4 else (624, 400))


def test_a_long_fax_keeps_to_the_limits(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    path.write_bytes(encode(draw_page(100, 900), "TIFF", dpi=(204, 102)))
    with open_document(path, Limits(max_side=1000)) as document:
        assert document.page(1).image.shape == (1000, 56)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_range_are_refused(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(encode(Image.new(mode, (64, 64)), "TIFF"))
    with (
        open_document(path) as document,
        pytest.raises(DamagedPage, match=r"32-bit pixels\. Save it with 8 bits a pixel\.$"),
    ):
        document.page(1)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "group4"])
def test_orientation_is_applied(tmp_path: Path, compression: str | None) -> None:
    drawn = draw_page().convert("1" if compression == "group4" else "L")
    path = tmp_path / "scan.tif"
    path.write_bytes(encode(drawn, "TIFF", compression=compression, tiffinfo={0x0112: 6}))
    drawn.getexif()[0x0112] = 6
    upright = ImageOps.exif_transpose(drawn).convert("L")
    with open_document(path) as document:
        assert np.array_equal(document.page(1).image, np.asarray(upright))


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_garbage_in_a_strip_refuses_that_page_alone(tmp_path: Path, compression: str) -> None:
    data = bytearray(tiff([draw_page(*size) for size in SIZES], compression))
    offset, count = strips(bytes(data), 1)[0]
    data[offset : offset + count] = b"\x5a" * count
    assert outcomes(tmp_path, bytes(data)) == ["read", "DamagedPage", "read"]


@pytest.mark.parametrize("page", [0, 1, 2])
def test_group4_strip_that_fades_to_zeros(tmp_path: Path, page: int) -> None:
    data = bytearray(group4(*(draw_page(*size) for size in SIZES)))
    offset, count = strips(bytes(data), page)[-1]
    data[offset + count // 2 : offset + count] = bytes(count - count // 2)
    expected = ["read"] * 3
    expected[page] = "DamagedPage"
    assert outcomes(tmp_path, bytes(data)) == expected


@pytest.mark.parametrize("page", [0, 1, 2])
def test_group4_strip_damaged_in_its_middle(tmp_path: Path, page: int) -> None:
    data = bytearray(group4(*(draw_page(*size) for size in SIZES)))
    offset, count = strips(bytes(data), page)[0]
    middle = offset + count // 2
    data[middle : middle + 20] = b"\0" * 20
    expected = ["read"] * 3
    expected[page] = "DamagedPage"
    assert outcomes(tmp_path, bytes(data)) == expected


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_group4_in_many_strips(tmp_path: Path, rows: int) -> None:
    drawn = draw_page().convert("1")
    data = encode(drawn, "TIFF", compression="group4", tiffinfo={278: rows})
    assert len(strips(data, 0)) == -(-drawn.height // rows)
    assert outcomes(tmp_path, data) == ["read"]


@pytest.mark.parametrize("compression", ["group4", "jpeg"])
def test_strip_whose_count_was_cut(tmp_path: Path, compression: str) -> None:
    drawn = draw_page(200, 200).convert("1" if compression == "group4" else "L")
    data = tiff([drawn], compression)
    _, count = strips(data, 0)[0]
    entry = struct.pack("<HHII", 279, 4, 1, count)
    assert data.count(entry) == 1
    cut = data.replace(entry, struct.pack("<HHII", 279, 4, 1, count // 2))
    assert outcomes(tmp_path, cut) == ["DamagedPage"]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_strips_that_are_not_listed(tmp_path: Path, compression: str | None) -> None:
    whole = encode(draw_page(), "TIFF", compression=compression, tiffinfo={278: 96})
    assert len(strips(whole, 0)) > 2
    data = bytearray(whole)
    for tag in (273, 279):
        entry = data.index(struct.pack("<H", tag), tiff_directories(whole)[0])
        struct.pack_into("<I", data, entry + 4, 2)
    assert len(strips(bytes(data), 0)) == 2
    assert outcomes(tmp_path, bytes(data)) == ["DamagedPage"]


def test_strip_of_no_bytes(tmp_path: Path) -> None:
    data = encode(draw_page(), "TIFF")
    ((_, count),) = strips(data, 0)
    entry = struct.pack("<HHII", 279, 4, 1, count)
    assert data.count(entry) == 1
    empty = data.replace(entry, struct.pack("<HHII", 279, 4, 1, 0))
    assert outcomes(tmp_path, empty) == ["DamagedPage"]


@pytest.mark.parametrize("photometric", [0, 1])
def test_group4_strip_without_end_of_block_is_read(tmp_path: Path, photometric: int) -> None:
    drawn = draw_page().convert("1")
    data = encode(drawn, "TIFF", compression="group4", tiffinfo={262: photometric})
    _, count = strips(data, 0)[0]
    entry = struct.pack("<HHII", 279, 4, 1, count)
    assert data.count(entry) == 1
    bare = data.replace(entry, struct.pack("<HHII", 279, 4, 1, count - 3))
    assert outcomes(tmp_path, bare) == ["read"]


def with_strip(data: bytes, strip: bytes) -> bytes:
    """The TIFF, of one strip, with another one in its place."""
    ((offset, count),) = strips(data, 0)
    for tag, old, new in ((273, offset, len(data)), (279, count, len(strip))):
        entry = struct.pack("<HHII", tag, 4, 1, old)
        assert data.count(entry) == 1
        data = data.replace(entry, struct.pack("<HHII", tag, 4, 1, new))
    return data + strip


@pytest.mark.parametrize("tail", [bytes(20), bytes.fromhex("001001") * 3], ids=["zeros", "ends"])
@pytest.mark.parametrize("order", [1, 2])
def test_what_an_encoder_puts_behind_group4_costs_no_page(
    tmp_path: Path, order: int, tail: bytes
) -> None:
    drawn = draw_page().convert("1")
    data = encode(drawn, "TIFF", compression="group4", tiffinfo={266: order, 278: 300})
    ((offset, count),) = strips(data, 0)
    if order == 2:
        tail = bytes(int(f"{byte:08b}"[::-1], 2) for byte in tail)
    assert outcomes(tmp_path, with_strip(data, data[offset : offset + count] + tail)) == ["read"]


@pytest.mark.parametrize("padding", [b"\r\n", bytes(10), bytes(500)])
def test_padding_behind_a_jpeg_strip_costs_no_page(tmp_path: Path, padding: bytes) -> None:
    data = encode(draw_page(), "TIFF", compression="jpeg", tiffinfo={278: 304})
    ((offset, count),) = strips(data, 0)
    padded = with_strip(data, data[offset : offset + count] + padding)
    assert outcomes(tmp_path, padded) == ["read"]


def test_a_last_strip_that_counts_as_much_as_a_whole_one(tmp_path: Path) -> None:
    tags = {256: 400, 257: 300, 258: 8, 259: 1, 262: 1, 277: 1, 278: 200}
    lists = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()]
    entries.insert(5, struct.pack("<HHII", 273, 4, 2, lists))
    entries.append(struct.pack("<HHII", 279, 4, 2, lists + 8))
    numbers = struct.pack("<4I", lists + 16, lists + 16 + 80_000, 80_000, 80_000)
    frame = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4)
    data = frame + numbers + draw_page().tobytes()
    assert outcomes(tmp_path, data) == ["read"]
    assert outcomes(tmp_path, data[:-1]) == ["DamagedPage"]


def test_group4_in_tiles(tmp_path: Path) -> None:
    drawn = draw_page(320, 320).convert("1")
    corners = [(left, top) for top in (0, 160) for left in (0, 160)]
    tiles = []
    for left, top in corners:
        tile = drawn.crop((left, top, left + 160, top + 160))
        data = encode(tile, "TIFF", compression="group4", tiffinfo={278: 160})
        ((offset, count),) = strips(data, 0)
        tiles.append(data[offset : offset + count])
    tags = {256: 320, 257: 320, 258: 1, 259: 4, 262: 1, 322: 160, 323: 160}
    lists = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()]
    entries += [struct.pack("<HHII", 324, 4, 4, lists), struct.pack("<HHII", 325, 4, 4, lists + 16)]
    starts = [lists + 32 + sum(map(len, tiles[:n])) for n in range(4)]
    numbers = struct.pack("<8I", *starts, *map(len, tiles))
    frame = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4)
    path = tmp_path / "scan.tif"
    path.write_bytes(frame + numbers + b"".join(tiles))
    with open_document(path) as document:
        assert np.array_equal(document.page(1).image, np.asarray(drawn) * np.uint8(255))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "group4", "jpeg"])
def test_truncated_file_keeps_its_whole_pages(tmp_path: Path, compression: str | None) -> None:
    drawn = [draw_page(*size).convert("1" if compression == "group4" else "L") for size in SIZES]
    data = tiff(drawn, compression)
    offset, count = strips(data, 2)[-1]
    third = tiff_directories(data)[2]
    assert outcomes(tmp_path, data[: offset + count // 2]) == ["read", "read", "DamagedPage"]
    assert outcomes(tmp_path, data[:third])[:2] == ["read", "read"]
    assert outcomes(tmp_path, data[:third])[2:] == ["DamagedPage"]


def test_broken_directory_does_not_reach_its_neighbours(tmp_path: Path) -> None:
    data = bytearray(group4(*(draw_page(*size) for size in SIZES)))
    second = tiff_directories(bytes(data))[1]
    (count,) = struct.unpack_from("<H", data, second)
    data[second + 2 : second + 2 + 12 * count] = b"\xee" * 12 * count
    assert outcomes(tmp_path, bytes(data)) == ["read", "DamagedPage", "read"]


def test_chain_that_runs_in_a_circle(tmp_path: Path) -> None:
    data = bytearray(tiff([draw_page(*size) for size in SIZES]))
    first, _, third = tiff_directories(bytes(data))
    (count,) = struct.unpack_from("<H", data, third)
    struct.pack_into("<I", data, third + 2 + 12 * count, first)
    assert outcomes(tmp_path, bytes(data)) == ["read", "read", "read", "DamagedPage"]


def refused(tmp_path: Path, data: bytes, error: type[HwrError], match: str) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(data)
    with pytest.raises(error, match=match), open_document(path) as document:
        document.page(1)


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        (b"II*\0\0\0\0\0", NoPages, "0 pages"),
        (b"II*\0", NoPages, "0 pages"),
        (b"II*\0\x08\0\0\0" + bytes(6), DamagedDocument, "before its first page"),
        (b"II*\0\xff\xff\xff\xff", DamagedDocument, "before its first page"),
        (b"MM\0+\0\x08\0\0" + b"\xff" * 8, DamagedDocument, "before its first page"),
        (empty_tiff_pages(5000), TooManyPages, "more than 3,000 pages. Split"),
        (encode(Image.new("L", (1, 1)), "TIFF"), PageTooSmall, "1 × 1"),
        (encode(Image.new("1", (40_000, 20)), "TIFF"), PageTooLarge, "40,000 × 20"),
        (encode(Image.new("1", (9_900, 9_900)), "TIFF"), PageTooLarge, "in all"),
    ],
)
def test_refusals(tmp_path: Path, data: bytes, error: type[HwrError], match: str) -> None:
    refused(tmp_path, data, error, match)


def test_the_limit_of_pages_itself_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(empty_tiff_pages(5))
    with open_document(path, Limits(max_pages=5)) as document:
        assert document.page_count == 5
    with pytest.raises(TooManyPages), open_document(path, Limits(max_pages=4)):
        pass


def marked(*pages: tuple[Image.Image, int]) -> bytes:
    """A TIFF of pages, each with what kind of directory it is (NewSubfileType)."""
    images = [image.copy() for image, _ in pages]
    for image, (_, kind) in zip(images, pages, strict=True):
        image.encoderinfo = {"tiffinfo": {254: kind}}
    return encode(
        images[0], "TIFF", save_all=True, append_images=images[1:], tiffinfo={254: pages[0][1]}
    )


PAGE, OTHER, THUMBNAIL = draw_page(400, 300), draw_page(300, 200), draw_page(100, 75)


@pytest.mark.parametrize(
    ("data", "widths"),
    [
        (marked((PAGE, 0), (THUMBNAIL, 1), (OTHER, 2)), [400, 300]),
        (marked((THUMBNAIL, 1), (PAGE, 0)), [400]),
        (marked((PAGE, 0), (PAGE.convert("1"), 4)), [400]),
        (marked((PAGE, 1), (OTHER, 1)), [400, 300]),
        (marked((OTHER, 0), (PAGE, 1)), [300, 400]),
        (marked((PAGE, 0), (OTHER, 1), (draw_page(395, 310), 1)), [400, 300, 395]),
        (marked((draw_page(401, 301), 0), (draw_page(201, 151), 1)), [401]),
    ],
    ids=[
        "thumbnail behind",
        "thumbnail before",
        "mask",
        "all called copies",
        "no smaller copy",
        "other pages called copies",
        "half as large",
    ],
)
def test_thumbnails_and_masks_are_no_pages(tmp_path: Path, data: bytes, widths: list[int]) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(data)
    with open_document(path) as document:
        pages = [document.page(number + 1) for number in range(document.page_count)]
    assert [page.image.shape[1] for page in pages] == widths


def test_no_page_is_lost_behind_many_thumbnails(tmp_path: Path) -> None:
    data = marked((PAGE, 0), (THUMBNAIL, 1), (THUMBNAIL, 1), (PAGE, 0))
    path = tmp_path / "scan.tif"
    path.write_bytes(data)
    with pytest.raises(TooManyPages), open_document(path, Limits(max_pages=2)):
        pass


def test_planes_of_16_bits_are_refused_not_read_as_noise(tmp_path: Path) -> None:
    pixels = np.asarray(draw_page()).astype("<u2").tobytes()
    plane, start = 400 * 300 * 2, 8 + 2 + 11 * 12 + 4
    arrays = struct.pack(
        "<3H3I3I", 16, 16, 16, *(start + 30 + plane * n for n in range(3)), *(plane,) * 3
    )
    short = {258: (3, 3, start), 273: (4, 3, start + 6), 279: (4, 3, start + 18)}
    tags = {256: 400, 257: 300, 259: 1, 262: 2, 277: 3, 278: 300, 284: 2, 339: 1}
    entries = short | {tag: (4, 1, value) for tag, value in tags.items()}
    packed = b"".join(struct.pack("<HHII", tag, *entries[tag]) for tag in sorted(entries))
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    path = tmp_path / "scan.tif"
    path.write_bytes(head + packed + bytes(4) + arrays + pixels * 3)
    with open_document(path) as document, pytest.raises(DamagedPage, match="planes of 16-bit"):
        document.page(1)


def test_a_palette_of_8_bits_where_16_belong(tmp_path: Path) -> None:
    drawn = draw_page().convert("P")
    data = bytearray(encode(drawn, "TIFF"))
    with Image.open(BytesIO(data)) as image:
        assert isinstance(image, TiffImageFile)
        colours = struct.pack(f"<{3 * 256}H", *image.tag_v2[320])
    assert data.count(colours) == 1
    narrow = struct.pack(f"<{3 * 256}H", *(high for high in colours[1::2]))
    path = tmp_path / "scan.tif"
    path.write_bytes(data.replace(colours, narrow))
    with open_document(path) as document:
        assert np.array_equal(document.page(1).image, np.asarray(drawn.convert("L")))
