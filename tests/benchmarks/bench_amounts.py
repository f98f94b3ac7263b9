"""How well the two amounts of synthetic cheques are read, each alone and both together.

`python tests/benchmarks/bench_amounts.py` draws fronts of cheques and changes them as
`bench_zones.py` does. An amount is right if it is worth what was written. Every figure is then put
beside the words of every other cheque too, as on cheques whose amounts differ. Every other cheque
has a pale security background, with ``--background`` all of them that one. With ``--template`` each
is laid on its blank form. ``--sheets 3`` lays so many on the glass of a scanner instead, and counts
those that are read as a sheet of their own.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from bench_zones import changed
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from glass import on_glass

from hwr.decoding.amounts import worth
from hwr.decoding.reading import LineReading
from hwr.decoding.reconciling import FieldLine, reconcile
from hwr.forms import PageLayout, lay_out
from hwr.layout.homography import Quad
from hwr.model.line_image import normalise_line
from hwr.profiles import PageForm, load_profile
from hwr.profiles.profile import Find, ZoneForm
from hwr.reader import LineReader
from hwr.samples.cheque import Waves, cheque_front, choose_cheque, front_sheet
from hwr.samples.fonts import Face
from hwr.samples.scanner import Scan

#: Stronger than those that the project draws: dark, dense and coarse ones.
BACKGROUNDS = {
    "strong": Waves(colour=(110, 130, 160), strength=1),
    "fine": Waves(colour=(130, 150, 170), pitch=7, strength=0.8),
    "coarse": Waves(colour=(100, 110, 120), pitch=24, strength=1),
}
FIGURES, WORDS = "courtesy amount", "legal amount"


@dataclass(frozen=True, kw_only=True)
class Cheque:
    """What was read of one."""

    #: In hundredths.
    amount: int
    #: Of both zones.
    lines: tuple[FieldLine, ...]

    def of(self, zone: str) -> tuple[FieldLine, ...]:
        """Its lines in one zone."""
        return tuple(line for line in self.lines if line.zone == zone)


def main() -> None:
    """Draw, read, compare."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--cheques", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, choices=(1, 2), default=1, help="of the words")
    parser.add_argument("--background", choices=BACKGROUNDS)
    parser.add_argument("--template", action="store_true", help="give each its blank form")
    parser.add_argument("--sheets", type=int, choices=(2, 3, 4), help="of a scan")
    options = parser.parse_args()
    waves = BACKGROUNDS.get(options.background)
    sure = load_profile("cheque").content.review_below or 1.0
    with LineReader() as reader:
        cheques = (
            list(read_scans(reader, options, waves))
            if options.sheets
            else [
                read(reader, options.seed, place, options.rows, waves, template=options.template)
                for place in range(options.cheques)
            ]
        )
    together = [joined(cheque.lines) for cheque in cheques]
    row = "{:<16}{:<10}{:>7}{:>16}{:>18}\n"
    sys.stdout.write(
        row.format("amount", "read", "right", f"surer than {sure:g}", "sure and wrong")
    )
    for zone in (FIGURES, WORDS):
        for way, lines in (("alone", [c.lines for c in cheques]), ("together", together)):
            counts = tallied([c.amount for c in cheques], zone, lines, sure)
            sys.stdout.write(row.format(zone, way, *counts))
    different, told = mixed(cheques)
    sys.stdout.write(f"{len(cheques)} cheques; {told} of {different} different pairs are told\n")
    if options.sheets:
        found = sum(bool(cheque.of(FIGURES) and cheque.of(WORDS)) for cheque in cheques)
        sys.stdout.write(f"both amounts of {found} are on a sheet of their own\n")


def read(
    reader: LineReader,
    seed: int,
    place: int,
    rows: int,
    waves: Waves | None,
    *,
    template: bool = False,
) -> Cheque:
    """A cheque drawn, laid out and read."""
    rng = np.random.default_rng([seed, place])
    cheque = choose_cheque(rng, list(Face)[place % len(Face)])
    pattern = waves is not None or place % 2 == 0
    front = partial(cheque_front, cheque, pattern=pattern, rows=rows, waves=waves)
    blank = front(deepcopy(rng), is_blank=True) if template else None
    image, truth = changed(front(rng), rng)
    with on_template(form_of(rows, truth.number), blank) as form:
        layout = lay_out(image, form)
    return Cheque(amount=cheque.cents, lines=amounts_on(layout, reader))


