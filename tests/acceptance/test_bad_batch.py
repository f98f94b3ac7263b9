"""Every kind of bad document in one job of a real `hwr up`, with good ones between them.

Each is refused by its name, with what to do about it, and for itself alone.
"""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from document_files import (
    A4,
    encrypted_pdf,
    group4,
    pdf,
    png_header,
    require_poppler,
    strips,
)
from PIL import Image
from pipeline import draw_lines, png, tiff
from running import Up, hwr

from workers.client import Client

#: Strokes that are found as one line.
LINE = b"3 w " + b" ".join(b"%d 700 m %d 730 l S" % (60 + 8 * n, 64 + 8 * n) for n in range(50))

#: Ten metres a side, which are 236,221 pixels at 600 dpi.
TEN_METRES = b"/MediaBox [0 0 28346.5 28346.5]"

#: A page's lines, or the code of its refusal.
Outcome = int | str


def jpeg(page: Image.Image) -> bytes:
    stream = BytesIO()
    page.save(stream, "JPEG")
    return stream.getvalue()


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def damage_second_page(content: bytes) -> bytes:
    """The TIFF with garbage in the middle of the first strip of its second page."""
    offset, count = strips(content, 1)[0]
    garbage = np.random.default_rng(1).bytes(count // 2)
    start = offset + count // 3
    return content[:start] + garbage + content[start + len(garbage) :]


def three_pages(encode: Callable[..., bytes]) -> bytes:
    return encode(*(draw_lines(lines, seed=lines) for lines in (1, 2, 3)))


def lzw(*pages: Image.Image) -> bytes:
    stream = BytesIO()
    pages[0].save(
        stream, "TIFF", save_all=True, append_images=list(pages[1:]), compression="tiff_lzw"
    )
    return stream.getvalue()


GOOD = png(draw_lines(3))

#: Refused as a whole: content, code, and a word of the remedy.
DOCUMENTS = {
    "empty.pdf": (b"", "EmptyDocument", "complete upload"),
    "truncated.pdf": (half(pdf([(A4, LINE)])), "DamagedDocument", "again"),
    "without its end.pdf": (pdf([(A4, LINE)])[:-20], "DamagedDocument", "again"),
    "truncated in its header.tif": (tiff([draw_lines(1)])[:12], "DamagedDocument", "again"),
    "locked.pdf": (encrypted_pdf(opens_without_password=False), "EncryptedDocument", "password"),
    "text.pdf": (b"Dear sir, this is text.", "UnsupportedFormat", "Convert"),
    "archive.pdf": (b"PK\x03\x04" + bytes(100), "UnsupportedFormat", "Convert"),
    "page.html": (b"<!DOCTYPE html><p>Dear sir", "UnsupportedFormat", "Convert"),
    "drawing.svg": (b'<?xml version="1.0"?><svg/>', "UnsupportedFormat", "Convert"),
    "program": (b"\x7fELF" + bytes(100), "UnsupportedFormat", "Convert"),
    "noise.jpg": (bytes(range(255, 0, -1)), "UnsupportedFormat", "Convert"),
    "no pages.pdf": (pdf([]), "NoPages", "at least one page"),
    "5000 pages.pdf": (pdf([(A4, b"")] * 5000), "TooManyPages", "Split"),
}

#: Opened; page by page how many lines were found, or its refusal.
PAGES: dict[str, tuple[bytes, list[Outcome], str]] = {
    "a PNG.pdf": (GOOD, [3], ""),
    "truncated.png": (half(GOOD), ["DamagedPage"], "again"),
    "truncated.jpg": (half(jpeg(draw_lines(3))), ["DamagedPage"], "again"),
    "truncated.tif": (half(three_pages(lzw)), [1, "DamagedPage"], "again"),
    "dot.png": (png(Image.new("L", (1, 1))), ["PageTooSmall"], "150 dpi"),
    "40000 pixels.png": (png_header(40_000, 30_000), ["PageTooLarge"], "lower resolution"),
    "ten metres.pdf": (pdf([(TEN_METRES, LINE)]), ["PageTooLarge"], "smaller page size"),
    "one page of ten metres.pdf": (
        pdf([(A4, LINE), (TEN_METRES, LINE), (A4, LINE)]),
        [1, "PageTooLarge", 1],
        "smaller page size",
    ),
    "blank by damage.pdf": (pdf([(A4, LINE), (A4, b"/Scan Do")]), [1, "DamagedPage"], "again"),
    "damaged.g4.tif": (damage_second_page(three_pages(group4)), [1, "DamagedPage", 3], "again"),
    "damaged.lzw.tif": (damage_second_page(three_pages(lzw)), [1, "DamagedPage", 3], "again"),
    "good.tif": (tiff([draw_lines(1), draw_lines(2)]), [1, 2], ""),
    "good.jpg": (jpeg(draw_lines(3)), [3], ""),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All documents; those of the two tables take turns, so that good ones stand between."""
    require_poppler()
    folder = tmp_path_factory.mktemp("batch")
    names = [name for pair in zip(DOCUMENTS, PAGES, strict=True) for name in pair]
    for name in names:
        (folder / name).write_bytes((DOCUMENTS.get(name) or PAGES[name])[0])
    return [folder / name for name in names]


def check(results: list[dict[str, Any]], files: list[Path]) -> None:
    """Each document is there, in order, with its refusal and remedy or with its lines."""
    assert [result["name"] for result in results] == [file.name for file in files]
    refused = {result["name"]: result["error"] for result in results if result["error"]}
    assert {name: error["code"] for name, error in refused.items()} == {
        name: code for name, (_, code, _) in DOCUMENTS.items()
    } | {name: outcomes[0] for name, (_, outcomes, _) in PAGES.items() if all_failed(outcomes)}
    assert [
        n for n, (_, _, remedy) in DOCUMENTS.items() if remedy not in refused[n]["message"]
    ] == []
    pages = {result["name"]: result["pages"] for result in results if result["name"] in PAGES}
    assert {name: list(map(outcome, pages[name])) for name in pages} == {
        name: outcomes for name, (_, outcomes, _) in PAGES.items()
    }
    for name, (_, _, remedy) in PAGES.items():
        assert all(remedy in page["error"]["message"] for page in pages[name] if page["error"])


def all_failed(outcomes: list[Outcome]) -> bool:
    return all(isinstance(found, str) for found in outcomes)


def outcome(page: dict[str, Any]) -> Outcome:
    return page["error"]["code"] if page["error"] else len(page["lines"])


def test_a_batch_of_all_that_is_bad(up: Up, files: list[Path]) -> None:
    with Client(up.url) as client:
        job = list(client.follow(client.submit(files)["id"]))[-1]
        results = client.results(job["id"])
    assert (job["state"], results["complete"]) == ("done_with_errors", True), up.logs()
    check(results["documents"], files)


def test_the_same_batch_without_a_service(files: list[Path], model: Path) -> None:
    done = hwr("read", *files, "--format", "json", model=model)
    assert done.returncode == 1
    check([json.loads(line) for line in done.stdout.splitlines()], files)
