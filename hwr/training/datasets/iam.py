"""The IAM handwriting database in its own layout (Marti and Bunke, IJDAR 5, 2002).

`lines.txt` (or, without it, `words.txt`) and `forms.txt`, in ascii/ or beside the folders; pictures
in lines/a01/a01-000u/a01-000u-00.png or straight in lines/; the files of the standard splits
anywhere below. The database marks a line `err` where it was cut into words wrongly, which says
nothing against the line: it is kept. A word marked so is left out.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hwr.errors import TrainingDataError
from hwr.training.datasets.records import LeftOut, Record
from hwr.training.datasets.store import Folder
from hwr.training.samples import Grey

#: Fields of a row before the text: id, flag, six numbers of the picture (in words.txt also a tag).
_FIELDS = 8
_ID = re.compile(r"(?P<form>(?P<folder>[a-z]\d\d)-\d{3}[a-z]?)(-\d\d){1,2}")
_SPLITS = {
    "trainset.txt": "train",
    "train.uttlist": "train",
    "validationset1.txt": "val",
    "validationset2.txt": "val",
    "validation.uttlist": "val",
    "testset.txt": "test",
    "test.uttlist": "test",
}
#: Split of a line that the standard files do not name.
_UNUSED = "unused"


def holds_iam(folder: Path) -> bool:
    """Whether `folder` is the database's."""
    return _units(folder) is not None


def iam_records(folder: Path, left_out: LeftOut) -> list[Record]:
    """All lines, or words where there is no lines.txt."""
    units = _units(folder) or "lines"
    writers, splits = _writers(folder), _splits(folder)
    records = []
    for row in _rows(folder, f"{units}.txt"):
        try:
            records.append(_record(Folder(folder), units, row, writers, splits))
        except TrainingDataError as error:
            left_out.add(row.split(" ")[0], error)
    return records


def _units(folder: Path) -> str | None:
    """ "lines" or "words", whichever is described."""
    return next((u for u in ("lines", "words") if _table(folder, f"{u}.txt")), None)


def _table(folder: Path, name: str) -> Path | None:
    places = (folder / "ascii" / name, folder / name)
    return next((place for place in places if place.is_file()), None)


def _rows(folder: Path, name: str) -> Iterator[str]:
    """Rows of a table of the database, without its comments; none where it is missing."""
    place = _table(folder, name)
    for row in place.read_text("utf-8", "replace").splitlines() if place else ():
        if row.strip() and not row.startswith("#"):
            yield row.strip()


def _writers(folder: Path) -> dict[str, str]:
    """Writer of each form."""
    rows = (row.split() for row in _rows(folder, "forms.txt"))
    return {row[0]: row[1] for row in rows if len(row) > 1}


def _splits(folder: Path) -> dict[str, str]:
    """Split of each form or line that the standard files name; empty without them."""
    found = {}
    for name, split in _SPLITS.items():
        for place in sorted(folder.rglob(name)):
            found.update(dict.fromkeys(place.read_text("utf-8", "replace").split(), split))
    return found


def _record(
    folder: Folder, units: str, row: str, writers: dict[str, str], splits: dict[str, str]
) -> Record:
    fields = row.split(" ", _FIELDS)
    known = _ID.fullmatch(fields[0])
    if known is None or len(fields) <= _FIELDS or fields[1] not in ("ok", "err"):
        raise TrainingDataError("its row is not as the database writes it. Fetch the file again.")
    if units == "words" and fields[1] == "err":
        raise TrainingDataError(
            "the database marks it as cut out wrongly. Take lines.txt, whose lines are whole."
        )
    form = known["form"]
    standard = splits.get(fields[0], splits.get(form, _UNUSED)) if splits else None
    return Record(
        name=fields[0],
        writer=writers.get(form, form),
        text=fields[_FIELDS].replace("|", " "),
        split=standard,
        picture=partial(_picture, folder, units, fields[0], known["folder"], form),
    )


def _picture(folder: Folder, units: str, name: str, group: str, form: str) -> Grey:
    nested = f"{units}/{group}/{form}/{name}.png"
    return folder.picture(nested if folder.has(nested) else f"{units}/{name}.png")
