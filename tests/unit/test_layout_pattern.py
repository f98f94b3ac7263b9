"""Patterns printed behind writing."""

import cv2
import numpy as np
import pytest

from hwr.layout.ink import Grey
from hwr.layout.pattern import without_pattern

INK, PRINT, PAPER = 60, 170, 235


def written(paper: Grey) -> Grey:
    for row in range(100, 600, 100):
        cv2.putText(paper, "seven hundred and two", (60, row), 0, 2.0, INK, 4)
    return paper


def plain() -> Grey:
    return np.full((640, 900), PAPER, np.uint8)


def patterned(pitch: int) -> Grey:
    paper = plain()
    x = np.arange(0, 901, 4)
    for row in range(-20, 660, pitch):
        wave = np.stack([x, row + 9 * np.sin(x / 40 + row / 23)], axis=1).astype(np.int32)
        cv2.polylines(paper, [wave], isClosed=False, color=PRINT, thickness=2)
    return paper


@pytest.mark.parametrize("pitch", [7, 14])
@pytest.mark.parametrize("scale", [1, 3])
def test_a_pattern_is_gone_and_the_ink_stays(pitch: int, scale: int) -> None:
    page, clean = (
        cv2.resize(written(paper), None, fx=scale, fy=scale)
        for paper in (patterned(pitch), plain())
    )
    bare = without_pattern(np.asarray(page, np.uint8)).astype(int)
    away = cv2.dilate((clean < PAPER - 20).astype(np.uint8), np.ones((9, 9))) == 0
    assert np.mean(bare[away] < PAPER - 30) < 0.02
    assert INK - 10 < bare[clean <= INK + 5].mean() < INK + 30


def test_shadows_stay() -> None:
    light = np.linspace(0.6, 1, 900)
    page = np.asarray(written(patterned(14)) * light, np.uint8)
    bare = without_pattern(page)
    assert np.median(bare[:, :200]) < 0.75 * np.median(bare[:, -200:])
    assert np.mean(bare[:, -200:] < 200) < 0.6 * np.mean(page[:, -200:] < 200)


@pytest.mark.parametrize("paper", [plain(), np.zeros((640, 900), np.uint8)])
def test_what_has_none_stays_as_it_is(paper: Grey) -> None:
    page = written(paper)
    assert without_pattern(page) is page


def test_noise_and_blank_paper_have_none() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (640, 900)).astype(np.uint8)
    blank = patterned(14)
    assert without_pattern(noise) is noise
    # Without ink nothing says what is paler than it.
    assert without_pattern(blank) is blank


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (40, 40)])
def test_any_shape(shape: tuple[int, int]) -> None:
    page = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    assert without_pattern(page).shape == shape
