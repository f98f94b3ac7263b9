"""PDF pages that are one scan: the picture that is taken out is the one that rendering shows."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import pikepdf
import pytest
from document_files import (
    SCAN_BOX,
    SCAN_CONTENT,
    draw_page,
    encode,
    pdf,
    scanned_pdf,
    strips,
)
from numpy.typing import NDArray
from PIL import Image, ImageOps

from hwr.documents import Limits, open_document
from hwr.documents import limits as limits_module
from hwr.documents import pdf as pdf_module
from hwr.documents import scans as scans_module
from hwr.documents.embedded import decode
from hwr.documents.picture import MAX_SCANS
from hwr.documents.scans import MAX_CONTENT, Scans
from hwr.errors import DamagedPage, PageTimeout, PageTooSmall

Grey = NDArray[np.uint8]

GREY = b"/ColorSpace /DeviceGray /BitsPerComponent 8 "
RGB = b"/ColorSpace /DeviceRGB /BitsPerComponent 8 "
BILEVEL = b"/ColorSpace /DeviceGray /BitsPerComponent 1 "
JPEG = b"/Filter /DCTDecode"
FLATE = b"/Filter /FlateDecode"
#: What a row begins with of a fax that is coded row by row.
FAX_ROW = "000000000001"
GROUP3 = BILEVEL + b"/Filter /CCITTFaxDecode /DecodeParms << /Columns 400 /EndOfLine true >>"

pytestmark = pytest.mark.usefixtures("poppler")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan.pdf"


def colour_page() -> Image.Image:
    page = draw_page(ink=60).convert("RGB")
    page.paste((200, 40, 90), (230, 20, 380, 50))
    return page


def fax_data(page: Image.Image, kind: str) -> bytes:
    file = encode(page.convert("1"), "TIFF", compression=kind, tiffinfo={278: page.height})
    ((offset, count),) = strips(file, 0)
    return file[offset : offset + count]


def group4_data(page: Image.Image) -> bytes:
    return fax_data(page, "group4")


def group3_data(page: Image.Image, odd_rows: int) -> bytes:
    """Of so many rows, each third one in the text, twelve pixels came in on the way."""
    bits = "".join(f"{byte:08b}" for byte in fax_data(page, "group3"))
    rows = bits.split(FAX_ROW)
    for number in range(60, 60 + 3 * odd_rows, 3):
        rows[number] = "00111" + "11" + rows[number]  # ten white ones and two black
    bits = FAX_ROW.join(rows)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def predicted(page: Image.Image) -> bytes:
    """The page's rows as they stand in a PNG."""
    file = BytesIO(encode(page, "PNG"))
    data = file.getvalue()
    start = data.index(b"IDAT") + 4
    return data[start : start + int.from_bytes(data[start - 8 : start - 4])]


def fax(settings: bytes = b"") -> bytes:
    return BILEVEL + b"/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 400 %s >>" % settings


def png(colours: int) -> bytes:
    head = GREY if colours == 1 else RGB
    parms = b" /DecodeParms << /Predictor 15 /Colors %d /Columns 400 /BitsPerComponent 8 >>"
    return head + FLATE + parms % colours


def with_compressed(content: bytes) -> bytes:
    image = encode(draw_page(), "JPEG")
    return scanned_pdf(GREY + JPEG, image, content=zlib.compress(content, 9), stored=FLATE)


