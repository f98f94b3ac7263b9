"""What splitting a page costs, stage by stage: `python bench_split.py [--pages FOLDER]`.

The same pages as JPEG files, as a PDF of scans (taken out), as that PDF with one more operator on
each page (rendered), as a PDF of scans at 300 dpi, and printed pages without a scan. Drawn pages of
an exam, or the JPEGs of FOLDER, which are taken for pages of Letter size. CPU seconds a page on one
thread, those of poppler included; the best of several rounds, in which the kinds take turns.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pikepdf
from pikepdf import Dictionary, Name
from PIL import Image

from hwr.benchmark.clock import Clock
from hwr.documents import open_document
from hwr.layout import crop_line, find_lines
from hwr.model.line_image import normalise_line
from hwr.samples.exam import exam_pages
from workers.line_pack import PackedLine, pack

#: Points of a Letter page.
LETTER = (612, 792)
#: Pages of the exam.
DRAWN_PAGES = 4
#: A scanner's usual setting.
JPEG_QUALITY = 78
STAGES = ("page", "find", "cut", "pack")
PLAIN, IN_DOUBT = b"Q", b"Q n"

Kind = Callable[[Path, Sequence[bytes]], list[Path]]


def drawn_pages() -> list[bytes]:
    """JPEGs of exam pages, 200 dpi."""
    return [
        as_jpeg(Image.fromarray(scan.picture))
        for scan in exam_pages(DRAWN_PAGES, np.random.default_rng(2))
    ]


def as_jpeg(picture: Image.Image) -> bytes:
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=JPEG_QUALITY)
    return stream.getvalue()


def enlarged(jpeg: bytes) -> bytes:
    """The picture with half as many pixels again on each side."""
    picture = Image.open(BytesIO(jpeg))
    return as_jpeg(picture.resize((picture.width * 3 // 2, picture.height * 3 // 2)))


def pictures(folder: Path, jpegs: Sequence[bytes]) -> list[Path]:
    paths = [folder / f"{place}.jpg" for place in range(len(jpegs))]
    for path, jpeg in zip(paths, jpegs, strict=True):
        path.write_bytes(jpeg)
    return paths


def scans(folder: Path, jpegs: Sequence[bytes], name: str, end: bytes) -> list[Path]:
    """A PDF of one JPEG a page; `end` is the last of the page's operators."""
    with pikepdf.new() as pdf:
        for jpeg in jpegs:
            add_scan(pdf, jpeg, end)
        pdf.save(folder / name)
    return [folder / name]


def add_scan(pdf: pikepdf.Pdf, jpeg: bytes, end: bytes) -> None:
    picture = Image.open(BytesIO(jpeg))
    height = LETTER[0] * picture.height / picture.width
    page = pdf.add_blank_page(page_size=(LETTER[0], height))
    image = pdf.make_stream(jpeg, Type=Name.XObject, Subtype=Name.Image, Filter=Name.DCTDecode)
    image.Width, image.Height, image.BitsPerComponent = picture.width, picture.height, 8
    image.ColorSpace = Name.DeviceGray if picture.mode == "L" else Name.DeviceRGB
    page.obj.Resources = Dictionary(XObject=Dictionary(Scan=image))
    content = b"q %d 0 0 %.4f 0 0 cm /Scan Do %s" % (LETTER[0], height, end)
    page.obj.Contents = pdf.make_stream(content)


def printed(folder: Path, jpegs: Sequence[bytes]) -> list[Path]:
    """A PDF of as many pages with forty lines of print."""
    row = b"0 -17 Td (Forty lines of print make a page that was never on paper) Tj "
    with pikepdf.new() as pdf:
        for _ in jpegs:
            page = pdf.add_blank_page(page_size=LETTER)
            font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
            page.obj.Resources = Dictionary(Font=Dictionary(F1=font))
            page.obj.Contents = pdf.make_stream(b"BT /F1 13 Tf 60 750 Td " + row * 40 + b"ET")
        pdf.save(folder / "printed.pdf")
    return [folder / "printed.pdf"]


KINDS: dict[str, Kind] = {
    "JPEG": pictures,
    "PDF of scans": lambda folder, jpegs: scans(folder, jpegs, "scans.pdf", PLAIN),
    "the same, rendered": lambda folder, jpegs: scans(folder, jpegs, "doubt.pdf", IN_DOUBT),
    "PDF of scans, 300 dpi": lambda folder, jpegs: scans(
        folder, [enlarged(jpeg) for jpeg in jpegs], "large.pdf", PLAIN
    ),
    "PDF, printed": printed,
}


def split(path: Path, clocks: dict[str, Clock]) -> int:
    """Split a document as a split worker does; the number of its lines."""
    count = 0
    with open_document(path) as document:
        for number in range(1, document.page_count + 1):
            with clocks["page"].running():
                image = document.page(number).image
            with clocks["find"].running():
                lines = find_lines(image)
            with clocks["cut"].running():
                cut = [normalise_line(crop_line(image, line)) for line in lines]
            with clocks["pack"].running():
                pack(
                    PackedLine(order=n, polygon=line.polygon, baseline=line.baseline, image=picture)
                    for n, (line, picture) in enumerate(zip(lines, cut, strict=True))
                )
            count += len(lines)
    return count


def measure(paths: Sequence[Path], pages: int) -> tuple[list[float], float]:
    """CPU seconds a page by stage, and lines a page."""
    clocks: dict[str, Clock] = defaultdict(Clock)
    lines = sum(split(path, clocks) for path in paths)
    return [clocks[stage].cpu_s / pages for stage in STAGES], lines / pages


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--pages", type=Path, help="folder of JPEGs in place of drawn pages")
    parser.add_argument("--most", type=int, default=8, help="of its JPEGs, evenly (default 8)")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    jpegs = drawn_pages() if arguments.pages is None else some_of(arguments.pages, arguments.most)
    with tempfile.TemporaryDirectory() as folder:
        documents = {name: kind(Path(folder), jpegs) for name, kind in KINDS.items()}
        rounds = [
            {name: measure(paths, len(jpegs)) for name, paths in documents.items()}
            for _ in range(arguments.rounds)
        ]
    show("CPU seconds a page", *STAGES, "all", "lines")
    for name in KINDS:
        seconds, lines = min((one[name] for one in rounds), key=lambda taken: sum(taken[0]))
        show(name, *(f"{s:.3f}" for s in (*seconds, sum(seconds))), f"{lines:.1f}")


def some_of(folder: Path, most: int) -> list[bytes]:
    paths = sorted(folder.glob("*.jpg"))
    return [path.read_bytes() for path in paths[:: max(1, -(-len(paths) // most))]]


def show(name: str, *cells: str) -> None:
    print(f"{name:<24}" + "".join(f"{cell:>8}" for cell in cells), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
