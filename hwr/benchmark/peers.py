"""Other programs on the same lines, where they are installed: rapidocr and tesseract.

Each is given one thread and the crops as they were cut from the page, knowing that they are single
lines; rapidocr one at a time, tesseract all in one call.
"""

import csv
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from hwr.benchmark.subject import Skipped
from hwr.errors import HwrError
from hwr.model.line_image import Grey

#: Longest run of tesseract.
_TIMEOUT_S = 600.0
#: A line that every program can read.
_BLANK = np.full((64, 256), 255, np.uint8)


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A program that is installed here."""

    name: str
    #: Its name with its version and model.
    identity: str
    #: Texts of crops.
    read: Callable[[Sequence[Grey]], list[str]]


def find_peers() -> tuple[list[Peer], list[Skipped]]:
    """Those that are installed and read a blank line, and why the others do not."""
    peers, skipped = [], []
    for name, (find, remedy) in _PEERS.items():
        try:
            peer = find()
            if peer:
                peer.read([_BLANK])
                peers.append(peer)
            else:
                skipped.append(Skipped(name=name, reason=f"Not installed: {remedy}"))
        except Exception as error:  # other people's programs: whatever they raise costs only them
            skipped.append(Skipped(name=name, reason=f"It does not work: {error!r}"))
    return peers, skipped


def _rapidocr() -> Peer | None:
    if not find_spec("rapidocr"):
        return None
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine = RapidOCR(params={**threads, "Global.log_level": "error"})

    def read(crops: Sequence[Grey]) -> list[str]:
        colour = (cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR) for crop in crops)
        found = (engine(crop, use_det=False, use_cls=False, use_rec=True) for crop in colour)
        return [" ".join(line.txts or ()) for line in found]

    return Peer(name="rapidocr", identity=f"{version('rapidocr')}, its default model", read=read)


def _tesseract() -> Peer | None:
    program = shutil.which("tesseract")
    if not program:
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    number = said.stdout.split(maxsplit=2)[1]

    def read(crops: Sequence[Grey]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            return _run_tesseract(program, crops, Path(folder))

    return Peer(name="tesseract", identity=f"{number}, eng", read=read)


def _run_tesseract(program: str, crops: Sequence[Grey], folder: Path) -> list[str]:
    """One process for all crops: a list of files in, a table with a row for each word out."""
    files = [folder / f"{number}.png" for number in range(len(crops))]
    for file, crop in zip(files, crops, strict=True):
        cv2.imwrite(str(file), crop)
    (folder / "list").write_text("".join(f"{file}\n" for file in files), encoding="utf-8")
    subprocess.run(  # noqa: S603
        [program, str(folder / "list"), str(folder / "words"), "--psm", "7", "tsv"],
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_TIMEOUT_S,
        check=True,
    )
    with (folder / "words.tsv").open(encoding="utf-8", newline="") as table:
        return _texts(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE), len(crops))


def _texts(rows: Iterable[dict[str, str]], count: int) -> list[str]:
    """What each of the pages says; level 1 of the table is a page, level 5 a word."""
    pages: list[list[str]] = []
    for row in rows:
        if row["level"] == "1":
            pages.append([])
        elif row["level"] == "5":
            pages[-1].append(row["text"])
    if len(pages) != count:
        raise HwrError(f"tesseract read {len(pages)} of {count} lines. Install another version.")
    return [" ".join(words) for words in pages]


#: How to find each program, and how to get it.
_PEERS: dict[str, tuple[Callable[[], Peer | None], str]] = {
    "rapidocr": (_rapidocr, "pip install rapidocr onnxruntime"),
    "tesseract": (_tesseract, "apt install tesseract-ocr"),
}
