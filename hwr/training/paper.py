"""What is under and around a line: paper, rules, boxes, security print, ends of neighbours."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hwr.training.augmentation import texture
from hwr.training.samples import Grey

Plane = NDArray[np.float32]


def on_paper(image: Grey, rng: Generator) -> Grey:
    """Black on white drawing (h, w) → ink of some darkness on printed and worn paper."""
    drawn: Plane = (255 - image.astype(np.float32)) / np.float32(255)
    cover: Plane = _neighbours(drawn, rng) * _flow(drawn.shape, rng)
    canvas = _canvas(cover, rng)
    ink = rng.uniform(0, 130)
    mixed = canvas * (1 - cover) + np.minimum(ink, canvas) * cover
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def cluttered(image: Grey, rng: Generator) -> Grey:
    """A real line (h, w), perhaps with ends of its neighbours and the print of a form on it."""
    cover: Plane = (255 - image.astype(np.float32)) / np.float32(255)
    canvas: Plane = 255 * (1 - _neighbours(cover, rng))
    if rng.random() < 0.2:
        _print(canvas, rng)
    return np.asarray(np.clip(canvas, 0, 255), np.uint8)


def _neighbours(cover: Plane, rng: Generator) -> Plane:
    """Ends of letters of the lines above and below, which a crop cuts through."""
    height = cover.shape[0]
    result = cover
    for upwards in (True, False):
        if rng.random() < 0.2:
            shift = int(height * rng.uniform(0.72, 0.95))
            other = np.roll(cover, int(rng.integers(20, 400)), axis=1)
            strip = np.zeros_like(cover)
            if upwards:
                strip[: height - shift] = other[shift:]
            else:
                strip[shift:] = other[: height - shift]
            result = np.maximum(result, strip)
    return result


def _flow(shape: tuple[int, ...], rng: Generator) -> Plane:
    """How well the ink covers: pressure in waves along the line, and the grain of a ball-pen."""
    waves = rng.uniform(0.7, 1.0, (2, max(2, shape[1] // 40))).astype(np.float32)
    size = (shape[1], shape[0])
    flow: Plane = np.asarray(cv2.resize(waves, size, interpolation=cv2.INTER_LINEAR), np.float32)
    if rng.random() < 0.3:
        flow -= np.abs(rng.normal(0, rng.uniform(0.05, 0.3), shape)).astype(np.float32)
    return np.asarray(flow.clip(0.15, 1), np.float32)


def _canvas(cover: Plane, rng: Generator) -> Plane:
    tone = rng.uniform(180, 255)
    canvas: Plane = np.asarray(tone + texture(cover.shape, rng), np.float32)
    if rng.random() < 0.1:
        canvas -= _bleed(cover, rng)
    if rng.random() < 0.45:
        _print(canvas, rng)
    return canvas


def _print(canvas: Plane, rng: Generator) -> None:
    print_on = (_rule, _rule, _rule, _squares, _dots, _box, _security)
    print_on[int(rng.integers(len(print_on)))](canvas, rng)


def _bleed(cover: Plane, rng: Generator) -> Plane:
    """The back of the sheet, seen through it."""
    back = np.roll(cover[:, ::-1], int(rng.integers(0, 300)), axis=1)
    soft = cv2.GaussianBlur(back, (0, 0), rng.uniform(1.0, 3.0))
    return np.asarray(soft * rng.uniform(15, 60), np.float32)


def _thick(rng: Generator) -> int:
    return int(rng.integers(1, 4))


def _rule(canvas: Plane, rng: Generator) -> None:
    row = int(canvas.shape[0] * rng.uniform(0.55, 0.98))
    canvas[row : row + _thick(rng)] -= rng.uniform(20, 130)


def _squares(canvas: Plane, rng: Generator) -> None:
    pitch, dark = int(rng.integers(14, 70)), rng.uniform(15, 70)
    start_y, start_x = rng.integers(0, pitch, 2)
    canvas[start_y::pitch] -= dark
    canvas[:, start_x::pitch] -= dark


def _dots(canvas: Plane, rng: Generator) -> None:
    """A dotted or dashed line to write on."""
    row, pitch = int(canvas.shape[0] * rng.uniform(0.6, 0.95)), int(rng.integers(4, 14))
    columns = np.arange(canvas.shape[1]) % pitch < rng.uniform(0.25, 0.7) * pitch
    canvas[row : row + _thick(rng), columns] -= rng.uniform(50, 160)


def _box(canvas: Plane, rng: Generator) -> None:
    """A form field around the text, perhaps one cell a letter."""
    dark, thick = rng.uniform(40, 160), _thick(rng)
    top, bottom = int(canvas.shape[0] * rng.uniform(0, 0.12)), -1 - int(rng.integers(0, 6))
    canvas[top : top + thick] -= dark
    canvas[bottom - thick : bottom] -= dark
    pitch = int(rng.integers(40, 90)) if rng.random() < 0.4 else canvas.shape[1] - 6
    for column in range(2, canvas.shape[1], pitch):
        canvas[:, column : column + thick] -= dark


def _security(canvas: Plane, rng: Generator) -> None:
    """Waves as cheques have them behind the fields."""
    ys, xs = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]].astype(np.float32)
    bend = rng.uniform(2, 12) * np.sin(xs / rng.uniform(10, 60))
    waves = np.sin((ys + bend) * rng.uniform(0.3, 1.5) + xs * rng.uniform(-0.4, 0.4))
    canvas -= rng.uniform(5, 35) * (waves > rng.uniform(0, 0.9))
