"""Results as people and programs want them: text, or JSON with everything."""

import json
import os
from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any

from workers.file_names import clean_name

#: Longest name of a file in bytes, on all file systems that are in use.
_MAX_FILE_NAME = 255

#: The result of one document, as the API, result files and `hwr read` have it.
Result = dict[str, Any]


class Format(StrEnum):
    """How a result is written."""

    #: Lines in reading order, those of zones by name, a blank line between pages and sheets.
    TEXT = "text"
    JSON = "json"  # one object a document, on one line

    @property
    def suffix(self) -> str:
        """What the names of such files end in."""
        return ".txt" if self is Format.TEXT else ".json"


def render(result: Result, form: Format) -> str:
    """A result as text of that format, with a newline at its end unless it is empty."""
    if form is Format.JSON:
        return json.dumps(result, ensure_ascii=False) + "\n"
    sheets = (
        "".join(map(_text, lines))
        for page in result["pages"]
        for _, lines in groupby(page["lines"], lambda line: line.get("sheet"))
    )
    return "\n".join(sheets)


def _text(line: dict[str, Any]) -> str:
    """The line on a row, behind the name of its zone."""
    zone = line.get("zone")
    return f"{zone}: {line['text']}\n" if zone else f"{line['text']}\n"


def problems(result: Result) -> Iterator[str]:
    """What was not read and why, one line each."""
    name = result["name"]
    if result["error"]:
        yield _problem(name, result["error"])
    for page in result["pages"]:
        where = f"{name}, page {page['number']}"
        for trouble in (page["error"], page.get("warning")):
            if trouble:
                yield _problem(where, trouble)
        for line in page["lines"]:
            if line.get("error"):
                yield _problem(f"{where}, line {line['order'] + 1}", line["error"])


def _problem(where: str, error: dict[str, str]) -> str:
    return f"{where}: {error['code']}: {error['message']}"


class Folder:
    """A folder that results are saved in, each document in a file of its own."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._taken: set[str] = set()

    def save(self, result: Result, form: Format) -> Path:
        """Write a result, whole or not at all; documents of one name are numbered."""
        path = self._path / self._free_name(clean_name(result["name"]), form.suffix)
        # Its own name may be as long as names get, so that nothing can be added.
        part = path.with_name(f".{os.getpid()}.part")
        try:
            part.write_text(render(result, form), encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def _free_name(self, name: str, suffix: str) -> str:
        free, number = _with_end(name, suffix), 1
        while free.casefold() in self._taken:
            number += 1
            free = _with_end(name, f"-{number}{suffix}")
        self._taken.add(free.casefold())
        return free


def _with_end(name: str, end: str) -> str:
    """The name and its end, the name cut between two characters where both are too long."""
    kept = name.encode()[: _MAX_FILE_NAME - len(end.encode())]
    return kept.decode(errors="ignore") + end
