"""Line packs: what goes in comes out, and nothing else is taken for one."""

import io
import json
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hwr.errors import DamagedLinePack
from hwr.failure import Failure
from workers.line_pack import MOST_BYTES, PackedLine, pack, unpack

points = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999)), min_size=2, max_size=9)
errors = st.builds(Failure, code=st.text(), message=st.text())


@st.composite
def packed_lines(draw: Any) -> tuple[PackedLine, ...]:
    """Lines, some of which failed."""
    lines = []
    for order in range(draw(st.integers(0, 5))):
        width = draw(st.integers(0, 40))
        seed = np.random.default_rng(draw(st.integers(0, 9)))
        lines.append(
            PackedLine(
                order=order,
                polygon=tuple(draw(points)),
                baseline=tuple(draw(points)),
                image=seed.integers(0, 256, (64, width), np.uint8) if width else None,
                zone=draw(st.none() | st.text()),
                decoder=draw(st.none() | st.text()),
                same_as=draw(st.none() | st.text()),
                error=None if width else draw(errors),
                sheet=draw(st.none() | st.integers(1, 12)),
            )
        )
    return tuple(lines)


@settings(max_examples=50, deadline=None)
@given(packed_lines())
def test_lines_come_back_as_they_went_in(lines: tuple[PackedLine, ...]) -> None:
    back = unpack(pack(lines))
    assert len(back) == len(lines)
    for line, same in zip(lines, back, strict=True):
        assert (line.order, line.polygon, line.baseline) == (
            same.order,
            same.polygon,
            same.baseline,
        )
        assert (line.zone, line.decoder, line.same_as) == (same.zone, same.decoder, same.same_as)
        assert (line.error, line.sheet) == (same.error, same.sheet)
        np.testing.assert_array_equal(line.image, same.image)


def example() -> bytes:
    image = np.random.default_rng(1).integers(0, 256, (64, 30), np.uint8)
    corners = ((0, 0), (30, 64))
    return pack([PackedLine(order=0, polygon=corners, baseline=corners, image=image)])


@pytest.mark.parametrize("length", [0, 1, 10, 100, -1])
def test_a_pack_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(DamagedLinePack):
        unpack(example()[:length])


def test_a_changed_byte_is_refused() -> None:
    """Noise is kept as it is, so that only the checksum knows."""
    whole = example()
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    with pytest.raises(DamagedLinePack):
        unpack(changed)


def test_more_behind_a_pack_is_refused() -> None:
    with pytest.raises(DamagedLinePack):
        unpack(example() + example())


def test_more_memory_than_a_page_can_need_is_refused() -> None:
    with pytest.raises(DamagedLinePack, match="134217729 bytes"):
        unpack(zstandard.compress(bytes(MOST_BYTES + 1)))


@pytest.mark.parametrize(
    "described",
    [
        *(b"[]", b"{}", b"[1]", b"no json", b"[" * 100_000),
        *(b'[{"width": 4}]', b'[{"width": -30}]', b'[{"width": 1e9}]'),
    ],
)
def test_a_description_that_does_not_fit_is_refused(described: bytes) -> None:
    with pytest.raises(DamagedLinePack):
        unpack(zstandard.compress(described + b"\n" + bytes(64 * 30)))


def test_a_pack_without_pixels_is_refused() -> None:
    with pytest.raises(DamagedLinePack):
        unpack(zstandard.compress(b"[]"))


def archive(pixels: Any, described: list[dict[str, Any]]) -> bytes:
    """A pack as version 0.1.0 made them."""
    stream = io.BytesIO()
    text = np.frombuffer(json.dumps(described).encode(), np.uint8)
    np.savez_compressed(stream, pixels=pixels, lines=text)
    return stream.getvalue()


def described(order: int, width: int, **values: Any) -> dict[str, Any]:
    corners = [[0, order], [width, 9]]
    line = {"order": order, "polygon": corners, "baseline": corners, "width": width, "error": None}
    return line | values


def test_pages_that_waited_while_hwr_was_updated_are_read() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 50), np.uint8)
    failure = {"code": "LineError", "message": "no ink"}
    lines = [described(0, 20), described(1, 0, error=failure), described(2, 30)]
    first, failed, last = unpack(archive(pixels, lines))
    assert first.polygon == ((0, 0), (20, 9))
    assert (first.zone, first.decoder, first.error) == (None, None, None)
    assert (failed.image, failed.error) == (None, Failure(**failure))
    np.testing.assert_array_equal(first.image, pixels[:, :20])
    np.testing.assert_array_equal(last.image, pixels[:, 20:])


@pytest.mark.parametrize(
    ("pixels", "widths"),
    [
        (np.zeros((64, 30), np.uint8), [31]),
        (np.zeros((64, 30), np.uint8), [-30]),
        (np.zeros((64, 30), np.uint8), [40, -10]),
        (np.zeros((64, 30), np.uint8), [1.5]),
        (np.zeros((64, 30), np.uint8), []),
        (np.zeros((63, 30), np.uint8), [30]),
        (np.zeros((64, 30), np.float32), [30]),
        (np.zeros((64, MOST_BYTES // 64), np.uint8), [MOST_BYTES // 64]),
        (np.array([{}], object), [1]),
    ],
)
def test_an_archive_that_is_no_pack_is_refused(pixels: Any, widths: list[Any]) -> None:
    with pytest.raises(DamagedLinePack):
        unpack(archive(pixels, [described(0, width) for width in widths]))


@pytest.mark.parametrize("cut", [2, 100, -30, -1])
def test_an_archive_that_was_cut_off_is_refused(cut: int) -> None:
    whole = archive(np.zeros((64, 30), np.uint8), [described(0, 30)])
    with pytest.raises(DamagedLinePack):
        unpack(whole[:cut])
