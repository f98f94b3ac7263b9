"""Commands that read in this process, without any service: read and lines."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Annotated

import typer

from hwr.errors import HwrError
from workers.commands.options import DecoderName, ProfileName, profile_of
from workers.commands.show import ALL_READ, SOME_FAILED, complain, show
from workers.file_names import DOCUMENTS, clean_name, files_in
from workers.output import Format

if TYPE_CHECKING:
    from hwr.reader import DocumentReading

_STDIN = Path("/dev/stdin")

#: Bytes of standard input that are copied at once.
_CHUNK_BYTES = 2**20


def _source(given: str) -> Path:
    # With allow_dash Typer still looks for a file of the name -.
    path = _STDIN if given == "-" else Path(given)
    if not path.exists():
        raise typer.BadParameter(f"Path '{given}' does not exist.")
    return path


def read(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES-OR-FOLDERS",
            parser=_source,
            help="Documents; of a folder all in it; - is standard input.",
        ),
    ],
    form: Annotated[Format, typer.Option("--format", help="text or json")] = Format.TEXT,
    out: Annotated[Path | None, typer.Option(help="Folder to save the results in.")] = None,
    decoder: DecoderName = None,
    profile: ProfileName = None,
) -> None:
    """Read documents here and now."""
    from hwr.reader import Reader
    from workers.limits import limits_of
    from workers.models.choice import engine_of
    from workers.settings import get_settings

    settings = get_settings()
    limits, chosen = limits_of(settings), profile_of(profile)
    files = list(_documents(sources))
    if not files:
        complain("No document was found. Name documents, or folders with some.")
        raise typer.Exit(SOME_FAILED)
    with (
        Reader(**engine_of(settings, decoder), limits=limits, profile=chosen) as reader,
        TemporaryDirectory() as folder,
    ):
        if _STDIN in files:
            files[files.index(_STDIN)] = _spooled(Path(folder), limits.max_bytes)
        results = (_named(reader.read(file), file, sources).to_json() for file in files)
        raise typer.Exit(show(results, form, out, several=len(files) > 1))


def _documents(sources: Iterable[Path]) -> Iterator[Path]:
    """Files as they are given, folders with the documents in and below them."""
    from hwr.documents.formats import is_document

    for source in sources:
        for path in files_in(source) if source.is_dir() else ():
            # One that is empty or broken is missed by whoever put it there.
            if path.suffix.lower() in DOCUMENTS or is_document(path):
                yield path
            else:
                complain(f"{clean_name(path.name)}: not a PDF, TIFF, JPEG or PNG, left out.")
        if not source.is_dir():
            yield source


def _spooled(folder: Path, max_bytes: int) -> Path:
    """Standard input as a file, which is one byte too large where that goes on."""
    path, left = folder / "stdin", max_bytes + 1
    with path.open("wb") as file:
        while chunk := sys.stdin.buffer.read(min(left, _CHUNK_BYTES)):
            file.write(chunk)
            left -= len(chunk)
    return path


def _named(reading: "DocumentReading", file: Path, sources: Iterable[Path]) -> "DocumentReading":
    """The reading under a name that is harmless on a terminal, with the folders that it lay in."""
    folder = next((source for source in sources if source in file.parents), file.parent)
    return replace(reading, name=clean_name("_".join(file.relative_to(folder).parts)))


def lines(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES-OR-FOLDERS",
            exists=True,
            help="Line images, one a file; of a folder all PNG, JPEG and TIFF files in it.",
        ),
    ],
    tsv: Annotated[
        Path, typer.Option(help="Where to write, once all are read; - is standard output.")
    ] = Path("-"),
    decoder: DecoderName = None,
) -> None:
    """Read line images that are already cut, into a table of path, text and confidence.

    An image shows one level line, cut anyhow, dark on light or light on dark, from 4 × 4 pixels on.

    An image that cannot be read gets its error on standard error and a row with an empty text and
    confidence 0, so that there is a row for every image.
    """
    from hwr.reader import LineReader
    from workers.limits import limits_of
    from workers.line_files import HEADER, find_images, read_images, row
    from workers.models.choice import engine_of
    from workers.settings import get_settings

    settings = get_settings()
    code, count = ALL_READ, 0
    with (
        LineReader(**engine_of(settings, decoder)) as reader,
        _open_table(tsv) as table,
    ):
        table.write(HEADER)
        for path, reading in read_images(reader, find_images(sources), limits_of(settings)):
            table.write(row(path, reading))
            count += 1
            if isinstance(reading, HwrError):
                code = SOME_FAILED
                complain(f"{path}: {reading.code}: {reading}")
    if not count:
        code = SOME_FAILED
        complain("No PNG, JPEG or TIFF file was found. Name line images, or folders with some.")
    raise typer.Exit(code)


@contextmanager
def _open_table(path: Path) -> Iterator[IO[str]]:
    from hwr.model.files import replacing

    # File names are bytes: those that are no UTF-8 go into the table as they are.
    if str(path) == "-":
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="surrogateescape")
        yield sys.stdout
        return
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as table,
    ):
        yield table
