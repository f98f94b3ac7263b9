"""Measure how well zones are found on synthetic exams and cheques: `python bench_zones.py`.

Exams of four pages and cheques of two sides are drawn with different seeds. Each page is then laid
on a ground of another grey, turned, scaled, seen a little from the side, made noisy and saved as
JPEG. The truth follows every step. A zone is found where the intersection of its true outline and
of the one found under the same name is at least 0.7 of their union. `of others` counts zones that
the page does not have; `lines` is the share of the written lines of which at least half lies in a
line that was given to their zone.

With `--on-head` every page is turned by half. With `--read` the lines are also read, each zone by
its decoder: the character error rate against what was written in the zones. Everything here is
synthetic: it says nothing of your forms.

With `--hands DATA` only exams are drawn, and their names and answers are real lines of unseen
writers (see `real_hands.py`). They are read from the page and alone, as the packs have them: what
the form costs is the difference. Each written line is counted under what became of it.
"""

import sys
import time
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from real_hands import Hands

from hwr.decoding.reconciling import FieldLine, reconcile
from hwr.forms import PageLayout, Zone, ZonedLine, draw_layout, lay_out
from hwr.model.line_image import normalise_line
from hwr.profiles import load_profile
from hwr.reader import LineReader
from hwr.samples import TruthLine, TruthPage
from hwr.samples.cheque import bilevel, cheque_back, cheque_front, choose_cheque
from hwr.samples.exam import exam_pages
from hwr.samples.fonts import Face
from hwr.samples.scanner import Scan
from hwr.samples.sheet import new_sheet
from hwr.samples.truth import Polygon
from hwr.training.metrics import error_rates

#: Intersection over union at which a zone is found.
LEAST_IOU = 0.7
#: Share of a written line that lies in the line that was found.
LEAST_COVERED = 0.5
#: Places along a written line that are looked at.
ALONG = 19

#: How a page is changed.
MAX_TURN_DEGREES, SCALES, MAX_KEYSTONE = 4.0, (0.7, 1.3), 0.015
MARGINS, GROUNDS, NOISE, QUALITIES = (0.0, 0.15), (20, 200), (0.0, 6.0), (40, 95)

Grey = NDArray[np.uint8]


class Fate(StrEnum):
    """What became of a written line."""

    GIVEN = "given to its zone"
    MERGED = "in one line with another"
    STRAY = "given to another zone"
    LOST = "lost"


@dataclass(kw_only=True)
class Tally:
    """What was found of the zones of one kind of page."""

    pages: int = 0
    zones: int = 0
    found: int = 0
    others: int = 0
    lines: int = 0
    given: int = 0
    seconds: float = 0.0
    #: What is written in each zone, and what was read.
    texts: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    #: The same of real lines before they came onto a page.
    alone: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    fates: Counter[Fate] = field(default_factory=Counter)
    #: Pages that were read on their head.
    on_head: int = 0


