"""Runs: straight ones of ink in a picture, and those of places that are near to each other.

Ink is looked at on eight pixels a byte: an eighth of the memory to go through. A row of bits is
combined with the rows below it by doubling: after the steps 1, 2, 4, … each holds what `length`
rows have in common, so that a run of 300 pixels costs nine steps and not 300.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

#: uint8 (H, ⌈W / 8⌉), eight pixels of a row in a byte.
Bits = NDArray[np.uint8]


def level_runs(ink: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """1 on horizontal runs of at least ``length`` pixels of ink, shape as ``ink``.

    Ink that touches the edge of the view goes on outside it.
    """
    turned = np.asarray(cv2.transpose(ink), np.uint8)
    return np.asarray(cv2.transpose(upright_runs(turned, length)), np.uint8)


def upright_runs(ink: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """1 on vertical runs of at least ``length`` pixels of ink, as ``level_runs``."""
    before, after = length // 2, (length - 1) // 2
    bits = np.packbits(ink, axis=1)
    starts = combined(framed(bits, before, after, 255), length, np.bitwise_and)
    runs = combined(framed(starts, after, before, 0), length, np.bitwise_or)
    return np.unpackbits(runs, axis=1, count=ink.shape[1])


def framed(bits: Bits, above: int, below: int, value: int) -> Bits:
    """``bits`` with rows of ``value`` added above and below."""
    return np.pad(bits, ((above, below), (0, 0)), constant_values=value)


def combined(bits: Bits, length: int, combine: Callable[[Bits, Bits], Bits]) -> Bits:
    """Each row combined with the ``length - 1`` below it; that many rows fewer than ``bits``."""
    done = 1
    while done < length:
        step = min(done, length - done)
        bits = combine(bits[:-step], bits[step:])
        done += step
    return bits


def groups(places: NDArray[np.intp], gap: float) -> list[NDArray[np.intp]]:
    """Ascending places, parted where they are more than ``gap`` apart."""
    if not len(places):
        return []
    return np.split(places, np.flatnonzero(np.diff(places) > gap) + 1)
