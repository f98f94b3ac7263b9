"""Pages with PAGE or ALTO XML beside their pictures; lines are cut out by their outlines."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from hwr.errors import TrainingDataError
from hwr.layout.crop import crop_line
from hwr.layout.line import Line
from hwr.training.datasets import alto, page_xml
from hwr.training.datasets.markup import (
    MarkedLine,
    MarkedPage,
    named_lines,
    only_page,
    parse,
    size,
)
from hwr.training.datasets.records import LeftOut, Record
from hwr.training.datasets.store import Folder
from hwr.training.samples import Grey

_ROOT = re.compile(rb"<(?:[\w.-]+:)?(PcGts|alto)\b")
_HEAD_BYTES = 4096
_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".JPG", ".JPEG", ".PNG", ".TIF", ".TIFF")
#: How much the picture's proportions may differ from those that the XML was made for.
_PROPORTION = 0.02
#: Pixels: an outline below is dirt, and one above is no line.
_LEAST_SIDE, _MOST_PIXELS = 4, 16_000_000


@dataclass(frozen=True, kw_only=True)
class _Format:
    """What differs between PAGE and ALTO."""

    #: Name of the picture, from the page and the root element.
    picture_name: Callable[[Element, Element], str]
    #: A line, from its name and element.
    line: Callable[[str, Element], MarkedLine]
    #: The page's attributes that hold its width and height.
    sides: tuple[str, str]


#: By the name of the root element.
_FORMATS = {
    "alto": _Format(
        picture_name=alto.picture_name, line=alto.marked_line, sides=("WIDTH", "HEIGHT")
    ),
    "PcGts": _Format(
        picture_name=page_xml.picture_name,
        line=page_xml.marked_line,
        sides=("imageWidth", "imageHeight"),
    ),
}


def holds_marked_pages(folder: Path) -> bool:
    """Whether a PAGE or ALTO file lies in `folder` itself."""
    return bool(marked_files(folder))


def page_records(folder: Path, pictures: Folder, left_out: LeftOut) -> list[Record]:
    """The lines of all pages in `folder`, whose pictures lie in it or the folder above.

    Neither format names a writer: each page counts as one.
    """
    records: list[Record] = []
    for path in marked_files(folder):
        try:
            records += _records(path, pictures, left_out)
        except (TrainingDataError, OSError) as error:
            left_out.add(path.name, error)
    return records


def marked_files(folder: Path) -> list[Path]:
    """The PAGE and ALTO files in `folder` itself, sorted."""
    return sorted(path for path in folder.glob("*") if _is_marked(path))


def _is_marked(path: Path) -> bool:
    """Whether it is an .xml file that begins as PAGE or ALTO does, in UTF-16 as well."""
    if path.suffix.lower() != ".xml" or not path.is_file():
        return False
    with path.open("rb") as file:
        return _ROOT.search(file.read(_HEAD_BYTES).replace(b"\0", b"")) is not None


def _records(path: Path, pictures: Folder, left_out: LeftOut) -> Iterator[Record]:
    page = read_page(pictures.read(str(path.resolve())), left_out, path.name)
    picture = find_picture(path, page.picture, pictures)
    for line in page.lines:
        yield Record(
            name=f"{path.name}, {line.name}",
            writer=path.stem,
            text=line.text,
            split=None,
            picture=partial(_cut, pictures, picture, page.size, line),
        )


def read_page(data: bytes, left_out: LeftOut, name: str) -> MarkedPage:
    """A PAGE or ALTO file; lines whose points are wrong are reported.

    Raises:
        TrainingDataError: it is neither, damaged, or not of one page.
    """
    root = parse(data)
    page = only_page(root)
    marked = _FORMATS.get(root.tag)
    if marked is None:
        raise TrainingDataError("it is neither PAGE nor ALTO. Export it again.")
    return MarkedPage(
        picture=marked.picture_name(page, root),
        size=size(page, *marked.sides),
        lines=tuple(_lines(marked, page, left_out, name)),
    )


def _lines(marked: _Format, page: Element, left_out: LeftOut, name: str) -> Iterator[MarkedLine]:
    for line_name, line in named_lines(page):
        try:
            yield marked.line(line_name, line)
        except TrainingDataError as error:
            left_out.add(f"{name}, {line_name}", error)


def find_picture(path: Path, named: str, pictures: Folder) -> str:
    """The picture's name in `pictures`: as the XML has it, without its folders, or as the XML.

    Raises:
        TrainingDataError: it is neither beside the XML nor in the folder above.
    """
    base = re.split(r"[\\/]", named)[-1]
    names = [name for name in (named, base) if name]
    names += [path.stem + suffix for suffix in _SUFFIXES]
    folders = [folder.resolve() for folder in (path.parent, path.parent.parent)]
    for place in (folder / name for folder in folders for name in names):
        if pictures.has(str(place)):
            return str(place)
    raise TrainingDataError(f"its picture {base or path.stem!r} is missing. Put it beside the XML.")


#: The lines of a page come one after the other.
@lru_cache(maxsize=1)
def _page(pictures: Folder, name: str) -> Grey:
    return pictures.picture(name)


def _cut(
    pictures: Folder, picture: str, size: tuple[float, float] | None, line: MarkedLine
) -> Grey:
    image = _page(pictures, picture)
    scale = scale_of(image, size)
    return crop_line(image, outlined(line, image.shape, scale))


def scale_of(image: Grey, size: tuple[float, float] | None) -> NDArray[np.float64]:
    """Pixels of the picture for the XML's unit, across and down.

    Raises:
        TrainingDataError: its proportions are not those of the XML's page.
    """
    if size is None:
        return np.ones(2)
    scale = np.array(image.shape[::-1]) / np.array(size)
    if abs(scale[0] / scale[1] - 1) > _PROPORTION:
        raise TrainingDataError(
            f"its page is {size[0]:g} × {size[1]:g}, the picture {image.shape[1]} ×"
            f" {image.shape[0]}: another picture, or turned. Export both again."
        )
    return np.asarray(scale, np.float64)


def outlined(line: MarkedLine, shape: tuple[int, int], scale: NDArray[np.float64]) -> Line:
    """The line in pixels of a page of `shape` (h, w), inside it.

    Raises:
        TrainingDataError: there is no outline, it encloses nothing or too much, or the line runs
            up or down the page.
    """
    if len(line.polygon) < 3:
        raise TrainingDataError("it has no outline. Draw one or run the export with outlines.")
    corner = np.array(shape[::-1]) - 1
    polygon = np.clip(np.array(line.polygon) * scale, 0, corner)
    least, most = polygon.min(axis=0), polygon.max(axis=0)
    width, height = most - least
    if min(width, height) < _LEAST_SIDE or width * height > _MOST_PIXELS:
        raise TrainingDataError(
            f"its outline is {width:.0f} × {height:.0f} pixels on the page. Draw it again."
        )
    baseline = _level(least, most)
    if len(line.baseline) > 1:
        baseline = np.clip(np.array(line.baseline) * scale, least, most)
        baseline = baseline[np.argsort(baseline[:, 0], kind="stable")]
    if np.ptp(baseline[:, 1]) > np.ptp(baseline[:, 0]):
        raise TrainingDataError("it runs up or down the page. Turn the page.")
    return Line(order=0, polygon=_rounded(polygon), baseline=_rounded(baseline))


def _level(least: NDArray[np.float64], most: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([(least[0], most[1]), (most[0], most[1])])


def _rounded(points: NDArray[np.float64]) -> tuple[tuple[int, int], ...]:
    return tuple((int(x), int(y)) for x, y in np.rint(points))