SOUND: dict[str, Callable[[], bytes]] = {
    "grey JPEG": lambda: scanned_pdf(GREY + JPEG, encode(draw_page(ink=40), "JPEG")),
    "colour JPEG": lambda: scanned_pdf(RGB + JPEG, encode(colour_page(), "JPEG", quality=90)),
    "JPEG in arrays": lambda: scanned_pdf(
        RGB + b"/Filter [/DCTDecode]", encode(colour_page(), "JPEG", progressive=True)
    ),
    "fax": lambda: scanned_pdf(fax(), group4_data(draw_page())),
    "fax, rows said": lambda: scanned_pdf(fax(b"/Rows 300"), group4_data(draw_page())),
    "fax, inverted": lambda: scanned_pdf(fax(b"/BlackIs1 true"), group4_data(draw_page())),
    "plain grey": lambda: scanned_pdf(GREY + FLATE, zlib.compress(draw_page().tobytes())),
    "plain colour": lambda: scanned_pdf(RGB + FLATE, zlib.compress(colour_page().tobytes())),
    "grey rows of a PNG": lambda: scanned_pdf(png(1), predicted(draw_page(ink=90))),
    "colour rows of a PNG": lambda: scanned_pdf(png(3), predicted(colour_page())),
    "other matrices": lambda: scanned_pdf(
        GREY + JPEG,
        encode(draw_page(), "JPEG"),
        content=b"q\n.24 0 0 .24 0 0 cm q 600 0 0 450.0 0 0 cm\n/Im0 Do Q\nQ\n",
    ),
    "edges not quite those of the page": lambda: scanned_pdf(
        GREY + JPEG,
        encode(draw_page(), "JPEG"),
        content=b"q 143.7 0 0 107.8 0.2 0.1 cm /Im0 Do Q",
    ),
    "compressed content": lambda: with_compressed(SCAN_CONTENT),
    "box the other way round": lambda: scanned_pdf(
        GREY + JPEG, encode(draw_page(), "JPEG"), b"/MediaBox [144 108 0 0]"
    ),
    "box away from 0": lambda: scanned_pdf(
        GREY + JPEG,
        encode(draw_page(), "JPEG"),
        b"/MediaBox [10 20 154 128] /CropBox [10 20 154 128] /Rotate 0",
        b"144 0 0 108 10 20 cm /Im0 Do",
    ),
}


def image_of(path: Path, dpi: int = 200) -> Grey:
    with open_document(path, Limits(render_dpi=dpi)) as document:
        return document.page(1).image


def rendered(path: Path, monkeypatch: pytest.MonkeyPatch, dpi: int = 200) -> Grey:
    with monkeypatch.context() as patch:
        patch.setattr(Scans, "of_page", lambda *_: None)
        return image_of(path, dpi)


def taken(path: Path, monkeypatch: pytest.MonkeyPatch, dpi: int = 200) -> Grey:
    with monkeypatch.context() as patch:
        patch.setattr(pdf_module, "convert_from_path", lambda *_, **__: pytest.fail("rendered"))
        return image_of(path, dpi)


