"""Runs and pieces of ink, against what OpenCV finds pixel by pixel."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.layout.ink import threshold_of
from hwr.layout.pieces import pieces_of, pixels_of
from hwr.layout.runs import high_runs, long_runs

Ink = NDArray[np.uint8]


def scattered(height: int, width: int, share: float) -> Ink:
    return (np.random.default_rng(height).random((height, width)) < share).astype(np.uint8)


@pytest.mark.parametrize("length", [1, 3, 7, 31])
@pytest.mark.parametrize("size", [(40, 61), (200, 1), (5, 300)])
def test_runs_are_those_of_an_opening(length: int, size: tuple[int, int]) -> None:
    # Of odd length: with even ones OpenCV's opening moves by a pixel.
    ink = scattered(*size, 0.9)
    level = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    upright = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    assert np.array_equal(long_runs(ink, length), level)
    assert np.array_equal(high_runs(ink, length), upright)


@pytest.mark.parametrize("length", [2, 6, 10])
def test_a_run_of_even_length_stays_where_it_is(length: int) -> None:
    ink = np.zeros((9, 40), np.uint8)
    ink[2, 5 : 5 + length] = 1
    ink[6, 5 : 4 + length] = 1
    expected = ink.copy()
    expected[6] = 0
    assert np.array_equal(long_runs(ink, length), expected)


def test_pieces_have_the_boxes_that_opencv_gives_them() -> None:
    ink = scattered(90, 130, 0.2)
    stats = cv2.connectedComponentsWithStats(ink)[2][1:]
    high, wide = pieces_of(ink).boxes()
    assert sorted(zip(high, wide, strict=True)) == sorted(
        zip(stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH], strict=True)
    )


def test_a_piece_is_dropped_whole_and_the_others_stay() -> None:
    ink = np.zeros((20, 20), np.uint8)
    ink[2:5, 2:5] = ink[10:14, 8] = ink[14:18, 9] = 1
    pieces = pieces_of(ink)
    marked = pieces.having(pieces.pixels == 10 * 20 + 8)
    left = pieces.without(ink, marked)
    assert pieces.count == 2
    assert left.sum() == left[2:5, 2:5].sum() == 9
    assert ink.sum() == 17


def test_no_ink_has_no_pieces() -> None:
    nothing = np.zeros((7, 5), np.uint8)
    pieces = pieces_of(nothing)
    assert pieces.count == len(pixels_of(nothing)) == len(pieces.boxes()[0]) == 0
    assert not pieces.without(nothing, np.zeros(0, np.bool_)).any()


def test_the_threshold_is_sauvolas() -> None:
    flat = np.random.default_rng(3).normal(200, 20, (300, 420)).clip(0, 255).astype(np.uint8)
    flat[100:140, 60:300] = 30
    window = (68, 68)
    mean = cv2.boxFilter(flat, cv2.CV_32F, window)
    spread = np.sqrt(cv2.sqrBoxFilter(flat, cv2.CV_32F, window) - mean * mean)
    exact = mean * (1 + 0.14 * (spread / 128 - 1))
    difference = np.abs(threshold_of(flat) - exact)
    assert difference.mean() < 1
    assert difference.max() < 8
