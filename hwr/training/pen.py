"""The pen: strokes as points, smoothed, resampled and drawn."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.training.samples import Grey

#: One stroke: (n, 2) float points, x to the right and y downwards.
Stroke = NDArray[np.float64]
_SHIFT = 4
_STEP = 6.0
_TALLEST, _WIDEST = 400, 6000


def smooth(stroke: Stroke) -> Stroke:
    """Chaikin's corner cutting, twice."""
    for _ in range(2):
        if len(stroke) < 3:
            return stroke
        first, second = stroke[:-1], stroke[1:]
        inner = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1)
        stroke = np.concatenate([stroke[:1], inner.reshape(-1, 2), stroke[-1:]])
    return stroke


def resample(stroke: Stroke) -> Stroke:
    """The smoothed stroke with points about `_STEP` apart."""
    path = smooth(stroke)
    if len(path) < 2:
        return path
    length = np.concatenate(([0.0], np.hypot(*np.diff(path, axis=0).T).cumsum()))
    wanted = np.linspace(0, length[-1], max(2, round(length[-1] / _STEP) + 1))
    return np.stack([np.interp(wanted, length, axis) for axis in path.T], axis=1)


def draw(
    strokes: Sequence[Stroke], pen: float, nib: float = 0.0, shape: tuple[int, int] | None = None
) -> Grey:
    """Ink on white (h, w); strokes in pixels, the pen `pen` pixels wide.

    `nib` makes strokes downwards wider than strokes upwards, by that share of the pen. Without a
    shape (h, w) the picture is as large as the ink.
    """
    low = np.zeros(2)
    if shape is None:
        points, margin = np.concatenate(strokes), pen + 3
        low = points.min(axis=0) - margin
        width, height = np.ceil(points.max(axis=0) + margin - low).astype(int)
        shape = (int(height), int(width))
    image = np.full((min(shape[0], _TALLEST), min(shape[1], _WIDEST)), 255, np.uint8)
    for stroke in strokes:
        _draw_stroke(image, stroke - low, pen, nib)
    return image


def _draw_stroke(image: Grey, stroke: Stroke, pen: float, nib: float) -> None:
    fixed = np.round(stroke * 2**_SHIFT).astype(np.int32)
    if len(stroke) == 1 or not nib:
        cv2.polylines(image, [fixed], False, 0, max(1, round(pen)), cv2.LINE_AA, _SHIFT)
        return
    falls = np.diff(stroke[:, 1]) / np.maximum(np.hypot(*np.diff(stroke, axis=0).T), 1e-6)
    kernel = np.ones(5) / 5
    falls = np.convolve(np.pad(falls, 2, mode="edge"), kernel, mode="valid")
    for (a, b), fall in zip(pairwise(fixed), falls, strict=True):
        thickness = max(1, round(pen * (1 + nib * fall)))
        cv2.line(image, a.tolist(), b.tolist(), 0, thickness, cv2.LINE_AA, _SHIFT)
