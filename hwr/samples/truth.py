"""What is written on a drawn page, and where: the truth that readings are measured against."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

Polygon = tuple[tuple[int, int], ...]


class Kind(StrEnum):
    """How a line came onto the paper."""

    #: Drawn with a pen
    HANDWRITING = "handwriting"
    #: Printed on the form
    PRINT = "print"


@dataclass(frozen=True, kw_only=True)
class TruthLine:
    """One line of text on a page."""

    #: Place in reading order, from 0: rows from top to bottom, a row from left to right
    order: int
    #: What it says
    text: str
    #: Corners around its ink, (x, y) in page pixels, clockwise from the top left
    polygon: Polygon
    kind: Kind
    #: Name of the zone it stands in; None outside of all
    zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class TruthZone:
    """Where something belongs on a form, filled in or not."""

    #: As the profile of the form calls it
    name: str
    #: Corners, (x, y) in page pixels, clockwise from the top left
    polygon: Polygon


@dataclass(frozen=True, kw_only=True)
class TruthPage:
    """One page of a document."""

    #: From 1
    number: int
    #: Size in pixels at the truth's resolution
    width: int
    height: int
    lines: tuple[TruthLine, ...]
    zones: tuple[TruthZone, ...] = ()

    @property
    def text(self) -> str:
        """All of it on one row: a label and what is written after it share a line on paper."""
        return " ".join(line.text for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One document; written as JSON beside it."""

    #: Name of the document's file
    file: str
    #: Resolution of the polygons in dots an inch
    dpi: int
    #: Seed of the batch it was drawn in
    seed: int
    pages: tuple[TruthPage, ...]
    #: Always true: nothing in these documents is real
    synthetic: bool = True

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", "utf-8")


def load_truth(path: Path) -> Truth:
    """Read what `Truth.save` wrote."""
    raw = json.loads(path.read_text("utf-8"))
    return Truth(
        file=raw["file"],
        dpi=raw["dpi"],
        seed=raw["seed"],
        pages=tuple(_page(page) for page in raw["pages"]),
    )


def _page(raw: Mapping[str, Any]) -> TruthPage:
    lines = tuple(_line(line) for line in raw["lines"])
    zones = tuple(
        TruthZone(name=zone["name"], polygon=_polygon(zone["polygon"])) for zone in raw["zones"]
    )
    size = raw["width"], raw["height"]
    return TruthPage(number=raw["number"], width=size[0], height=size[1], lines=lines, zones=zones)


def _line(raw: Mapping[str, Any]) -> TruthLine:
    return TruthLine(
        order=raw["order"],
        text=raw["text"],
        polygon=_polygon(raw["polygon"]),
        kind=Kind(raw["kind"]),
        zone=raw["zone"],
    )


def _polygon(raw: Iterable[tuple[int, int]]) -> Polygon:
    return tuple((int(x), int(y)) for x, y in raw)
