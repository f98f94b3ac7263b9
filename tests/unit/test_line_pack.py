"""Line packs: what goes in comes out, and nothing else is taken for one."""

from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hwr.errors import DamagedLinePack
from workers.jobs import Failure
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
                error=None if width else draw(errors),
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
        assert line.error == same.error
        np.testing.assert_array_equal(line.image, same.image)


def example() -> bytes:
    image = np.full((64, 30), 200, np.uint8)
    corners = ((0, 0), (30, 64))
    return pack([PackedLine(order=0, polygon=corners, baseline=corners, image=image)])


@pytest.mark.parametrize("length", [0, 1, 10, 100, -1])
def test_a_pack_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(DamagedLinePack):
        unpack(example()[:length])


def test_a_changed_byte_is_refused() -> None:
    whole = example()
    changed = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
    with pytest.raises(DamagedLinePack):
        unpack(changed)


def test_more_memory_than_a_page_can_need_is_refused() -> None:
    with pytest.raises(DamagedLinePack, match="134217729 bytes"):
        unpack(zstandard.compress(bytes(MOST_BYTES + 1)))


@pytest.mark.parametrize(
    "described",
    [b"[]", b"{}", b'[{"width": 4}]', b'[{"width": -30}]', b"no json", b"[1]", b'[{"width": 1e9}]'],
)
def test_a_description_that_does_not_fit_is_refused(described: bytes) -> None:
    with pytest.raises(DamagedLinePack):
        unpack(zstandard.compress(described + b"\n" + bytes(64 * 30)))


def test_a_pack_without_pixels_is_refused() -> None:
    with pytest.raises(DamagedLinePack):
        unpack(zstandard.compress(b"[]"))
