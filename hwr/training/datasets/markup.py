"""Hostile XML, parsed without entities; and what PAGE and ALTO have in common."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from hwr.errors import TrainingDataError

#: (x, y)
Place = tuple[float, float]

#: Bytes that the parser takes at once, and after which it stops when it finds a doctype.
_CHUNK = 2**16
#: No page is as large, whatever its unit; NaN is not below it either.
_LARGEST = 1e7
_SEPARATORS = re.compile(r"[\s,]+")


@dataclass(frozen=True, kw_only=True)
class MarkedLine:
    """A line as the XML has it. Lengths are in the file's own unit."""

    #: Its id, or its place in the file.
    name: str
    #: What is written; empty where nobody transcribed it.
    text: str
    #: Outline, closed, first point not repeated; empty where the file has none.
    polygon: Sequence[Place]
    #: What the letters stand on, from left to right; empty where the file has none.
    baseline: Sequence[Place]


@dataclass(frozen=True, kw_only=True)
class MarkedPage:
    """A page as the XML has it."""

    #: Name of its picture as the exporting program knew it: often a path or URL elsewhere.
    picture: str
    #: (width, height) that lines are given in, or None where the file does not say.
    size: tuple[float, float] | None
    lines: Sequence[MarkedLine]


class _NoDoctype(TreeBuilder):
    """PAGE and ALTO need no doctype, and without one there are no entities to expand or fetch."""

    def doctype(self, *_: object) -> None:
        raise TrainingDataError("it has a doctype. Export it as PAGE or ALTO XML without one.")


def parse(data: bytes) -> Element:
    """The root of an XML file, its names without namespaces.

    Raises:
        TrainingDataError: it is not well-formed, or has a doctype.
    """
    parser = XMLParser(target=_NoDoctype())  # noqa: S314 (entities need a doctype)
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise TrainingDataError(f"it is no whole XML file ({error}). Export it again.") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def numbers(text: str | None) -> list[float]:
    """The numbers in `text`, between blanks and commas.

    Raises:
        TrainingDataError: something else is there.
    """
    try:
        found = [float(part) for part in _SEPARATORS.split((text or "").strip()) if part]
    except ValueError as error:
        raise TrainingDataError(f"its coordinates are wrong: {error}. Export it again.") from error
    if not all(abs(number) < _LARGEST for number in found):
        raise TrainingDataError("its coordinates are on no page. Export it again.")
    return found


def places(text: str | None) -> list[Place]:
    """Points written "x,y x,y" (PAGE) or "x y x y" (ALTO by eScriptorium).

    Raises:
        TrainingDataError: it is not pairs of numbers.
    """
    found = numbers(text)
    if len(found) % 2:
        raise TrainingDataError("its points are not pairs of numbers. Export it again.")
    return list(zip(found[::2], found[1::2], strict=True))


def size(page: Element, width: str, height: str) -> tuple[float, float] | None:
    """The page's size from the named attributes; None where they are missing or 0."""
    found = numbers(f"{page.get(width, '')} {page.get(height, '')}")
    return (found[0], found[1]) if len(found) == 2 and min(found) >= 1 else None


def only_page(root: Element) -> Element:
    """The page element.

    Raises:
        TrainingDataError: there is none, or several share one file.
    """
    pages = [*root.iter("Page")]
    if len(pages) != 1:
        raise TrainingDataError(f"it has {len(pages)} pages. Export one page a file.")
    return pages[0]


def named_lines(page: Element) -> Iterator[tuple[str, Element]]:
    """The line elements with their ids."""
    for number, line in enumerate(page.iter("TextLine")):
        yield line.get("id") or line.get("ID") or f"line {number}", line
