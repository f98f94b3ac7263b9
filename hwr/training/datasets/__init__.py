"""Labelled lines from whatever a folder holds: packs, PAGE or ALTO XML, IAM, or a table.

A folder that is none of these may hold such folders and zips; each is a data set of its own. What
each kind looks like is told in CONTRIBUTING.md, "Adding a data set".
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from hwr.errors import TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.training.datasets.foreign import tell_foreign
from hwr.training.datasets.iam import holds_iam, iam_records
from hwr.training.datasets.marked_pages import holds_marked_pages, page_records
from hwr.training.datasets.packs import holds_packs, read_packs
from hwr.training.datasets.records import LeftOut, Reader, gather
from hwr.training.datasets.store import Archive, Folder
from hwr.training.datasets.table import holds_table, table_records
from hwr.training.samples import LineSample

log = logging.getLogger(__name__)

#: How deep data sets may lie below the named folder: collection/document/page/….xml.
_DEPTH = 3


def read_folder(data: Path, split: str) -> list[LineSample]:
    """The lines of one split of all data sets in `data`, a folder or a zip with a table; of the
    split `all` every line.

    A broken record is logged by name and left out.

    Raises:
        TrainingDataError: there is no data set.
    """
    sets = [*_datasets(data, data, _DEPTH)]
    if not sets:
        raise TrainingDataError(
            f"{data} holds no line pack (NAME.tsv with NAME.zip), no PAGE or ALTO XML, no IAM"
            " (ascii/lines.txt) and no table (a .tsv in UTF-8 whose first row names path and text)."
            " Name a folder with one."
        )
    samples = [sample for place in sets for sample in _lines(place, data, split)]
    tell_foreign(samples, Alphabet(DEFAULT_CHARACTERS))
    return samples


def _datasets(place: Path, top: Path, depth: int) -> Iterator[Path]:
    if holds_packs(place) or _reader(place, top) is not None:
        yield place
    elif depth and place.is_dir():
        for child in sorted(place.iterdir()):
            if child.is_symlink():
                log.warning("%s is a link and not followed: name its target.", child)
            else:
                yield from _datasets(child, top, depth - 1)


def _lines(place: Path, top: Path, split: str) -> list[LineSample]:
    reader = _reader(place, top)
    if holds_packs(place) or reader is None:
        return read_packs(place, split)
    left_out = LeftOut(_name(place, top))
    return gather(reader(left_out), split, left_out)


def _name(place: Path, top: Path) -> str:
    return place.stem if place == top else place.relative_to(top).with_suffix("").as_posix()


def _reader(place: Path, top: Path) -> Reader | None:
    """What reads the data set at `place`; pictures may lie anywhere in the named folder `top`."""
    if place.is_dir():
        if holds_iam(place):
            return lambda left_out: iam_records(place, left_out)
        if holds_marked_pages(place):
            return lambda left_out: page_records(place, Folder(top), left_out)
        if holds_table(Folder(place)):
            return lambda left_out: table_records(Folder(place), left_out)
    elif place.suffix.lower() == ".zip" and holds_table(Archive(place)):
        return lambda left_out: table_records(Archive(place), left_out)
    return None
