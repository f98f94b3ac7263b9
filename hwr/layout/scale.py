"""How large the writing on a page is."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.layout.pieces import Ink, pieces_of

#: Pieces of ink lower than this (pixels) are specks, higher ones pictures.
LETTERS = (5, 300)
#: Rows of the profile in which the pitch is looked for, a letter.
ROWS = 6
#: Lines are between so many letter heights apart.
PITCHES = (2.4, 13.0)
#: Vertical strips of the page whose profiles are compared, so that slopes do no harm.
STRIPS = 6
#: A peak of the autocorrelation counts above this, and above this share of the highest.
LEAST_PEAK, LEAST_SHARE = 0.15, 0.25
#: Letters are taken for larger than their ink only where the peak is above this: the rows of a form
#: repeat themselves weakly, often at a multiple of their distance.
CLEAR_PEAK = 0.4
#: A small letter is between these shares of the distance between lines high.
SHARES = (1 / 4.6, 1 / 2.6)


def letter_height(ink: Ink) -> float:
    """Height of a small letter in pixels; 0 where nothing looks like writing."""
    letter = run_height(ink)
    pitch, peak = pitch_of(ink, letter) if letter else (0.0, 0.0)
    if not pitch:
        return letter
    least = pitch * SHARES[0] if peak > CLEAR_PEAK else 0.0
    return min(max(letter, least), pitch * SHARES[1])


def run_height(ink: Ink) -> float:
    """Usual height of the ink once the letters of a word are smeared into each other, in pixels."""
    heights, widths = pieces_of(ink).boxes()
    letters = (heights > LETTERS[0]) & (heights < LETTERS[1]) & (widths > 2)
    if not letters.any():
        return 0.0
    rough = weighted_median(heights[letters], widths[letters])
    smear = np.ones((1, max(round(rough), 3)), np.uint8)
    runs = vertical_runs(np.asarray(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, smear), np.uint8))
    runs = runs[(runs > 0.2 * rough) & (runs < 3 * rough)]
    return float(np.median(runs)) if len(runs) else rough / 2


def vertical_runs(ink: Ink) -> NDArray[np.int64]:
    """Lengths of the vertical runs of ink in every fourth column, in pixels."""
    columns = cv2.transpose(np.ascontiguousarray(ink[:, ::4])).astype(np.int8)
    edges = np.diff(np.pad(columns, ((0, 0), (1, 1))), axis=1).ravel()
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


def weighted_median(values: NDArray[Any], weights: NDArray[Any]) -> float:
    """The value that half of the weight lies below."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def pitch_of(ink: Ink, letter: float) -> tuple[float, float]:
    """Distance from line to line in pixels, and its peak; 0 where lines are not evenly spaced."""
    rows = max(round(ink.shape[0] * ROWS / letter), 1)
    strips = np.array_split(ink, STRIPS, axis=1)
    profiles = [cv2.reduce(strip, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F) for strip in strips]
    grid = cv2.resize(np.hstack(profiles), (STRIPS, rows), interpolation=cv2.INTER_AREA)
    echo = autocorrelation(np.asarray(grid, np.float32))[: round(PITCHES[1] * ROWS)]
    inner = echo[1:-1]
    peaks = 1 + np.flatnonzero((inner > echo[:-2]) & (inner >= echo[2:]))
    peaks = peaks[peaks >= PITCHES[0] * ROWS]
    least = max(LEAST_PEAK, LEAST_SHARE * echo[peaks].max(initial=0.0))
    strong = peaks[echo[peaks] >= least]
    if not len(strong):
        return 0.0, 0.0
    return float(strong[0]) * ink.shape[0] / rows, float(echo[strong[0]])


def autocorrelation(grid: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much the columns of the grid repeat themselves at each distance; 1 at distance 0."""
    soft = cv2.blur(cv2.GaussianBlur(grid, (1, 0), 0.001, sigmaY=ROWS / 3), (1, 1))
    contrast = soft - cv2.blur(soft, (1, 10 * ROWS + 1))
    count = len(contrast)
    spectrum = np.fft.rfft(contrast, 2 * count, axis=0)
    echo = np.fft.irfft((np.abs(spectrum) ** 2).sum(axis=1))[:count]
    share = np.arange(count, 0, -1) / count
    return np.asarray(echo / share / max(echo[0], 1e-9), np.float64)
