"""ALTO XML (Library of Congress), versions 2 to 4, as eScriptorium and kraken export it.

Coordinates may be in any unit: the page's own size in that unit tells how much a pixel is.
"""

from xml.etree.ElementTree import Element

from hwr.errors import TrainingDataError
from hwr.training.datasets.markup import MarkedLine, Place, numbers, places, size


def picture_name(page: Element, root: Element) -> str:
    """What the file calls its picture.

    Raises:
        TrainingDataError: lengths are not in pixels and the page's size is not given.
    """
    unit = (root.findtext("Description/MeasurementUnit") or "pixel").strip()
    if unit != "pixel" and size(page, "WIDTH", "HEIGHT") is None:
        raise TrainingDataError(f"it measures in {unit} and gives no page size. Export in pixels.")
    return (root.findtext("Description/sourceImageInformation/fileName") or "").strip()


def marked_line(name: str, line: Element) -> MarkedLine:
    """One TextLine.

    Raises:
        TrainingDataError: its points are wrong.
    """
    box = _box(line)
    polygon = line.find("Shape/Polygon")
    return MarkedLine(
        name=name,
        text=_text(line),
        polygon=box if polygon is None else places(polygon.get("POINTS")),
        baseline=_baseline(line.get("BASELINE"), box),
    )


def _box(line: Element) -> list[Place]:
    sides = [numbers(line.get(side)) for side in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if not all(sides):
        return []
    left, top, width, height = (side[0] for side in sides)
    right, bottom = left + width, top + height
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _baseline(text: str | None, box: list[Place]) -> list[Place]:
    """Points since version 4.1; before, the height of a level line."""
    if text and len(numbers(text)) == 1:
        height = numbers(text)[0]
        return [(box[0][0], height), (box[1][0], height)] if box else []
    return places(text)


def _text(line: Element) -> str:
    """Words with the blanks between them; where the file marks no blanks, between all words."""
    parts = [part for part in line if part.tag in ("String", "SP", "HYP")]
    blank = "" if any(part.tag == "SP" for part in parts) else " "
    words = [" " if part.tag == "SP" else part.get("CONTENT", "") for part in parts]
    hyphen = words.pop() if parts and parts[-1].tag == "HYP" else ""
    return blank.join(words) + hyphen
