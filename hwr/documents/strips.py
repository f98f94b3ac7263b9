"""Are a TIFF page's pixels all there? libtiff fills what is missing with white, in silence."""

from collections.abc import Iterator
from io import BytesIO
from mmap import mmap

from PIL.TiffImagePlugin import (
    COMPRESSION,
    FILLORDER,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    ROWSPERSTRIP,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    TILEBYTECOUNTS,
    TILEOFFSETS,
    ImageFileDirectory_v2,
    TiffImageFile,
)

from hwr.errors import DamagedPage

_GROUP4 = 4
_LOWEST_BIT_FIRST = 2
_JPEG = 7

#: End of a Group 4 strip (ITU-T T.6, EOFB): 24 bits at any bit offset, only zero bits after it.
_END_OF_BLOCK = 0x001001

#: End of a JPEG strip, with perhaps some padding after it.
_END_OF_IMAGE = b"\xff\xd9"
_PADDING_BYTES = 16

#: Bytes that two encoders may differ by in one strip, end of block and padding included, and the
#: part by which a strip with an end mark may, before it counts as damaged in its middle.
_SLACK_BYTES = 6
_SLACK_PART = 1 / 8

_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def check_spans(number: int, image: TiffImageFile, file_size: int) -> None:
    """Refuse page `number`, opened as `image`, if a strip or tile is missing, empty or reaches past
    the file's end.

    Raises:
        DamagedPage: naming the strip.
    """
    # Pillow itself, which decodes these, tells where bytes are missing. Counts may be too large:
    # some programs give the last strip, which is lower, that of a whole one.
    is_raw = all(tile.codec_name == "raw" for tile in image.tile)
    for index, (offset, count) in enumerate(_spans(image.tag_v2), 1):
        if count < 1 or offset + (1 if is_raw else count) > file_size:
            raise _cut_off(number, index)
    # Where they are not listed, libtiff complains, but Pillow itself leaves the rest black.
    end = image.tag_v2[IMAGEWIDTH], image.tag_v2[IMAGELENGTH]
    if all(tile.extents[2:] != end for tile in image.tile if tile.extents):
        raise _cut_off(number, len(image.tile) + 1)


def check_ends(number: int, image: TiffImageFile, file: mmap | bytes) -> None:
    """Refuse page `number`, decoded as `image`, if a strip of it stops early.

    Group 4 and JPEG strips carry an end mark. Rows of a whole Group 4 strip, encoded again, take as
    many bytes; where libtiff gave up in the middle and left white they take fewer, and where the
    strip was cut they take more. Not seen: small damage that still decodes, and garbage in Group 3
    and JPEG strips. A page that its orientation tag turned cannot be checked: strips are rows.

    Raises:
        DamagedPage: naming the strip.
    """
    compression = image.tag_v2.get(COMPRESSION)
    for index, (offset, count) in enumerate(_spans(image.tag_v2), 1):
        data = file[offset : offset + count]
        if compression == _JPEG and _END_OF_IMAGE not in data.rstrip(b"\0")[-_PADDING_BYTES:]:
            raise _cut_off(number, index)
        if compression == _GROUP4 and not _is_whole_group4(image, index - 1, data):
            raise _cut_off(number, index)


def is_cut(image: TiffImageFile, data: bytes) -> bool:
    """Whether a page of one Group 4 strip, `data`, ends before its rows do."""
    return _encoded_size(image, 0) > len(data)


def _spans(tags: ImageFileDirectory_v2) -> Iterator[tuple[int, int]]:
    """Offset and byte count of each strip or tile."""
    offsets = tags.get(STRIPOFFSETS) or tags.get(TILEOFFSETS) or ()
    counts = tags.get(STRIPBYTECOUNTS) or tags.get(TILEBYTECOUNTS) or ()
    return zip(offsets, counts, strict=False)


def _is_whole_group4(image: TiffImageFile, index: int, data: bytes) -> bool:
    if TILEOFFSETS in image.tag_v2:
        return True
    if image.tag_v2.get(FILLORDER) == _LOWEST_BIT_FIRST:
        data = data.translate(_REVERSED_BITS)
    data = data.rstrip(b"\0")
    slack = _SLACK_BYTES + (len(data) * _SLACK_PART if _ends_block(data) else 0)
    return abs(_encoded_size(image, index) - len(data)) <= slack


def _ends_block(data: bytes) -> bool:
    bits = int.from_bytes(data[-4:])
    lowest = bits & -bits
    return bits > 0 and bits // lowest & 0xFFFFFF == _END_OF_BLOCK


def _encoded_size(image: TiffImageFile, index: int) -> int:
    """Bytes that the rows of strip `index` take as one Group 4 strip."""
    rows = image.tag_v2.get(ROWSPERSTRIP, image.height)
    top = index * rows
    strip = image.crop((0, top, image.width, min(top + rows, image.height)))
    tags = {
        PHOTOMETRIC_INTERPRETATION: image.tag_v2.get(PHOTOMETRIC_INTERPRETATION, 0),
        ROWSPERSTRIP: strip.height,
    }
    encoded = BytesIO()
    strip.save(encoded, "TIFF", compression="group4", tiffinfo=tags)
    encoded.seek(0)
    return sum(TiffImageFile(encoded).tag_v2[STRIPBYTECOUNTS])


def _cut_off(number: int, strip: int) -> DamagedPage:
    return DamagedPage(
        f"Page {number} is cut off or damaged in strip {strip} of its pixels. Scan it again."
    )
