"""Are a PNG's rows all there? Pillow leaves what is missing zero, in silence."""

import struct
import zlib
from collections.abc import Iterator
from typing import IO

import numpy as np
from PIL.Image import Image

from hwr.errors import DamagedPage

_SIGNATURE_BYTES = 8
_CHECKSUM_BYTES = 4
_CHUNK_BYTES = 2**20

#: Samples of a pixel by colour type (ISO/IEC 15948, 11.2.2).
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def check_png_end(number: int, image: Image, file: IO[bytes]) -> None:
    """Refuse page `number`, the PNG `file` decoded as `image`, if its data ends before its rows do.

    Not seen: rows that an interlaced picture lacks.

    Raises:
        DamagedPage: there are fewer bytes of rows than its header says.
    """
    last_row = image.crop((0, image.height - 1, *image.size))
    # Unpacking once more takes a while, and is needed only to tell missing rows from black ones.
    if not np.asarray(last_row).any() and _lacks_rows(file):
        raise DamagedPage(
            f"Page {number} is a PNG that ends before its last rows: it is damaged, or says that "
            "it is larger than it is. Scan or export this page again."
        )


def _lacks_rows(file: IO[bytes]) -> bool:
    file.seek(_SIGNATURE_BYTES + 8)
    width, height, bits, colours, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(13))
    left = height * (1 + -(-width * bits * _SAMPLES[colours] // 8))
    for piece in _unpacked(file):
        left -= len(piece)
        if left <= 0:  # what comes behind the rows could be anything, and any amount of it
            return False
    return not interlaced


def _unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """The rows in pieces, each behind the byte that names its filter."""
    inflate = zlib.decompressobj()
    for packed in _packed(file):
        while rows := inflate.decompress(packed, _CHUNK_BYTES):
            yield rows
            packed = inflate.unconsumed_tail


def _packed(file: IO[bytes]) -> Iterator[bytes]:
    """What the IDAT chunks hold, in pieces."""
    file.seek(_SIGNATURE_BYTES)
    while len(head := file.read(8)) == 8:
        left, kind = struct.unpack(">I4s", head)
        end = file.tell() + left + _CHECKSUM_BYTES
        while kind == b"IDAT" and (piece := file.read(min(left, _CHUNK_BYTES))):
            left -= len(piece)
            yield piece
        file.seek(end)