@pytest.mark.parametrize("kind", SOUND)
def test_the_picture_is_that_of_rendering(
    kind: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(SOUND[kind]())
    picture, expected = taken(path, monkeypatch), rendered(path, monkeypatch)
    assert picture.shape == expected.shape == (300, 400)
    assert picture.dtype == np.uint8
    assert picture.flags.writeable
    assert within_a_pixel(picture, expected) > 0.995
    assert within_a_pixel(np.roll(picture, 3, axis=0), expected) < 0.9


def sized_pdf(points: int) -> bytes:
    """A page so many points wide of one scan of 400 × 300 pixels."""
    size = points, 3 * points // 4
    box, content = b"/MediaBox [0 0 %d %d]", b"q %d 0 0 %d 0 0 cm /Im0 Do Q"
    return scanned_pdf(GREY + JPEG, encode(draw_page(), "JPEG"), box % size, content % size)


@pytest.mark.parametrize(
    ("points", "dpi", "size"),
    [
        pytest.param(40, 200, (400, 300), id="paper too small for all these pixels"),
        pytest.param(288, 100, (400, 300), id="as the paper says"),
        pytest.param(288, 300, (1200, 900), id="enlarged to the paper"),
        pytest.param(151, 200, (419, 314), id="enlarged by little"),
        pytest.param(288, 50, (279, 209), id="a quarter of Letter at the least"),
        pytest.param(28_800, 50, (558, 419), id="paper too large: Letter at the most"),
    ],
)
def test_a_scan_comes_at_the_resolution_of_its_paper_where_that_can_be(
    points: int, dpi: int, size: tuple[int, int], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(sized_pdf(points))
    picture = taken(path, monkeypatch, dpi)
    assert picture.shape[::-1] == size
    if size == (400, 300):
        stored = np.array(Image.open(BytesIO(encode(draw_page(), "JPEG"))))
        assert np.array_equal(picture, stored)


def test_a_large_photograph_on_absurd_paper_keeps_its_pixels(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.effect_noise((2200, 2900), 30).save(path, "PDF", resolution=72)
    assert taken(path, monkeypatch).shape == (2900, 2200)


@pytest.mark.parametrize("kind", ["colour JPEG", "fax", "grey rows of a PNG"])
def test_a_picture_larger_than_pages_may_be_is_made_smaller(
    kind: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(SOUND[kind]())
    monkeypatch.setattr(pdf_module, "convert_from_path", lambda *_, **__: pytest.fail("rendered"))
    whole = image_of(path)
    with open_document(path, Limits(max_side=160)) as document:
        picture = document.page(1).image
    assert picture.shape == (120, 160)
    # Each draws strokes thinner than a pixel in its own way: compare what is dark where.
    coarse = [
        cv2.resize(image, (8, 6), interpolation=cv2.INTER_AREA).astype(int)
        for image in (picture, whole)
    ]
    assert np.ptp(coarse[0]) > 60
    assert np.abs(coarse[0] - coarse[1]).max() < 20


def test_a_picture_of_more_pixels_than_pages_may_have_is_made_smaller(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(SOUND["grey JPEG"]())
    monkeypatch.setattr(limits_module, "MAX_PIXELS", 200 * 150)
    assert image_of(path).shape == (150, 200)


def test_what_is_too_fine_for_a_smaller_picture_becomes_grey(path: Path) -> None:
    stripes = np.zeros((300, 400), np.uint8)
    stripes[:, ::2] = 255
    path.write_bytes(scanned_pdf(GREY + FLATE, zlib.compress(stripes.tobytes())))
    with open_document(path, Limits(max_side=160)) as document:
        assert document.page(1).image.std() < 45


def within_a_pixel(picture: Grey, expected: Grey) -> float:
    """Share of pixels as bright as one of the nine at their place, for poppler stretches a picture
    by a pixel; decoders and what they take for grey differ by a little."""
    box = np.ones((3, 3), np.uint8)
    darkest, brightest = cv2.erode(expected, box), cv2.dilate(expected, box)
    inside = (picture >= darkest.astype(int) - 12) & (picture <= brightest.astype(int) + 12)
    return float(inside.mean())


def jpeg_page(
    image: bytes = b"", page: bytes = SCAN_BOX, content: bytes = SCAN_CONTENT
) -> Callable[[], bytes]:
    return lambda: scanned_pdf(GREY + JPEG + image, encode(draw_page(), "JPEG"), page, content)


def endless_jpeg() -> bytes:
    data = encode(draw_page(), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * (MAX_SCANS + 1) + data[-2:]


def without_pixels(unpacked: bytes) -> bytes:
    page = scanned_pdf(GREY + FLATE, zlib.compress(unpacked))
    return page.replace(b"/Width 400 /Height 300", b"/Width 0   /Height 0  ")


def encrypted(data: bytes) -> bytes:
    """The PDF under a password of its owner alone."""
    stream = BytesIO()
    with pikepdf.open(BytesIO(data)) as document:
        document.save(stream, encryption=pikepdf.Encryption(owner="sesame", user=""))
    return stream.getvalue()


IN_DOUBT: dict[str, Callable[[], bytes]] = {
    "turned page": jpeg_page(page=SCAN_BOX + b" /Rotate 90"),
    "cropped page": jpeg_page(page=SCAN_BOX + b" /CropBox [0 0 100 108]"),
    "scaled page": jpeg_page(page=SCAN_BOX + b" /UserUnit 2"),
    "annotated page": jpeg_page(page=SCAN_BOX + b" /Annots [<< /Type /Annot /Subtype /Square >>]"),
    "smaller picture": jpeg_page(content=b"q 100 0 0 75 0 0 cm /Im0 Do Q"),
    "moved picture": jpeg_page(content=b"q 144 0 0 108 5 0 cm /Im0 Do Q"),
    "pixels that are not square": jpeg_page(
        page=b"/MediaBox [0 0 144 112]", content=b"q 144 0 0 112 0 0 cm /Im0 Do Q"
    ),
    "mirrored picture": jpeg_page(content=b"q -144 0 0 108 144 0 cm /Im0 Do Q"),
    "turned picture": jpeg_page(content=b"q 0 108 -144 0 144 0 cm /Im0 Do Q"),
    "matrix of another level": jpeg_page(content=b"q 144 0 0 108 0 0 cm Q /Im0 Do"),
    "something over it": jpeg_page(content=SCAN_CONTENT + b" 0 0 50 50 re f"),
    "something under it": jpeg_page(content=b"0 0 50 50 re f " + SCAN_CONTENT),
    "something far behind": jpeg_page(content=SCAN_CONTENT + b" " * MAX_CONTENT + b" 0 0 9 9 re f"),
    "something far behind, compressed": lambda: with_compressed(
        SCAN_CONTENT + b" " * MAX_CONTENT + b" 0 0 9 9 re f"
    ),
    "drawn twice": jpeg_page(content=SCAN_CONTENT * 2),
    "placed beyond all numbers": jpeg_page(
        content=b"1 0 0 1 %s %s cm 1 0 0 1 0 0 cm /Im0 Do" % ((b"9" * 400,) * 2)
    ),
    "too many ends": jpeg_page(content=SCAN_CONTENT + b" Q"),
    "inverted picture": jpeg_page(b" /Decode [1 0]"),
    "mask": jpeg_page(b" /Mask [0 10]"),
    "JPEG with settings": jpeg_page(b" /DecodeParms << /ColorTransform 0 >>"),
    "calibrated colours": lambda: scanned_pdf(
        b"/ColorSpace [/CalGray << /WhitePoint [1 1 1] >>] /BitsPerComponent 8 " + JPEG,
        encode(draw_page(), "JPEG"),
    ),
    "other colours for the device's": lambda: scanned_pdf(
        GREY + JPEG,
        encode(draw_page(), "JPEG"),
        resources=b"/ColorSpace << /DefaultGray [/CalGray << /WhitePoint [1 1 1] >>] >>",
    ),
    "palette": lambda: scanned_pdf(
        b"/ColorSpace [/Indexed /DeviceGray 1 <00ff>] /BitsPerComponent 8 " + FLATE,
        zlib.compress(bytes(400 * 300)),
    ),
    "other colours": lambda: scanned_pdf(RGB + JPEG, encode(draw_page(), "JPEG")),
    "another size": lambda: scanned_pdf(GREY + JPEG, encode(draw_page(300, 200), "JPEG")),
    "other rows": lambda: scanned_pdf(fax(b"/Rows 200"), group4_data(draw_page(400, 200))),
    "fax with line ends": lambda: scanned_pdf(fax(b"/EndOfLine true"), group4_data(draw_page())),
    "wasteful fax": lambda: scanned_pdf(fax(), group4_data(draw_page()) + bytes(range(1, 99))),
    "cut pixels": lambda: scanned_pdf(GREY + FLATE, zlib.compress(bytes(400 * 299))),
    "a row less of a PNG": lambda: scanned_pdf(
        png(1), zlib.compress(zlib.decompress(predicted(draw_page()))[: 401 * 299])
    ),
    "rows of another length": lambda: scanned_pdf(
        png(1).replace(b"/Columns 400", b"/Columns 401"), predicted(draw_page())
    ),
    "no pixels": lambda: without_pixels(b""),
    "two filters": lambda: scanned_pdf(GREY + b"/Filter [/FlateDecode /DCTDecode]", b"x"),
    "encrypted": lambda: encrypted(SOUND["grey JPEG"]()),
    "no picture": lambda: pdf([(SCAN_BOX, SCAN_CONTENT)]),
}


for entry in ("ImageMask true", "SMask << >>", "SMaskInData 1", "OC << >>", "F (x)", "FFilter /X"):
    IN_DOUBT[f"picture with /{entry}"] = jpeg_page(f" /{entry}".encode())


@pytest.mark.parametrize("kind", IN_DOUBT)
def test_what_is_in_doubt_is_rendered(
    kind: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(IN_DOUBT[kind]())
    drawn: list[int] = []

    def render(_: object, number: int, dpi: object) -> Any:
        drawn.append(number)
        return draw_page()

    monkeypatch.setattr(pdf_module.Pdf, "_render", render)
    image_of(path)
    assert drawn == [1]


@pytest.mark.parametrize(
    ("image", "data"),
    [
        (GREY + JPEG, encode(draw_page(), "JPEG")[:2000]),
        (GREY + JPEG, encode(Image.effect_noise((400, 300), 80), "JPEG")[:9000] + b"\xff\xd9"),
        (GREY + JPEG, endless_jpeg()),
        (fax(), group4_data(draw_page())[:100]),
        (GREY + FLATE, zlib.compress(Image.effect_noise((400, 300), 80).tobytes())[:9000]),
        (GREY + FLATE, zlib.compress(draw_page().tobytes()[: 400 * 150])),
        (png(1), zlib.compress(zlib.decompress(predicted(draw_page()))[: 401 * 150])),
    ],
    ids=[
        "cut JPEG",
        "JPEG that ends early",
        "JPEG of endless scans",
        "cut fax",
        "cut pixels",
        "fewer pixels",
        "fewer rows of a PNG",
    ],
)
def test_a_scan_that_is_cut_is_refused_not_read_in_part(
    path: Path, image: bytes, data: bytes
) -> None:
    path.write_bytes(scanned_pdf(image, data))
    with pytest.raises(DamagedPage, match=r"Page 1 .*(again|JPEG)\.$"):
        image_of(path)


def test_a_jpeg_that_lacks_its_end_mark_alone_is_whole(path: Path) -> None:
    path.write_bytes(scanned_pdf(GREY + JPEG, encode(draw_page(), "JPEG")[:-2]))
    assert image_of(path).min() < 10


STAMP = SCAN_CONTENT + b" 10 10 40 5 re f"


@pytest.mark.parametrize(
    "kind", [b"/DCTDecode", b"/JPXDecode", b"/FlateDecode", b"/LZWDecode", b"/OddDecode"]
)
def test_a_stamp_does_not_hide_that_the_picture_is_lost(path: Path, kind: bytes) -> None:
    path.write_bytes(scanned_pdf(GREY + b"/Filter " + kind, b"junk" * 50, content=STAMP))
    with pytest.raises(DamagedPage, match=r"Page 1 is damaged and came out blank or in part .*"):
        image_of(path)


def test_a_fax_with_a_few_odd_rows_is_read(path: Path) -> None:
    path.write_bytes(scanned_pdf(GROUP3, group3_data(draw_page(), 2)))
    sound, odd = path.with_name("sound.pdf"), image_of(path)
    sound.write_bytes(scanned_pdf(GROUP3, group3_data(draw_page(), 0)))
    assert np.mean((odd < 128) != (image_of(sound) < 128)) < 0.01


def test_a_fax_with_many_odd_rows_is_refused(path: Path) -> None:
    path.write_bytes(scanned_pdf(GROUP3, group3_data(draw_page(), 20)))
    with pytest.raises(DamagedPage, match="Page 1 is damaged"):
        image_of(path)


def test_a_fax_that_lost_all_from_one_row_on_is_refused(path: Path) -> None:
    data = bytearray(group4_data(draw_page()))
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(scanned_pdf(fax(), bytes(data), content=STAMP))
    with pytest.raises(DamagedPage, match="Page 1 is damaged"):
        image_of(path)


def jbig2(page: Image.Image) -> bytes:
    """The page as one region, and the end of the page, which PDFs need not have."""
    region = struct.pack(">IIIIBB", *page.size, 0, 0, 0, 1) + group4_data(ImageOps.invert(page))
    segments = (48, struct.pack(">IIIIBH", *page.size, 0, 0, 0, 0)), (38, region), (49, b"")
    heads = (
        struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data
        for number, (kind, data) in enumerate(segments)
    )
    return b"".join(heads)


JBIG2 = BILEVEL + b"/Filter /JBIG2Decode "


def test_a_jbig2_picture_with_its_end_of_page_is_whole(path: Path) -> None:
    path.write_bytes(scanned_pdf(JBIG2, jbig2(draw_page()), content=STAMP))
    image = image_of(path)
    assert image[25:45, 25:195].max() == 0
    assert image[200:250].min() == 0


def test_a_blank_jbig2_picture_with_its_end_of_page_is_a_blank_page(path: Path) -> None:
    path.write_bytes(scanned_pdf(JBIG2, jbig2(Image.new("L", (400, 300), 255))))
    assert image_of(path).min() == 255


@pytest.mark.parametrize("missing", [40, 200, 400])
def test_a_jbig2_picture_that_is_cut_is_refused(path: Path, missing: int) -> None:
    path.write_bytes(scanned_pdf(JBIG2, jbig2(draw_page())[:-missing], content=STAMP))
    with pytest.raises(DamagedPage, match="came out blank or in part"):
        image_of(path)


def test_a_jbig2_picture_of_a_kind_that_poppler_does_not_know_is_refused(path: Path) -> None:
    data = jbig2(draw_page())
    region = struct.pack(">IB", 1, 38)
    assert data.count(region) == 1
    data = data.replace(region, struct.pack(">IB", 1, 37))
    path.write_bytes(scanned_pdf(JBIG2, data, content=STAMP))
    with pytest.raises(DamagedPage, match="came out blank or in part"):
        image_of(path)


def test_what_poppler_complains_about_may_look_as_it_should(path: Path) -> None:
    # A font that is nowhere: nothing is written in it.
    content = STAMP + b" BT /Absent 9 Tf ET"
    path.write_bytes(scanned_pdf(GREY + JPEG, encode(draw_page(), "JPEG"), content=content))
    assert image_of(path).min() == 0


def test_a_scan_that_nobody_can_decode_is_no_blank_page(path: Path) -> None:
    # Poppler leaves it out without a word.
    path.write_bytes(scanned_pdf(GREY + JPEG, b"\xff\xd8" + bytes(5000)))
    with pytest.raises(DamagedPage, match=r"Page 1 .* again"):
        image_of(path)


def test_a_page_whose_time_is_up_is_not_rendered_as_well(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object) -> None:
        raise PageTimeout

    path.write_bytes(SOUND["grey JPEG"]())
    monkeypatch.setattr(pdf_module, "decode", late)
    with open_document(path) as document, pytest.raises(PageTimeout):
        document.page(1)


def test_a_long_document_is_opened_afresh_now_and_then(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(SOUND["fax"]())
    monkeypatch.setattr(scans_module, "PAGES_AT_ONCE", 2)
    with path.open("rb") as file:
        scans = Scans(file, 1)
        opened = scans._pdf
        first, second, third = [scans.of_page(1) for _ in range(3)]
    assert scans._pdf is not opened
    assert first == second == third is not None


def test_a_document_of_which_poppler_counts_other_pages_is_left_to_it(path: Path) -> None:
    path.write_bytes(SOUND["fax"]())
    with path.open("rb") as file:
        assert Scans(file, 1).of_page(1) is not None
        assert Scans(file, 2).of_page(1) is None


def peak_bytes(file: BinaryIO) -> int:
    """Memory that it takes to look at the first page and take its picture out."""
    tracemalloc.start()
    scan = Scans(file, 1).of_page(1)
    if scan is not None:
        decode(1, scan, scan.size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    "page",
    [
        with_compressed(SCAN_CONTENT + b" " * 3_000_000),
        scanned_pdf(GREY + FLATE, zlib.compress(draw_page().tobytes() + bytes(20_000_000))),
        without_pixels(bytes(20_000_000)),
    ],
    ids=["content", "picture", "picture of no pixels"],
)
def test_what_unpacks_to_more_than_there_may_be_is_not_unpacked(path: Path, page: bytes) -> None:
    path.write_bytes(page)
    with path.open("rb") as file:
        assert peak_bytes(file) < 1_500_000


def test_a_scan_that_is_too_small_is_refused(path: Path) -> None:
    path.write_bytes(SOUND["grey JPEG"]())
    with (
        open_document(path, Limits(min_side=301)) as document,
        pytest.raises(PageTooSmall, match="301 a side"),
    ):
        document.page(1)


def test_a_picture_that_says_it_is_larger_than_pages_may_be_is_left_to_rendering(
    path: Path,
) -> None:
    page = SOUND["plain grey"]()
    path.write_bytes(
        page.replace(
            b"/Width 400 /Height 300 /ColorSpace /DeviceGray ",
            b"/Width 40000/Height 30000/ColorSpace/DeviceGray",
        )
    )
    with path.open("rb") as file:
        assert Scans(file, 1).of_page(1) is None


def test_a_picture_of_very_many_bytes_is_left_to_rendering(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = encode(draw_page(), "JPEG")
    path.write_bytes(scanned_pdf(GREY + JPEG, image))
    for most, is_taken in ((len(image), True), (len(image) - 1, False)):
        monkeypatch.setattr(scans_module, "MAX_DATA", most)
        with path.open("rb") as file:
            assert (Scans(file, 1).of_page(1) is not None) is is_taken


def test_a_page_tree_that_grows_without_end_is_left_to_poppler(path: Path) -> None:
    # Each level lists the next one ten times: a billion pages in a kilobyte.
    levels = b"".join(
        b"%d 0 obj\n<< /Type /Pages /Count 1 /Kids [%s] >>\nendobj\n"
        % (n, b" ".join([b"%d 0 R" % (n + 1)] * 10))
        for n in range(2, 11)
    )
    objects = b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n" + levels
    objects += b"11 0 obj\n<< /Type /Page /Parent 10 0 R %s >>\nendobj\n" % SCAN_BOX
    head, table = b"%PDF-1.4\n", b"0000000000 65535 f \n"
    for number in range(1, 12):
        table += b"%010d 00000 n \n" % (len(head) + objects.index(b"%d 0 obj" % number))
    tail = b"xref\n0 12\n" + table + b"trailer\n<< /Size 12 /Root 1 0 R >>\nstartxref\n"
    path.write_bytes(head + objects + tail + b"%d\n%%%%EOF\n" % len(head + objects))
    with path.open("rb") as file:
        assert Scans(file, 1).of_page(1) is None
