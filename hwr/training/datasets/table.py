"""A folder or zip with a table: tab-separated path, text and, if known, writer and split.

UTF-8, no quoting, one line a row. A first row with the names path and text puts the columns in any
order; without one they are in that order. Paths are relative to the table.
"""

import logging
import re
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from hwr.errors import TrainingDataError
from hwr.training.datasets.records import LeftOut, Record, check_cells
from hwr.training.datasets.store import Store

log = logging.getLogger(__name__)

_COLUMNS = ("path", "text", "writer", "split")
_REQUIRED = {"path", "text"}
_ROW_END = re.compile(rb"\r*\n|\r")


def other_tables(store: Store) -> list[str]:
    """Names of the .tsv files in `store` that are no tables of lines."""
    return [table for table in store.tables() if not _is_table(store, table)]


def holds_table(store: Store) -> bool:
    """Whether there is a table of lines in `store`; any other .tsv is none."""
    try:
        return any(_is_table(store, table) for table in store.tables())
    except TrainingDataError as error:
        log.warning("%s is left out: %s", store.path, error)
        return False


def _is_table(store: Store, table: str) -> bool:
    """Whether the first row names the columns or a picture."""
    cells = _first(store.read(table))
    return set(cells) >= _REQUIRED or (len(cells) > 1 and store.has(_beside(table, cells[0])))


def table_records(store: Store, left_out: LeftOut) -> list[Record]:
    """The rows of all tables. Where no writer is named, the picture's folder is the writer."""
    records: list[Record] = []
    for table in filter(partial(_is_table, store), store.tables()):
        try:
            records += _records(store, table, store.read(table), left_out)
        except TrainingDataError as error:
            left_out.add(table, error)
    return records


def _records(store: Store, table: str, data: bytes, left_out: LeftOut) -> Iterator[Record]:
    first = _first(data)
    named = set(first) >= _REQUIRED
    columns = first if named else _COLUMNS
    for number, row in enumerate(_rows(data), 1):
        if number == 1 and named:
            continue
        try:
            cells = _cells(row)
            # Without names the first row says how many columns there are.
            check_cells(cells[max(len(first), len(columns)) :])
        except TrainingDataError as error:
            left_out.add(f"{table}, row {number}", error)
            continue
        if any(cells):
            yield _record(store, table, dict(zip(columns, cells, strict=False)))


def _first(data: bytes) -> tuple[str, ...]:
    """The cells of the first row."""
    return tuple(next(_rows(data)).decode("utf-8-sig", "replace").split("\t"))


def _rows(data: bytes) -> Iterator[bytes]:
    """Each row, found when it is asked for: a table may be long, and only its first be wanted."""
    # The first row's end is that of all: where it is LF, a CR within a row belongs to its text.
    found = _ROW_END.search(data)
    end = found[0][-1:] if found else b"\n"
    start = 0
    while (stop := data.find(end, start)) >= 0:
        yield data[start:stop].rstrip(b"\r")
        start = stop + 1
    yield data[start:]


def _cells(row: bytes) -> list[str]:
    try:
        return row.decode("utf-8-sig").split("\t")
    except UnicodeDecodeError as error:
        raise TrainingDataError(f"{error}. Save it as UTF-8.") from error


def _beside(table: str, path: str) -> str:
    return (PurePosixPath(table).parent / path).as_posix()


def _record(store: Store, table: str, row: dict[str, str]) -> Record:
    name = _beside(table, row.get("path", ""))
    return Record(
        name=name,
        writer=row.get("writer") or PurePosixPath(name).parent.as_posix(),
        text=row.get("text", ""),
        split=row.get("split") or None,
        picture=partial(store.picture, name),
    )
