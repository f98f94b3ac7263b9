"""Labelled lines from whatever a folder holds: packs, PAGE or ALTO XML, IAM, or a table.

A folder that is none of these may hold such folders and zips; each is a data set of its own. What
each kind looks like is told in CONTRIBUTING.md, "Adding a data set".
"""

import logging
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path
from zipfile import is_zipfile

from hwr.errors import TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.training.datasets.foreign import tell_foreign
from hwr.training.datasets.iam import holds_iam, iam_records
from hwr.training.datasets.marked_pages import holds_marked_pages, page_records
from hwr.training.datasets.packs import holds_packs, read_packs
from hwr.training.datasets.records import LeftOut, Record, gather, undivided
from hwr.training.datasets.store import Archive, Folder
from hwr.training.datasets.table import holds_table, other_tables, table_records
from hwr.training.samples import LineSample

log = logging.getLogger(__name__)

#: How deep data sets may lie below the named folder: collection/document/page/….xml.
_DEPTH = 3
_UNREAD = (
    "%s is not read. A table of lines lies in a folder or zip without data of another kind; its"
    " first row names path and text, or a picture; it is in UTF-8, with tabs and nothing quoted."
)


def read_folder(data: Path, split: str) -> list[LineSample]:
    """The lines of one split of all data sets in `data`, a folder or a zip with a table; of the
    split `all` every line.

    A broken record is logged by name and left out.

    Raises:
        TrainingDataError: there is no data set.
    """
    sets = dict(_datasets(data, _DEPTH))
    if not sets:
        raise TrainingDataError(
            f"{data} holds no line pack (NAME.tsv with NAME.zip), no PAGE or ALTO XML, no IAM"
            " (ascii/lines.txt) and no table (a .tsv in UTF-8 whose first row names path and text)."
            " Name a folder with one."
        )
    listed = {
        place: _listed(place, kind, data) for place, kind in sets.items() if kind is not _Kind.PACKS
    }
    validating = undivided(records for records, _ in listed.values())
    samples: list[LineSample] = []
    for place in sets:
        if place in listed:
            samples += gather(*listed[place], split, validating)
        else:
            samples += read_packs(place, split)
    tell_foreign(samples, Alphabet(DEFAULT_CHARACTERS))
    return samples


class _Kind(Enum):
    """What a folder or zip holds. Of several kinds in one folder the first is read."""

    PACKS = auto()
    IAM = auto()
    PAGES = auto()
    TABLE = auto()


def _kind(place: Path) -> _Kind | None:
    if place.is_dir():
        if holds_packs(place):
            return _Kind.PACKS
        if holds_iam(place):
            return _Kind.IAM
        if holds_marked_pages(place):
            return _Kind.PAGES
        return _Kind.TABLE if holds_table(Folder(place)) else None
    return _Kind.TABLE if _is_zip(place) and holds_table(Archive(place)) else None


def _is_zip(place: Path) -> bool:
    return place.suffix.lower() == ".zip"


def _datasets(place: Path, depth: int) -> Iterator[tuple[Path, _Kind]]:
    try:
        yield from _found(place, depth)
    except PermissionError as error:  # `lost+found` of a disk, say
        log.warning("%s is not looked into: %s", place, error)


def _found(place: Path, depth: int) -> Iterator[tuple[Path, _Kind]]:
    kind = _kind(place)
    for unread in _unread(place, kind):
        log.warning(_UNREAD, unread)
    if kind:
        yield place, kind
        _tell_inner(place, kind, depth)
    elif depth and place.is_dir():
        for child in sorted(place.iterdir()):
            if child.is_symlink():
                log.warning("%s is a link and not followed: name its target.", child)
            else:
                yield from _datasets(child, depth - 1)


def _tell_inner(place: Path, kind: _Kind, depth: int) -> None:
    """Warn of data sets inside one; the zips of packs and the folders of IAM are its own."""
    if kind is _Kind.IAM or not depth or place.is_file():
        return
    for child in sorted(place.iterdir()):
        if not child.is_symlink() and (child.is_dir() or kind is not _Kind.PACKS):
            for inner, _ in _datasets(child, depth - 1):
                log.warning("%s is not read, as it lies in a data set. Move it beside.", inner)


def _unread(place: Path, kind: _Kind | None) -> list[Path]:
    """Tables in `place` that are not read, or `place` itself if it is such a zip."""
    if not place.is_dir():
        return [place] if kind is None and _is_zip(place) and is_zipfile(place) else []
    names = other_tables(Folder(place)) if kind is _Kind.TABLE else Folder(place).tables()
    tables = [place / name for name in names]
    packs = kind is _Kind.PACKS
    return [path for path in tables if not (packs and path.with_suffix(".zip").exists())]


def _listed(place: Path, kind: _Kind, top: Path) -> tuple[list[Record], LeftOut]:
    left_out = LeftOut(_name(place, top))
    return _records(place, kind, top, left_out), left_out


def _name(place: Path, top: Path) -> str:
    return place.stem if place == top else place.relative_to(top).with_suffix("").as_posix()


def _records(place: Path, kind: _Kind, top: Path, left_out: LeftOut) -> list[Record]:
    if kind is _Kind.IAM:
        return iam_records(place, left_out)
    if kind is _Kind.PAGES:  # whose pictures may lie anywhere in the named folder
        return page_records(place, Folder(top), left_out)
    return table_records(Folder(place) if place.is_dir() else Archive(place), left_out)
