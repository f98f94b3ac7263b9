"""The lines of one page on their way from a split worker to a read worker: a line pack.

A zip of two NumPy arrays, which `numpy.load` opens without pickle: `pixels`, all line images side
by side, uint8 (LINE_HEIGHT, sum of widths); and `lines`, UTF-8 JSON with each line's place on the
page, width in `pixels`, or the error it failed with.
"""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwr.errors import DamagedLinePack
from hwr.model.line_image import LINE_HEIGHT
from workers.jobs import Failure

#: A scan's noise does not get smaller with more effort, only slower: level 6 takes twice the time
#: of level 1 and saves 2 %.
COMPRESSION_LEVEL = 1

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
    #: Why there is no picture.
    error: Failure | None = None


def pack(lines: Iterable[PackedLine]) -> bytes:
    """The line pack of a page."""
    lines = tuple(lines)
    nothing = np.empty((LINE_HEIGHT, 0), np.uint8)
    images = (line.image for line in lines if line.image is not None)
    pixels = np.concatenate((nothing, *images), axis=1)
    described = json.dumps([_describe(line) for line in lines]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(
        buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL
    ) as archive:
        _write(archive, "pixels", pixels)
        _write(archive, "lines", np.frombuffer(described, np.uint8))
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[PackedLine, ...]:
    """The lines of a pack.

    Raises:
        DamagedLinePack: the bytes are not a line pack.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            pixels, described = archive["pixels"], json.loads(archive["lines"].tobytes())
        return _lines(pixels, described)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedLinePack(
            f"The stored lines of the page are damaged ({error}). Submit the document again."
        ) from error


def _lines(pixels: NDArray[np.uint8], described: list[dict[str, Any]]) -> tuple[PackedLine, ...]:
    widths = [line["width"] for line in described]
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != sum(widths):
        raise ValueError(f"pixels of shape {pixels.shape} for widths of {sum(widths)}")
    ends = np.cumsum(widths)
    return tuple(
        _line(line, pixels[:, end - line["width"] : end])
        for line, end in zip(described, ends, strict=True)
    )


def _line(described: dict[str, Any], image: NDArray[np.uint8]) -> PackedLine:
    error = described["error"]
    return PackedLine(
        order=described["order"],
        polygon=_points(described["polygon"]),
        baseline=_points(described["baseline"]),
        image=image if image.size else None,
        error=Failure(**error) if error else None,
    )


def _describe(line: PackedLine) -> dict[str, Any]:
    error = line.error
    return {
        "order": line.order,
        "polygon": line.polygon,
        "baseline": line.baseline,
        "width": 0 if line.image is None else line.image.shape[1],
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def _points(pairs: Iterable[tuple[int, int]]) -> Points:
    return tuple((int(x), int(y)) for x, y in pairs)


def _write(archive: zipfile.ZipFile, name: str, array: NDArray[np.uint8]) -> None:
    with archive.open(f"{name}.npy", "w") as file:
        np.lib.format.write_array(file, array, allow_pickle=False)
