"""A run as one picture: lines a second of engines, policies and peers, each with its spread.

SVG is written by hand: a few bars need no plotting library.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from hwr.benchmark.figures import Figures
from hwr.benchmark.spread import Spread

_WIDTH, _LABELS, _VALUES = 860, 230, 130
_ROW, _BAR, _HEAD = 26, 16, 40
_STYLE = "font-family='sans-serif' font-size='13'"


@dataclass(frozen=True, kw_only=True)
class _Group:
    title: str
    bars: tuple[tuple[str, Spread], ...]


def as_svg(figures: Figures) -> str:
    """Bars in groups; a thin line runs from the lowest to the highest round."""
    groups = list(_groups(figures))
    rows, y = [], 10
    for group in groups:
        rows.append(_text(10, y + 22, group.title, "font-weight='bold'"))
        y += _HEAD
        rows += _bars(group, y)
        y += _ROW * len(group.bars)
    shapes = "\n".join(rows)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{y + 10}' {_STYLE}>\n"
        f"<rect width='100%' height='100%' fill='white'/>\n{shapes}\n</svg>\n"
    )


def _groups(figures: Figures) -> Iterator[_Group]:
    engines = tuple((engine.name, engine.lines_per_s) for engine in figures.engines)
    policies = tuple((f"{p.name}, {p.engine}", p.lines_per_s) for p in figures.policies)
    peers = tuple((peer.name, peer.lines_per_s) for peer in figures.peers)
    yield _Group(title="Engines, lines a second", bars=engines)
    yield _Group(title="Policies, lines a second", bars=policies)
    yield _Group(title="Programs on the same crops, lines a second", bars=peers)


def _bars(group: _Group, top: int) -> Iterable[str]:
    longest = max(spread.high for _, spread in group.bars) or 1.0
    scale = (_WIDTH - _LABELS - _VALUES) / longest
    for place, (name, spread) in enumerate(group.bars):
        y = top + _ROW * place
        low, end, high = (_LABELS + scale * v for v in (spread.low, spread.median, spread.high))
        middle = y + _BAR / 2
        yield _text(10, y + 13, name)
        yield (
            f"<rect x='{_LABELS}' y='{y}' width='{end - _LABELS:.1f}' height='{_BAR}'"
            " fill='#4a7ab5'/>"
        )
        yield f"<path d='M{low:.1f} {middle}H{high:.1f}' stroke='black'/>"
        yield _text(high + 8, y + 13, f"{spread.median:.1f}")


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' {more}>{escape(text)}</text>"
