"""Runs of ink, against what OpenCV finds pixel by pixel."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.layout.runs import level_runs, upright_runs

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
    assert np.array_equal(level_runs(ink, length), level)
    assert np.array_equal(upright_runs(ink, length), upright)


@pytest.mark.parametrize("length", [2, 6, 10])
def test_a_run_of_even_length_stays_where_it_is(length: int) -> None:
    ink = np.zeros((9, 40), np.uint8)
    ink[2, 5 : 5 + length] = 1
    ink[6, 5 : 4 + length] = 1
    expected = ink.copy()
    expected[6] = 0
    assert np.array_equal(level_runs(ink, length), expected)
