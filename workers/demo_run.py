"""What `python -m workers.demo` does.

Draws a synthetic batch (or takes your files), starts `hwr up`, submits over HTTP, a job for each
kind of document, follows the jobs, prints what was read, by name where the document has fields, and
leaves results and pictures behind. Everything it started is stopped at the end, also after Ctrl-C.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hwr.documents import Limits, open_document
from hwr.errors import HwrError, PageError
from hwr.forms import Found, Zone, draw_layout
from hwr.layout import Line
from hwr.profiles import FREE_TEXT
from hwr.samples import load_truth, write_batch
from hwr.training.metrics import ErrorRates, error_rates
from workers.database import State
from workers.demo_service import follow, running_service
from workers.interrupts import INTERRUPTED
from workers.output import Folder, Format, Result, problems
from workers.settings import get_settings

#: Zones of the samples' profiles that nobody reads.
UNREAD = frozenset({"signature"})

#: Characters of a row where the output is no terminal.
PIPE_WIDTH = 240


@dataclass(frozen=True, kw_only=True)
class Input:
    """A document of the demo."""

    path: Path
    #: What kind of document it is.
    profile: str = FREE_TEXT
    #: Its truth; None for a document of the user's.
    truth_path: Path | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 if every document was read, 1 if not."""
    options = _parse(arguments)
    # A pipe has no width: give every line of text the room it needs.
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    console = Console(highlight=False, width=width)
    try:
        own = [Input(path=path, profile=options.profile) for path in options.files]
        return run(own, options.out, console)
    except HwrError as error:
        console.print(f"{error.code}: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return INTERRUPTED


def _parse(arguments: Sequence[str] | None) -> Any:
    parser = ArgumentParser(prog="python -m workers.demo", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILES", help="your documents")
    parser.add_argument("--profile", default=FREE_TEXT, help="what kind they are; default: page")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), help="folder to write to")
    options = parser.parse_args(arguments)
    for path in options.files:
        if not path.is_file():
            parser.error(f"there is no file {path}")
    return options


def run(own: Sequence[Input], out: Path, console: Console) -> int:
    """Read the documents, or a drawn batch, and leave everything in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    inputs = list(own) or _draw_samples(out, console)
    log = out / "hwr.log"
    with running_service(out / "service", log, console) as client:
        # One job a kind: inputs of one kind stand together.
        kinds = [list(kind) for _, kind in groupby(inputs, key=lambda one: one.profile)]
        ids = [
            client.submit([one.path for one in kind], profile=kind[0].profile)["id"]
            for kind in kinds
        ]
        follow(client, ids, console)
        results: list[Result] = [
            document for job_id in ids for document in client.results(job_id)["documents"]
        ]
    folder, pictures = Folder(out / "results"), out / "pictures"
    pictures.mkdir(exist_ok=True)
    for given, result in zip(inputs, results, strict=True):
        show(given, result, console)
        saved = folder.save(result, Format.JSON)
        for number, picture in overlays(given.path, result):
            picture.save(pictures / f"{saved.stem}-{number}.png")
    console.print(f"\nResults as JSON:         {out / 'results'}", markup=False)
    console.print(f"Pages with their lines:  {pictures}", markup=False)
    console.print(f"Logs of the service:     {log} and {out / 'service'}", markup=False)
    return int(any(result["state"] != State.DONE for result in results))


def _draw_samples(out: Path, console: Console) -> list[Input]:
    console.print("Drawing a synthetic batch: an exam and cheques.")
    samples = write_batch(out / "samples")
    return [
        Input(path=sample.path, profile=sample.profile, truth_path=sample.truth_path)
        for sample in samples
    ]


def show(given: Input, result: Result, console: Console) -> None:
    """Print what was read of a document, line by line, and what was not."""
    console.print(f"\n{result['name']}: {_summary(given, result)}", style="bold", markup=False)
    table = Table("page", "line", "zone", "confidence", "text", box=None, padding=(0, 1))
    for page in result["pages"]:
        for line in page["lines"]:
            zone, sure = line["zone"] or "", f"{line['confidence']:.2f}"
            cells = (str(page["number"]), str(line["order"] + 1), zone, sure, line["text"])
            table.add_row(*map(escape, cells))
    if table.row_count:
        console.print(table)
    for problem in problems(result):
        console.print(problem, style="red", markup=False)


def _summary(given: Input, result: Result) -> str:
    lines = sum(len(page["lines"]) for page in result["pages"])
    said = f"{result['state']}, {len(result['pages'])} pages, {lines} lines"
    if given.truth_path is None:
        return said
    rates = rates_of(given.truth_path, result)
    of = " in its zones" if any(page["zones"] for page in result["pages"]) else ""
    return f"{said}; synthetic, character error rate against its truth{of} {rates.cer:.1%}"


def rates_of(truth_path: Path, result: Result) -> ErrorRates:
    """Error rates of what is written in the zones that are read, each taken as one row of text.

    Without zones, of all that is on each page.
    """
    read: dict[tuple[int, str | None], str] = {}
    for page in result["pages"]:
        for line in page["lines"]:
            place = page["number"], line["zone"]
            read[place] = f"{read.get(place, '')} {line['text']}".strip()
    return error_rates(
        (text, read.get(place, "")) for place, text in _written(truth_path, result).items()
    )


def _written(truth_path: Path, result: Result) -> dict[tuple[int, str | None], str]:
    """What stands in each zone by page and name; a page without zones is one by the name None."""
    zones = {page["number"]: page["zones"] for page in result["pages"]}
    written: dict[tuple[int, str | None], str] = {}
    for page in load_truth(truth_path).pages:
        if not zones.get(page.number):
            written[page.number, None] = page.text
            continue
        for line in page.lines:
            if line.zone is not None and line.zone not in UNREAD:
                place = page.number, line.zone
                written[place] = f"{written.get(place, '')} {line.text}".strip()
    return written


def overlays(path: Path, result: Result) -> Iterator[tuple[int, Image.Image]]:
    """The document's pages with their lines drawn over them, a page at a time."""
    readable = [page for page in result["pages"] if page["error"] is None]
    if not readable:
        return
    with open_document(path, Limits(render_dpi=get_settings().render_dpi)) as document:
        for page in readable:
            try:
                image = document.page(page["number"]).image
            except PageError:
                continue
            lines = [_line(line) for line in page["lines"]]
            texts = [line["text"] for line in page["lines"]]
            zones = [_zone(zone) for zone in page["zones"]]
            yield page["number"], Image.fromarray(draw_layout(image, lines, texts, zones))


def _line(raw: Result) -> Line:
    return Line(
        order=raw["order"],
        polygon=tuple((x, y) for x, y in raw["polygon"]),
        baseline=tuple((x, y) for x, y in raw["baseline"]),
    )


def _zone(raw: Result) -> Zone:
    return Zone(
        name=raw["name"],
        polygon=tuple((x, y) for x, y in raw["polygon"]),
        found=Found(raw["found"]),
        is_read=raw["name"] not in UNREAD,
    )