def main() -> None:
    """Draw, find, compare."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=25, help="of each kind (default 25)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--on-head", action="store_true", help="turn every page by half")
    parser.add_argument("--read", action="store_true", help="read the lines too")
    parser.add_argument("--missed", type=Path, help="folder for pictures of pages with a miss")
    parser.add_argument("--hands", type=Path, help="packs of real lines to write with")
    parser.add_argument("--kept", type=Path, default=Path("build/hands"), help="for their cuts")
    options = parser.parse_args()
    # OpenCV would share the work out among all cores; seconds are to be those of one.
    cv2.setNumThreads(1)
    hands = Hands(options.hands, options.kept) if options.hands else None
    reader = LineReader() if options.read or hands else None
    tallies: dict[str, Tally] = defaultdict(Tally)
    for kind, scan, rng in draw(options.documents, options.seed, hands):
        image, truth = changed(scan, rng)
        if options.on_head:
            image, truth = on_its_head(image, truth)
        form = load_profile(kind.split()[0]).page(truth.number)
        start = time.process_time()
        layout = lay_out(image, form)
        tallies[kind].seconds += time.process_time() - start
        missed = count(tallies[kind], truth, layout)
        if missed and options.missed:
            save(options.missed / f"{kind}-{tallies[kind].pages}.jpg", image, layout, missed)
        if reader:
            read(tallies[kind], truth, layout, reader)
        if hands and reader:
            read_alone(tallies[kind], truth, layout, reader, hands)
    show(tallies)
    if reader:
        reader.close()


def draw(
    documents: int, seed: int, hands: Hands | None = None
) -> Iterator[tuple[str, Scan, np.random.Generator]]:
    """Pages as they come from the scanner, with the kind they are counted under."""
    for place in range(documents):
        rng = np.random.default_rng([seed, place])
        for scan in exam_pages(4, rng, hands.sheets(place, rng) if hands else new_sheet):
            plain = not scan.truth.zones[-1].name[-1].isdigit()
            yield "exam plain" if plain else "exam ruled", scan, rng
        if hands:
            continue
        cheque = choose_cheque(rng, list(Face)[place % len(Face)])
        front = cheque_front(cheque, rng, pattern=place % 2 == 0)
        yield "cheque front", front, rng
        yield "cheque back", black_and_white(cheque_back(cheque, rng)), rng


def black_and_white(scan: Scan) -> Scan:
    """As scanners for cheques deliver it."""
    picture = np.where(bilevel(scan.picture), 255, 0).astype(np.uint8)
    return replace(scan, picture=np.repeat(picture[:, :, None], 3, axis=2))


def changed(scan: Scan, rng: np.random.Generator) -> tuple[Grey, TruthPage]:
    """The page as somebody else's scanner or camera sees it, and its truth."""
    grey = np.asarray(cv2.cvtColor(scan.picture, cv2.COLOR_RGB2GRAY), np.uint8)
    move, size = movement(grey.shape[1], grey.shape[0], rng)
    ground = float(rng.uniform(*GROUNDS))
    moved = cv2.warpPerspective(grey, move, size, flags=cv2.INTER_AREA, borderValue=ground)
    noisy = moved + rng.normal(0, rng.uniform(*NOISE), moved.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*QUALITIES))]
    _, saved = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), quality)
    image = np.asarray(cv2.imdecode(saved, cv2.IMREAD_GRAYSCALE), np.uint8)
    return image, moved_truth(scan.truth, move, size)


def on_its_head(image: Grey, truth: TruthPage) -> tuple[Grey, TruthPage]:
    """The page turned by half."""
    height, width = image.shape
    move = np.array([(-1, 0, width - 1), (0, -1, height - 1), (0, 0, 1)], np.float64)
    return np.ascontiguousarray(np.rot90(image, 2)), moved_truth(truth, move, (width, height))


def moved_truth(truth: TruthPage, move: NDArray[np.float64], size: tuple[int, int]) -> TruthPage:
    """The truth of a page after the movement, which is of this width and height then."""
    return replace(
        truth,
        width=size[0],
        height=size[1],
        lines=tuple(replace(one, polygon=moved_points(one.polygon, move)) for one in truth.lines),
        zones=tuple(replace(one, polygon=moved_points(one.polygon, move)) for one in truth.zones),
    )


