"""PAGE XML (PRImA, 2013-07-15 to 2019-07-15), as Transkribus, eScriptorium and kraken export it."""

from xml.etree.ElementTree import Element

from hwr.training.datasets.markup import MarkedLine, Place, places


def picture_name(page: Element, _root: Element) -> str:
    """What the file calls its picture."""
    return page.get("imageFilename", "")


def marked_line(name: str, line: Element) -> MarkedLine:
    """One TextLine.

    Raises:
        TrainingDataError: its points are wrong.
    """
    return MarkedLine(
        name=name,
        text=_text(line),
        polygon=_points(line, "Coords"),
        baseline=_points(line, "Baseline"),
    )


def _points(line: Element, child: str) -> list[Place]:
    found = line.find(child)
    return [] if found is None else places(found.get("points"))


def _text(line: Element) -> str:
    """The line's own text, or where it has none its words'."""
    return _equivalent(line) or " ".join(filter(None, map(_equivalent, line.findall("Word"))))


def _equivalent(element: Element) -> str:
    """Of several readings the one with the lowest index (2019 schema), then the most confident."""
    readings = sorted(element.findall("TextEquiv"), key=_rank)
    return (readings[0].findtext("Unicode") or "").strip() if readings else ""


def _rank(reading: Element) -> tuple[float, float]:
    return _number(reading.get("index"), float("inf")), -_number(reading.get("conf"), 0.0)


def _number(text: str | None, missing: float) -> float:
    try:
        return missing if text is None else float(text)
    except ValueError:
        return missing
