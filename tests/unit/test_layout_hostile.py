"""Pages that are no pages of writing: bounded work and memory, and an honest answer."""

import tracemalloc
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from hwr.errors import TooManyLines
from hwr.forms import PageLayout, lay_out
from hwr.profiles import PageForm

Grey = NDArray[np.uint8]
FREE = PageForm(outside=True)
#: Lines of the fullest page that is read.
MOST_LINES = 1000
#: Bytes that a page may take for each of its pixels, and beside that.
BYTES_A_PIXEL, BYTES = 4, 300 * 2**20


def noise(height: int = 2200, width: int = 1700) -> Grey:
    return np.random.default_rng(1).integers(0, 256, (height, width), dtype=np.uint8)


def photograph() -> Grey:
    """A scene: a lit wall, a dark table with a bright edge, and round things on it."""
    height, width = 1600, 1200
    scene = np.linspace(210, 130, width)[None, :] * np.linspace(1.0, 0.8, height)[:, None]
    scene[1000:] = 70 + 40 * np.sin(np.arange(width) / 37)[None, :]
    scene[990:1000] = 235
    for place in range(9):
        middle = (100 + 125 * place, 900 + 40 * (place % 4))
        cv2.circle(scene, middle, 60 + 9 * place, 40.0 + 22 * place, -1)
        cv2.ellipse(scene, middle, (40, 12), 30 * place, 0, 250, 250.0 - 20 * place, 5)
    soft = cv2.GaussianBlur(scene, (0, 0), 3) + np.random.default_rng(2).normal(0, 6, scene.shape)
    return np.clip(soft, 0, 255).astype(np.uint8)


def specks() -> Grey:
    """30,000 of them."""
    random = np.random.default_rng(3)
    page = np.full((2200, 1700), 250, np.uint8)
    for x, y in random.integers(0, 1690, (30_000, 2)):
        page[y : y + 5, x : x + 4] = 20
    return page


def checkerboard() -> Grey:
    rows, columns = np.indices((2200, 1700)) // 9
    return np.where((rows + columns) % 2, 255, 0).astype(np.uint8)


def halftone() -> Grey:
    """A grey gradient in printed dots."""
    rows, columns = np.indices((2200, 1700))
    screen = np.cos(rows * 0.8) * np.cos(columns * 0.8)
    return np.where(screen > columns / 850 - 1, 255, 0).astype(np.uint8)


def full_page() -> Grey:
    """2,100 lines: three columns of 700, of the smallest letters that are looked for."""
    words = np.full((14, 560), 255, np.uint8)
    cv2.putText(words, "a line of words and words and one more", (20, 10), 0, 0.4, 20, 1)
    return np.tile(words, (700, 3))


def large_page() -> Grey:
    """10,000 pixels a side, with one line."""
    page = np.full((10_000, 10_000), 255, np.uint8)
    cv2.putText(page, "a line of large words", (900, 5000), 0, 18.0, 20, 40, cv2.LINE_AA)
    return page


HOSTILE: dict[str, Callable[[], Grey]] = {
    "noise": noise,
    "photograph": photograph,
    "specks": specks,
    "checkerboard": checkerboard,
    "halftone": halftone,
    "full page": full_page,
    "large page": large_page,
    "strip": lambda: noise(1, 10_000),
    "upright strip": lambda: noise(10_000, 1),
}
EMPTY: dict[str, Callable[[], Grey]] = {
    "white": lambda: np.full((2200, 1700), 255, np.uint8),
    "black": lambda: np.zeros((2200, 1700), np.uint8),
    "grey": lambda: np.full((2200, 1700), 128, np.uint8),
    "half black": lambda: np.repeat([[0, 255]], 1000, axis=0).repeat(800, axis=1).astype(np.uint8),
    "gradient": lambda: np.tile(np.linspace(0, 255, 1700), (2200, 1)).astype(np.uint8),
    "pixel": lambda: np.zeros((1, 1), np.uint8),
}


def measured(page: Grey) -> tuple[PageLayout | None, int]:
    """The page laid out, None where it is refused by name; and the bytes it took."""
    tracemalloc.start()
    try:
        found: PageLayout | None = lay_out(page, FREE)
    except TooManyLines:
        found = None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return found, peak


def check(page: Grey, found: PageLayout) -> None:
    assert len(found.lines) <= MOST_LINES
    assert found.view.page_shape == page.shape
    for line in found.lines:
        points = np.array(line.line.polygon + line.line.baseline)
        assert points.min() >= 0
        assert (points < page.shape[::-1]).all()


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_page_that_is_none_takes_bounded_memory_and_is_answered(name: str) -> None:
    page = HOSTILE[name]()
    found, peak = measured(page)
    assert peak < BYTES_A_PIXEL * page.size + BYTES
    if found is not None:
        check(page, found)


@pytest.mark.parametrize("name", list(EMPTY))
def test_a_page_without_writing_has_no_lines_and_is_no_error(name: str) -> None:
    found = lay_out(EMPTY[name](), FREE)
    assert found.lines == ()
    assert found.view.to_page is None


@settings(deadline=None, max_examples=60)
@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(1, 90), st.integers(1, 90)),
        elements=st.sampled_from([0, 40, 128, 250, 255]),
    ),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_any_picture_of_any_shape_is_answered(small: Grey, down: int, across: int) -> None:
    page = np.ascontiguousarray(small.repeat(down, axis=0).repeat(across, axis=1))
    found, _ = measured(page)
    if found is not None:
        check(page, found)
