"""The lines of one page on their way from a split worker to a read worker: a line pack.

A Zstandard frame (RFC 8878) with a checksum. In it stand one line of JSON, with each line's place
on the page, its width, or the error it failed with; and after it the pixels of the line images one
after the other, LINE_HEIGHT rows of the width each.

Packs of version 0.1.0, ZIP archives, are read too: pages wait while read workers are replaced.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from hwr.errors import DamagedLinePack
from hwr.failure import Failure
from hwr.model.line_image import LINE_HEIGHT

#: A scan's noise does not get smaller with more effort, only slower: level 3 takes twice the time
#: of level 1 and saves 2 %.
COMPRESSION_LEVEL = 1

#: Bytes that a pack may unpack to, against frames that claim more: twice what splitting permits.
MOST_BYTES = 2**27

_ARCHIVE = b"PK"

#: What reading bytes that are no pack, or not all of one, ends with.
_DAMAGES = (
    *(ValueError, KeyError, TypeError, OverflowError, RecursionError, OSError, EOFError),
    *(zstandard.ZstdError, zipfile.BadZipFile, zlib.error),
)

Points = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class PackedLine:
    """One line: its picture, or the error that kept it from being one."""

    #: Place in reading order, from 0.
    order: int
    #: Outline in page pixels.
    polygon: Points
    #: Baseline in page pixels.
    baseline: Points
    #: uint8 (LINE_HEIGHT, w), as `hwr.model.line_image.normalise_line` gives it; None: see error.
    image: NDArray[np.uint8] | None
    #: Name of the zone it stands in; None outside of all.
    zone: str | None = None
    #: Name of the zone's decoder; None: the reader's own.
    decoder: str | None = None
    #: Name of the zone that says the same amount; None where there is none.
    same_as: str | None = None
    #: Why there is no picture.
    error: Failure | None = None
    #: Number of its sheet, from 1; None where the page is one.
    sheet: int | None = None


def pack(lines: Iterable[PackedLine]) -> bytes:
    """The line pack of a page."""
    lines = tuple(lines)
    described = json.dumps([_describe(line) for line in lines]).encode()
    images = (line.image.tobytes() for line in lines if line.image is not None)
    compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL, write_checksum=True)
    return compressor.compress(b"".join((described, b"\n", *images)))


def unpack(data: bytes) -> tuple[PackedLine, ...]:
    """The lines of a pack.

    Raises:
        DamagedLinePack: the bytes are not a line pack.
    """
    try:
        return tuple(_archived(data) if data.startswith(_ARCHIVE) else _compressed(data))
    except _DAMAGES as error:
        raise DamagedLinePack(
            f"The stored lines of the page are damaged ({error}). Submit the document again."
        ) from error


def _archived(data: bytes) -> Iterator[PackedLine]:
    """The lines of two NumPy arrays: all images side by side, and the JSON."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        _check_size(sum(entry.file_size for entry in archive.zip.infolist()))
        pixels, described = archive["pixels"], json.loads(archive["lines"].tobytes())
    ends = np.cumsum([line["width"] for line in described], dtype=np.int64)
    if pixels.dtype != np.uint8 or pixels.shape != (LINE_HEIGHT, ends.max(initial=0)):
        raise ValueError(f"pixels of shape {pixels.shape}")
    for line, image in zip(described, np.split(pixels, ends[:-1], axis=1), strict=True):
        yield _line(line, image)


def _compressed(data: bytes) -> Iterator[PackedLine]:
    content = _decompress(data)
    end = content.index(b"\n")
    return _lines(json.loads(content[:end]), content, end + 1)


def _decompress(data: bytes) -> bytes:
    # The frame says how long its content is, and that much memory is taken before it is unpacked.
    _check_size(zstandard.frame_content_size(data))
    return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise ValueError(f"content of {size} bytes")


def _lines(described: list[dict[str, Any]], content: bytes, start: int) -> Iterator[PackedLine]:
    """The lines whose pixels stand in the content from `start` on."""
    for line in described:
        width = line["width"]
        image = np.frombuffer(content, np.uint8, LINE_HEIGHT * width, start)
        yield _line(line, image.reshape(LINE_HEIGHT, width))
        start += image.size
    if start != len(content):
        raise ValueError(f"{len(content) - start} bytes left over")


def _line(described: dict[str, Any], image: NDArray[np.uint8]) -> PackedLine:
    error = described["error"]
    return PackedLine(
        order=described["order"],
        polygon=_points(described["polygon"]),
        baseline=_points(described["baseline"]),
        image=image if image.size else None,
        zone=described.get("zone"),
        decoder=described.get("decoder"),
        same_as=described.get("same_as"),
        error=Failure(**error) if error else None,
        sheet=described.get("sheet"),
    )


def _describe(line: PackedLine) -> dict[str, Any]:
    return {
        "order": line.order,
        "polygon": line.polygon,
        "baseline": line.baseline,
        "width": 0 if line.image is None else line.image.shape[1],
        "zone": line.zone,
        "decoder": line.decoder,
        "same_as": line.same_as,
        "error": asdict(line.error) if line.error else None,
        "sheet": line.sheet,
    }


def _points(pairs: Iterable[tuple[int, int]]) -> Points:
    return tuple((int(x), int(y)) for x, y in pairs)