def movement(
    width: int, height: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """A homography that turns, scales and tilts, and the size of the picture it fills."""
    scale = float(rng.uniform(*SCALES))
    turn = np.radians(rng.uniform(-MAX_TURN_DEGREES, MAX_TURN_DEGREES))
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    tilted = corners + rng.uniform(-MAX_KEYSTONE, MAX_KEYSTONE, (4, 2)) * width
    across = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    placed = scale * (tilted - tilted.mean(axis=0)) @ across
    margin = rng.uniform(*MARGINS) * scale * width
    placed += margin - placed.min(axis=0)
    size = tuple(int(side) for side in np.ceil(placed.max(axis=0) + margin))
    taken = cv2.getPerspectiveTransform(corners.astype(np.float32), placed.astype(np.float32))
    return np.asarray(taken, np.float64), (size[0], size[1])


def moved_points(polygon: Polygon, move: NDArray[np.float64]) -> Polygon:
    """The polygon's corners after the movement."""
    taken = cv2.perspectiveTransform(np.array([polygon], np.float64), move)[0]
    return tuple((round(float(x)), round(float(y))) for x, y in taken)


def count(tally: Tally, truth: TruthPage, layout: PageLayout) -> list[str]:
    """Add a page to the tally; names of the zones that were missed."""
    found = {zone.name: zone for zone in layout.zones}
    missed = [
        true.name
        for true in truth.zones
        if true.name not in found or iou(true.polygon, found[true.name]) < LEAST_IOU
    ]
    tally.pages += 1
    tally.zones += len(truth.zones)
    tally.found += len(truth.zones) - len(missed)
    tally.others += len(found.keys() - {zone.name for zone in truth.zones})
    read_zones = {zone.name for zone in layout.zones if zone.is_read} | set(missed)
    written = [line for line in truth.lines if line.zone in read_zones]
    tally.lines += len(written)
    tally.given += sum(given(line, layout) for line in written)
    tally.fates.update(fate(line, written, layout) for line in written)
    tally.on_head += is_turned(layout, truth)
    return missed


def is_turned(layout: PageLayout, truth: TruthPage) -> bool:
    """Whether what runs to the right on the page runs to the left in the view of it."""
    (x, _), (right, _) = layout.view.points_on_page([(0, 0), (layout.view.image.shape[1] - 1, 0)])
    corners = truth.zones[0].polygon
    return (right - x) * (corners[1][0] - corners[0][0]) < 0


def given(line: TruthLine, layout: PageLayout) -> bool:
    """Whether lines that were given to the line's zone hold enough of it."""
    true = np.array(line.polygon, float)
    left, right = true[:, 0].min(), true[:, 0].max()
    middle = true[:, 1].mean()
    covered = 0.0
    for one in layout.lines:
        if one.zone is None or one.zone.name != line.zone:
            continue
        outline = np.array(one.line.polygon, float)
        if outline[:, 1].min() <= middle <= outline[:, 1].max():
            covered += max(min(right, outline[:, 0].max()) - max(left, outline[:, 0].min()), 0.0)
    return bool(covered >= LEAST_COVERED * (right - left))


def fate(line: TruthLine, others: Sequence[TruthLine], layout: PageLayout) -> Fate:
    """What became of a line, beside the others of its page."""
    inside = [held_along(line, one) for one in layout.lines]
    own = [one.zone is not None and one.zone.name == line.zone for one in layout.lines]
    if not np.mean(np.any([*inside, np.zeros(ALONG)], axis=0)) > LEAST_COVERED:
        return Fate.LOST
    given = [points for points, is_own in zip(inside, own, strict=True) if is_own]
    if not np.mean(np.any([*given, np.zeros(ALONG)], axis=0)) > LEAST_COVERED:
        return Fate.STRAY
    most = layout.lines[int(np.argmax(np.sum(inside, axis=1)))]
    fellows = (one for one in others if one is not line)
    is_merged = any(held_along(one, most).mean() > LEAST_COVERED for one in fellows)
    return Fate.MERGED if is_merged else Fate.GIVEN


def held_along(line: TruthLine, found: ZonedLine) -> NDArray[np.bool_]:
    """Which of some points along the middle of a written line a found one holds."""
    top_left, top_right, low_right, low_left = (np.array(at, float) for at in line.polygon)
    start, end = (top_left + low_left) / 2, (top_right + low_right) / 2
    outline = np.array(found.line.polygon, np.float32)
    points = [start + share * (end - start) for share in np.linspace(0.05, 0.95, ALONG)]
    return np.array([cv2.pointPolygonTest(outline, (x, y), False) >= 0 for x, y in points])


def iou(true: Polygon, zone: Zone) -> float:
    """Intersection over union of two convex outlines."""
    one, other = (np.array(points, np.float32) for points in (true, zone.polygon))
    common, _ = cv2.intersectConvexConvex(one, other)
    return common / (cv2.contourArea(one) + cv2.contourArea(other) - common)


def read(tally: Tally, truth: TruthPage, layout: PageLayout, reader: LineReader) -> None:
    """Read the lines in zones."""
    waiting = [
        (
            one.zone,
            reader.submit(normalise_line(layout.crop(one)), decoder=one.zone.decoder),
        )
        for one in layout.lines
        if one.zone
    ]
    lines = [
        FieldLine(reading=promise.result(), zone=zone.name, same_as=zone.same_as)
        for zone, promise in waiting
    ]
    said: dict[str, list[str]] = defaultdict(list)
    for (zone, _), reading in zip(waiting, reconcile(lines)[0], strict=True):
        said[zone.name].append(reading.text if reading else "")
    unread = {zone.name for zone in layout.zones if not zone.is_read}
    for true in truth.zones:
        if true.name not in unread:
            written = [line.text for line in truth.lines if line.zone == true.name]
            # A reading has single spaces; the printed codes of a cheque have wider gaps.
            text = " ".join(" ".join(written).split())
            kind = true.name.rstrip("0123456789").rstrip()
            tally.texts[kind].append((text, " ".join(said[true.name])))


def read_alone(
    tally: Tally, truth: TruthPage, layout: PageLayout, reader: LineReader, hands: Hands
) -> None:
    """Read the same lines as they came, by the decoders of their zones."""
    decoders = {zone.name: zone.decoder for zone in layout.zones}
    for zone in truth.zones:
        texts = [line.text for line in truth.lines if line.zone == zone.name]
        real = [text for text in texts if text in hands.pictures]
        waiting = [
            reader.submit(normalise_line(hands.pictures[text]), decoder=decoders.get(zone.name))
            for text in real
        ]
        if waiting:
            said = " ".join(promise.result().text for promise in waiting)
            kind = zone.name.rstrip("0123456789").rstrip()
            tally.alone[kind].append((" ".join(real), said))


def save(path: Path, image: Grey, layout: PageLayout, missed: Sequence[str]) -> None:
    """A picture of what was found on a page, for people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [one.line for one in layout.lines]
    Image.fromarray(draw_layout(image, lines, [""] * len(lines), layout.zones)).save(path)
    sys.stdout.write(f"{path}: missed {', '.join(missed)}\n")


def show(tallies: dict[str, Tally]) -> None:
    """Write the table."""
    row = "{:<14}{:>7}{:>7}{:>9}{:>11}{:>9}{:>10}\n"
    sys.stdout.write(row.format("kind", "pages", "zones", "found", "of others", "lines", "s/page"))
    for kind, tally in [*sorted(tallies.items()), ("all", total(tallies.values()))]:
        found, given = tally.found / tally.zones, tally.given / max(tally.lines, 1)
        cells = (f"{found:.2%}", tally.others, f"{given:.2%}", f"{tally.seconds / tally.pages:.3f}")
        sys.stdout.write(row.format(kind, tally.pages, tally.zones, *cells))
    for kind, tally in sorted(tallies.items()):
        for zone, texts in tally.texts.items():
            cer = error_rates(texts).cer
            exact = sum(true == read for true, read in texts) / len(texts)
            alone = (
                f", alone {error_rates(tally.alone[zone]).cer:.1%}" if zone in tally.alone else ""
            )
            sys.stdout.write(
                f"{kind}, {zone}: CER {cer:.1%}{alone}, {exact:.0%} of {len(texts)} exact\n"
            )
    for kind, tally in sorted(tallies.items()):
        fates = ", ".join(f"{count} {one}" for one, count in sorted(tally.fates.items()))
        sys.stdout.write(f"{kind}, lines: {fates}; {tally.on_head} pages on their head\n")


def total(tallies: Iterable[Tally]) -> Tally:
    """All kinds together."""
    whole = Tally()
    for one in tallies:
        for name in ("pages", "zones", "found", "others", "lines", "given", "seconds"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
    return whole


if __name__ == "__main__":
    main()
