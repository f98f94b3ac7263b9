"""Line packs: a zip of line pictures beside a TSV with the columns path, text, writer, split."""

import csv
import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hwr.errors import HwrError, TrainingDataError
from hwr.model.line_image import as_grey
from hwr.training.datasets.records import LeftOut, check_cells, some_text, tell_repeated
from hwr.training.datasets.store import ZIP_ERRORS
from hwr.training.samples import LineSample, decode_grey
from hwr.training.splits import takes, tell_others, tell_shared

_COLUMNS = {"path", "text", "writer", "split"}
#: Bytes of the largest picture of a line, unpacked.
_MOST_BYTES = 32 * 2**20
#: Pixels of the largest picture of a line.
_MOST_PIXELS = 16_000_000
#: What a member raises that is missing, damaged or encrypted, or a picture whose header is cut off.
_BROKEN = (KeyError, struct.error, *ZIP_ERRORS)


def holds_packs(folder: Path) -> bool:
    """Whether a pack lies in `folder` itself."""
    return any(path.with_suffix(".zip").exists() for path in folder.glob("*.tsv"))


def pack_names(folder: Path) -> list[str]:
    """Names of the packs in `folder`, sorted."""
    names = sorted(path.stem for path in folder.glob("*.tsv") if path.with_suffix(".zip").exists())
    if not names:
        raise TrainingDataError(
            f"{folder} holds no line pack. Put NAME.tsv beside NAME.zip there, or name another"
            " folder."
        )
    return names


def read_pack(folder: Path, name: str, split: str) -> list[LineSample]:
    """The lines of one split of a pack; a broken record is logged by name and left out."""
    left_out = LeftOut(name)
    samples = list(_records(folder, name, split, left_out))
    left_out.conclude(len(samples), split)
    return samples


def read_packs(folder: Path, split: str) -> list[LineSample]:
    """The lines of one split of all packs in `folder`."""
    return [sample for name in pack_names(folder) for sample in read_pack(folder, name, split)]


def _records(folder: Path, name: str, split: str, left_out: LeftOut) -> Iterator[LineSample]:
    try:
        yield from _whole_records(folder, name, split, left_out)
    except (zipfile.BadZipFile, UnicodeDecodeError, csv.Error) as error:
        raise TrainingDataError(f"{folder / name} is no pack ({error}). Make it again.") from error


def _whole_records(folder: Path, name: str, split: str, left_out: LeftOut) -> Iterator[LineSample]:
    with (
        zipfile.ZipFile(folder / f"{name}.zip") as archive,
        (folder / f"{name}.tsv").open(encoding="utf-8-sig", newline="") as table,
    ):
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
        if missing := _COLUMNS - set(rows.fieldnames or ()):
            raise TrainingDataError(f"{folder / name}.tsv has no column {min(missing)}. Add it.")
        named = list(rows)
        tell_others(name, (row["split"] for row in named))
        tell_shared(name, ((row["writer"], row["split"]) for row in named))
        tell_repeated(name, (row["path"] for row in named))
        for row in named:
            try:
                check_cells(row.get(None, ()))
                if takes(split, row["split"]):
                    yield _sample(name, row, _member(archive, row["path"]))
            except (*_BROKEN, HwrError) as error:
                left_out.add(row["path"], error)


def _member(archive: zipfile.ZipFile, path: str) -> bytes:
    if archive.getinfo(path).file_size > _MOST_BYTES:
        raise TrainingDataError(f"it has more than {_MOST_BYTES >> 20} MiB. Store it smaller.")
    return archive.read(path)


def _sample(dataset: str, row: dict[str, str], data: bytes) -> LineSample:
    height, width = jpeg_size(data, row["path"])
    if height * width > _MOST_PIXELS:
        raise TrainingDataError(f"it is {width} × {height} pixels, which is no line. Cut it out.")
    # One that cannot be decoded would end a run in its midst.
    as_grey(decode_grey(data, row["path"]))
    return LineSample(
        dataset=dataset,
        name=row["path"],
        writer=row["writer"],
        text=some_text(row["text"]),
        width=round(width * 64 / height),
        load=partial(decode_grey, data, row["path"]),
    )


def jpeg_size(data: bytes, name: str) -> tuple[int, int]:
    """(height, width) from a JPEG's frame header (ITU-T T.81, B.2.2), without decoding it."""
    position = 2
    while position + 9 < len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        length = struct.unpack_from(">H", data, position + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, position + 5)
            if not height or not width:
                break
            return height, width
        position += 2 + length
    raise TrainingDataError(f"{name} is not a JPEG picture. Convert it.")
