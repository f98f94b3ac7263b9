"""Smooth random fields: how paper, ink and hands differ from place to place."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def smooth_noise(shape: tuple[int, int], wavelength: float, rng: np.random.Generator) -> Field:
    """Float32 (H, W) of about unit variance that changes over `wavelength` pixels."""
    height, width = shape
    coarse = (max(2, round(height / wavelength) + 1), max(2, round(width / wavelength) + 1))
    seeds = rng.standard_normal(coarse).astype(np.float32)
    return as_field(cv2.resize(seeds, (width, height), interpolation=cv2.INTER_CUBIC))


def as_field(array: NDArray[Any]) -> Field:
    """What OpenCV returned, as float32."""
    return np.asarray(array, dtype=np.float32)
