"""Reliability and risk–coverage as one SVG picture, without a plotting library."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

import numpy as np

from hwr.training.edits import right_characters
from hwr.training.evaluation import LineResult
from hwr.training.reliability import Reliability, bins

#: Side of a panel, room around it, left edge of the second one, in pixels.
_SIDE, _ROOM, _SECOND = 320, 60, 460
#: Size of the picture with room for the names of sets on the right.
_WIDTH, _HEIGHT = 940, 400
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Colours that the colour-blind can tell apart (Okabe and Ito).
_COLOURS = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7")

_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    ' font-family="sans-serif" font-size="12">\n'
    f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
)

Point = tuple[float, float]


def reliability_plot(results: Sequence[LineResult], sets: Mapping[str, Reliability]) -> str:
    """An SVG with accuracy against confidence, and risk against coverage of each set."""
    lines = ([r.reading.confidence for r in results], [r.truth == r.reading.text for r in results])
    characters = (
        [p for r in results for p in r.reading.characters],
        [right for r in results for right in right_characters(*r.pair)],
    )
    diagonal = [(0.0, 0.0), (1.0, 1.0)]
    trusted = {"lines": _accuracies(*lines), "characters": _accuracies(*characters)}
    curves = {name: reliability.curve for name, reliability in sets.items()}
    left = _panel(_ROOM, "confidence", "share that is right", {"": diagonal, **trusted}, 8)
    right = _panel(_SECOND, "coverage", "risk: share of lines that is wrong", curves, _SIDE + 8)
    return "\n".join((_HEAD, *left, *right, "</svg>\n"))


def _accuracies(confidences: Sequence[float], right: Sequence[bool]) -> list[Point]:
    """Mean confidence and accuracy of each bin that holds anything."""
    sure, outcomes = np.array(confidences), np.array(right, float)
    return [
        (float(sure[inside].mean()), float(outcomes[inside].mean()))
        for inside in bins(sure)
        if inside.any()
    ]


def _panel(
    x: float, across: str, up: str, lines: Mapping[str, Iterable[Point]], legend: float
) -> Iterator[str]:
    """A square from 0 to 1 both ways at `x`, with named lines; a nameless one is a grey guide."""
    yield f'<g transform="translate({x} {_ROOM / 2})">'
    yield f'<rect width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>'
    yield from _scales(across, up)
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)] if name else "#bbb"
        yield _line(points, colour)
        place = f'x="{legend}" y="{16 * (number + 1)}"'
        yield f'<text {place} fill="{colour}">{escape(name)}</text>'
    yield "</g>"


def _scales(across: str, up: str) -> Iterator[str]:
    for tick in _TICKS:
        at = tick * _SIDE
        yield f'<text x="{at}" y="{_SIDE + 16}" text-anchor="middle">{tick:g}</text>'
        yield f'<text x="-6" y="{_SIDE - at + 4}" text-anchor="end">{tick:g}</text>'
    yield f'<text x="{_SIDE / 2}" y="{_SIDE + 36}" text-anchor="middle">{across}</text>'
    turned = f'transform="translate(-40 {_SIDE / 2}) rotate(-90)"'
    yield f'<text {turned} text-anchor="middle">{up}</text>'


def _line(points: Iterable[Point], colour: str) -> str:
    told = " ".join(f"{x * _SIDE:.1f},{(1 - y) * _SIDE:.1f}" for x, y in points)
    return f'<polyline points="{told}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
