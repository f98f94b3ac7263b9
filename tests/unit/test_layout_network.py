"""The network that finds lines: what it is fed, what is made of its maps, and its limits."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.errors import ModelError, TooManyLines
from hwr.layout import find_lines, maps, tracing, view
from hwr.layout.maps import ACROSS, Maps, maps_of, network_ink
from hwr.layout.outlines import shapes_of
from hwr.layout.paper import paper_of
from hwr.layout.tracing import trace_lines
from hwr.layout.view import MOST_PIXELS, correction

Grey = NDArray[np.uint8]


def written_page(height: int = 1100, width: int = 900, size: float = 1.1) -> Grey:
    page = np.full((height, width), 250, np.uint8)
    for row in range(int(90 * size), height - 40, int(75 * size)):
        text = "every good boy deserves a fair jig of plums"[: int(30 / size)]
        cv2.putText(page, text, (60, row), cv2.FONT_HERSHEY_SIMPLEX, size, 30, 2, cv2.LINE_AA)
    return page


def drawn_maps(*lines: tuple[int, int, int], end_at: tuple[int, int] | None = None) -> Maps:
    """Maps of level lines (row, first column, last column), 20 rows high."""
    baselines, ends = np.zeros((96, 64), np.float32), np.zeros((96, 64), np.float32)
    for row, first, last in lines:
        baselines[row - 1 : row + 2, first : last + 1] = np.array([[0.5], [0.9], [0.5]])
    if end_at:
        ends[end_at[0] - 3 : end_at[0] + 4, end_at[1]] = 0.95
    half = np.ones((48, 32), np.float32)
    return Maps(baselines=baselines, ends=ends, up=15 * half, down=5 * half)


def test_each_column_of_a_view_reaches_the_network() -> None:
    view = np.full((48, 128), 255, np.uint8)
    view[20, 41] = 0
    ink = network_ink(view)
    assert ink.shape == (1, ACROSS, 48, 128 // ACROSS)
    assert ink[0, 41 % ACROSS, 20, 41 // ACROSS] == 255
    assert np.count_nonzero(ink) == 1


def test_a_view_of_any_size_is_filled_up_with_paper() -> None:
    ink = network_ink(np.full((17, 70), 255, np.uint8))
    assert ink.shape == (1, ACROSS, 32, 128 // ACROSS)
    assert not ink.any()


def test_maps_are_the_same_each_time() -> None:
    ink = network_ink(written_page(400, 600))
    one, two = maps_of(ink), maps_of(ink)
    assert (one.baselines == two.baselines).all()
    assert (one.up == two.up).all()
    assert one.baselines.shape == one.ends.shape == (400, 640 // ACROSS)


def test_a_baseline_is_traced_between_two_rows() -> None:
    maps = drawn_maps((40, 10, 50))
    maps.baselines[41] += 0.2 * (maps.baselines[41] > 0)
    (line,) = trace_lines(maps)
    assert line.x.tolist() == list(range(10, 51))
    assert ((line.y > 40) & (line.y < 40.5)).all()
    assert line.height == 20


def test_words_are_one_line_and_fields_are_two() -> None:
    assert len(trace_lines(drawn_maps((40, 4, 30), (40, 33, 60)))) == 1
    assert len(trace_lines(drawn_maps((40, 4, 20), (40, 44, 60)))) == 2
    assert len(trace_lines(drawn_maps((40, 4, 30), (40, 33, 60), end_at=(40, 32)))) == 2
    assert len(trace_lines(drawn_maps((40, 4, 60), end_at=(40, 30)))) == 2


def test_a_figure_is_not_cut_at_its_own_ends() -> None:
    maps = drawn_maps((40, 10, 15))
    maps.ends[37:44, 10:16] = 0.4
    assert len(trace_lines(maps)) == 1


def test_the_weaker_of_two_lines_in_one_place_is_dropped() -> None:
    assert len(trace_lines(drawn_maps((40, 4, 60), (45, 10, 20)))) == 1
    assert len(trace_lines(drawn_maps((40, 4, 60), (60, 10, 20)))) == 2


def test_outlines_part_where_the_ink_is_lightest() -> None:
    traces = trace_lines(drawn_maps((40, 10, 50), (56, 10, 50)))
    ink = np.zeros((96, 64 * ACROSS), np.uint8)
    for column in range(40, 204, 8):  # letters: a stroke as long as the line would be a rule
        ink[34:41, column : column + 7] = ink[50:57, column : column + 7] = 200
    ink[41:45, 80:84] = 200  # a descender
    shapes = shapes_of(traces, paper_of(ink, traces))
    upper, lower = sorted(shapes, key=lambda shape: float(shape.baseline[0, 1]))
    assert 45 <= upper.polygon[:, 1].max() <= 50
    assert 43 <= lower.polygon[:, 1].min() <= 50
    assert abs(upper.baseline[:, 1].mean() - 40.5) < 0.2


@pytest.mark.parametrize("size", [0.6, 1.1, 2.4])
def test_writing_of_any_size_is_found(size: float) -> None:
    page = written_page(1600, 1200, size)
    expected = len(range(int(90 * size), 1600 - 40, int(75 * size)))
    assert abs(len(find_lines(page)) - expected) <= 1


def test_large_writing_is_looked_at_from_afar() -> None:
    usual = drawn_maps((40, 4, 60))
    large = replace(usual, up=2 * usual.up, down=2 * usual.down)
    assert correction(trace_lines(usual)) == 1
    assert correction(trace_lines(large)) == 0.5
    assert correction([]) > 1


@pytest.mark.parametrize(
    "shape", [(1, 4000), (4000, 1), (9, 9), (8, 10_000), (10_000, 700), (3000, 3000)]
)
def test_a_view_is_bounded(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def watched(view: Grey) -> Grey:
        sizes.append(view.size)
        return network_ink(view)

    monkeypatch.setattr(view, "network_ink", watched)
    noise = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    noise[noise > 2] = 255
    try:
        find_lines(noise)
    except TooManyLines:
        assert min(shape) > 100
    assert all(size <= MOST_PIXELS * 1.01 for size in sizes)


def test_a_page_in_too_many_pieces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_PIECES", 2)
    with pytest.raises(TooManyLines, match="3 pieces"):
        trace_lines(drawn_maps((20, 4, 60), (45, 4, 60), (70, 4, 60)))


def test_finding_lines_needs_no_torch() -> None:
    code = (
        "import sys, numpy; from hwr.layout import find_lines;"
        "find_lines(numpy.full((400, 300), 255, numpy.uint8)); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_weights_that_are_not_there_are_named(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "layout.safetensors"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(maps, "weights_path", lambda: path)
    maps._session.cache_clear()
    with pytest.raises(ModelError, match=r"layout\.safetensors .* Install hwr again"):
        maps_of(network_ink(written_page(400, 600)))
