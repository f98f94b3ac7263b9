"""Peak memory of splitting a short and a long PDF, side by side: `python bench_split_memory.py`.

Draws PDFs of scanned A6 pages into a temporary folder, splits each in a process of its own (open,
render every page at 200 dpi, find its lines, crop them) and prints a table. Memory is resident set
size, sampled every 10 ms: of the process alone, and with the poppler process it waits for.
Memory that does not grow with the length of a document shows as equal rows.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from hwr.documents import open_document
from hwr.layout import crop_line, find_lines

#: Seconds between two looks at the memory.
SAMPLE_EVERY_S = 0.01
#: Pixels of a drawn page, A6 at 200 dpi, and points of the PDF page it fills.
PAGE_PIXELS = (827, 1165)
PAGE_POINTS = (298, 420)
#: Different pages; they take turns in a long document.
DRAWN_PAGES = 8
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What splitting one document took."""

    #: Pages of the document.
    pages: int
    #: Bytes of the file.
    size: int
    #: Lines found on all pages.
    lines: int
    #: Most bytes of the splitting process.
    own: int
    #: Most bytes of the splitting process and poppler together.
    tree: int
    #: Wall-clock seconds.
    seconds: float


def draw_scan(seed: int, rows: int) -> bytes:
    """A JPEG of a page with rows of slanted words and the noise of a scanner."""
    paper = Image.effect_noise(PAGE_PIXELS, 12).point(lambda value: min(255, value + 110))
    draw = ImageDraw.Draw(paper)
    font = ImageFont.load_default(34)
    for row in range(rows):
        words = f"row {row} of page {seed} says thank you {seed * row}"
        draw.text((60 + row % 3 * 15, 80 + row * 72), words, fill=30, font=font)
    stream = BytesIO()
    paper.save(stream, "JPEG", quality=50)
    return stream.getvalue()


def write_pdf(path: Path, pages: int, *, rows: int = 14) -> None:
    """A PDF of `pages` pages with `rows` lines, each one image of its own."""
    scans = [draw_scan(seed, rows) for seed in range(DRAWN_PAGES)]
    positions: list[int] = []
    with path.open("wb") as file:
        file.write(b"%PDF-1.4\n")
        for number, body in enumerate(_objects(scans, pages), 1):
            positions.append(file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        start = file.tell()
        file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(positions) + 1))
        file.writelines(b"%010d 00000 n \n" % position for position in positions)
        file.write(b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(positions) + 1))
        file.write(b"startxref\n%d\n%%%%EOF\n" % start)


def _objects(scans: Sequence[bytes], pages: int) -> Iterator[bytes]:
    kids = b" ".join(b"%d 0 R" % (3 + 3 * n) for n in range(pages))
    yield b"<< /Type /Catalog /Pages 2 0 R >>"
    yield b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages)
    content = b"%d 0 0 %d 0 0 cm /I Do" % PAGE_POINTS
    for n in range(pages):
        first = 3 + 3 * n
        yield (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
            b"/Resources << /XObject << /I %d 0 R >> >> >>"
        ) % (*PAGE_POINTS, first + 1, first + 2)
        yield b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
        yield _image(scans[n % len(scans)])


def _image(jpeg: bytes) -> bytes:
    return (
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray "
        b"/BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream"
    ) % (*PAGE_PIXELS, len(jpeg), jpeg)


def split(path: Path) -> int:
    """Lines of the document, each cropped and let go again."""
    count = 0
    with open_document(path) as document:
        for number in range(1, document.page_count + 1):
            image = document.page(number).image
            for line in find_lines(image):
                crop_line(image, line)
                count += 1
    return count


def measure(path: Path, pages: int) -> Measure:
    own = tree = 0
    begin = time.monotonic()
    command = [sys.executable, __file__, "--split", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            alone, children = resident(process.pid), resident_children(process.pid)
            own, tree = max(own, alone), max(tree, alone + children)
            time.sleep(SAMPLE_EVERY_S)
        lines = int(process.communicate()[0])
    seconds = time.monotonic() - begin
    size = path.stat().st_size
    return Measure(pages=pages, size=size, lines=lines, own=own, tree=tree, seconds=seconds)


def resident(pid: int) -> int:
    """Resident bytes of a process, 0 once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in fields if line.startswith("VmRSS"))


def resident_children(pid: int) -> int:
    """Resident bytes of the programs a process runs.

    A child that has not yet become another program shares all memory with its parent: left out.
    """
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(resident(int(child)) for child in children if name(int(child)) != name(pid))


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--pages", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--split", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.split:
        print(split(arguments.split))  # noqa: T201
    else:
        compare(arguments.pages)


def compare(lengths: Sequence[int]) -> None:
    print("  pages  file MiB  lines  peak MiB  with poppler MiB  pages/s")  # noqa: T201
    for pages in lengths:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"{pages}.pdf")
            write_pdf(path, pages)
            taken = measure(path, pages)
        print(  # noqa: T201
            f"{taken.pages:7}{taken.size / MIB:10.1f}{taken.lines:7}{taken.own / MIB:10.1f}"
            f"{taken.tree / MIB:18.1f}{taken.pages / taken.seconds:9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