def read_scans(reader: LineReader, options: Namespace, waves: Waves | None) -> Iterator[Cheque]:
    """The same of cheques that lie on the glass together, `options.sheets` a scan."""
    for start in range(0, options.cheques, options.sheets):
        rng = np.random.default_rng([options.seed, start])
        places = range(start, min(start + options.sheets, options.cheques))
        cheques = [choose_cheque(rng, list(Face)[place % len(Face)]) for place in places]
        fronts = [
            front_sheet(
                cheque, rng, pattern=bool(waves) or place % 2 == 0, rows=options.rows, waves=waves
            )
            for place, cheque in zip(places, cheques, strict=True)
        ]
        image, corners = on_glass(fronts, rng)
        layout = lay_out(image, form_of(options.rows, 1))
        for cheque, sheet in zip(cheques, corners, strict=True):
            lines = [line for one in on_sheet(layout, sheet) for line in amounts_on(one, reader)]
            yield Cheque(amount=cheque.cents, lines=tuple(lines))


def on_sheet(layout: PageLayout, sheet: Quad) -> Iterator[PageLayout]:
    """The layouts of which most of the zones lie on a sheet; of a page that is one only its own."""
    for one in layout.sheets or (layout,):
        middles = [np.mean(zone.polygon, axis=0).tolist() for zone in one.zones]
        inside = [cv2.pointPolygonTest(sheet.astype(np.float32), at, False) > 0 for at in middles]
        if 2 * sum(inside) > len(middles):
            yield replace(one, lines=tuple(replace(line, sheet=None) for line in one.lines))


def amounts_on(layout: PageLayout, reader: LineReader) -> tuple[FieldLine, ...]:
    """What is read of the two amounts of a sheet."""
    waiting = [
        (
            line.zone,
            reader.submit(normalise_line(layout.crop(line)), decoder=line.zone.decoder),
        )
        for line in layout.lines
        if line.zone and line.zone.name in (FIGURES, WORDS)
    ]
    return tuple(
        FieldLine(reading=promise.result(), zone=zone.name, same_as=zone.same_as)
        for zone, promise in waiting
    )


def form_of(rows: int, page: int) -> PageForm:
    """The page of the shipped profile, its words in a box of so many rows."""
    form = load_profile("cheque").page(page)
    zones = [_higher(zone) if rows > 1 and zone.name == WORDS else zone for zone in form.zones]
    return form.model_copy(update={"zones": tuple(zones)})


@contextmanager
def on_template(form: PageForm, blank: Scan | None) -> Iterator[PageForm]:
    """The form with a blank one, if there is one, as its template."""
    if blank is None:
        yield form
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "blank.png")
        Image.fromarray(blank.picture).save(path)
        yield form.model_copy(update={"template": path})


def _higher(zone: ZoneForm) -> ZoneForm:
    left, top, right, _ = zone.box
    return zone.model_copy(update={"box": (left, top, right, 56.9), "find": Find.AREA})


def joined(lines: Sequence[FieldLine]) -> tuple[FieldLine, ...]:
    """The lines as they are read together."""
    readings, _ = reconcile(lines)
    return tuple(replace(line, reading=one) for line, one in zip(lines, readings, strict=True))


def tallied(
    amounts: Sequence[int], zone: str, cheques: Sequence[Sequence[FieldLine]], sure: float
) -> tuple[int, int, int]:
    """How many amounts of a zone are right, sure, and sure but wrong."""
    best = [best_of(lines, zone) for lines in cheques]
    right = [worth(one.text) == amount for one, amount in zip(best, amounts, strict=True)]
    trusted = [one.confidence >= sure for one in best]
    wrong = sum(t and not r for t, r in zip(trusted, right, strict=True))
    return sum(right), sum(trusted), wrong


def best_of(lines: Sequence[FieldLine], zone: str) -> LineReading:
    """The surest reading of a zone."""
    readings = [line.reading for line in lines if line.zone == zone and line.reading]
    return max(readings, key=lambda one: one.confidence, default=LineReading(text="", confidence=0))


def mixed(cheques: Sequence[Cheque]) -> tuple[int, int]:
    """Pairs of figures and words that were read as amounts, of two cheques; how many are told."""
    different = list(strangers(cheques))
    return len(different), sum(reconcile(lines)[1] is not None for lines in different)


def strangers(cheques: Sequence[Cheque]) -> Iterator[tuple[FieldLine, ...]]:
    """The figures of each cheque with the words of each other one."""
    for one, other in permutations(cheques, 2):
        lines = (*one.of(FIGURES), *other.of(WORDS))
        texts = [line.reading.text for line in lines if line.reading]
        if len(lines) == 2 and all(map(worth, texts)) and one.amount != other.amount:
            yield lines


if __name__ == "__main__":
    # OpenCV would share the work out among all cores.
    cv2.setNumThreads(1)
    main()
