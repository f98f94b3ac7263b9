"""Connected pieces of ink. Only pixels of ink are looked at: they are a few in a hundred."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: 1 where there is ink, else 0.
Ink = NDArray[np.uint8]
Integers = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """The pieces of a black and white view, numbered from 0; corners touch."""

    #: Pixels of ink as indices into the flattened view, ascending, shape (n,).
    pixels: Integers
    #: Piece that each of them belongs to, shape (n,).
    owner: NDArray[np.int32]
    #: How many pieces there are.
    count: int
    #: Pixels in a row of the view.
    width: int

    def having(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Pieces with a chosen pixel, shape (count,); ``chosen`` goes with ``pixels``."""
        found = np.zeros(self.count, np.bool_)
        found[self.owner[chosen]] = True
        return found

    def boxes(self) -> tuple[Integers, Integers]:
        """Height and width of each piece in pixels, shapes (count,)."""
        rows, columns = np.divmod(self.pixels, self.width)
        return self._reach(rows), self._reach(columns)

    def _reach(self, places: Integers) -> Integers:
        low = np.full(self.count, np.iinfo(np.intp).max, np.intp)
        high = np.zeros(self.count, np.intp)
        np.minimum.at(low, self.owner, places)
        np.maximum.at(high, self.owner, places)
        return high - low + 1

    def without(self, ink: Ink, dropped: NDArray[np.bool_]) -> Ink:
        """A copy of ``ink`` without the dropped pieces; ``dropped`` has shape (count,)."""
        left = ink.copy()
        left.ravel()[self.pixels[dropped[self.owner]]] = 0
        return left


def pieces_of(ink: Ink) -> Pieces:
    """The pieces of ``ink``, shape (H, W)."""
    count, labels = cv2.connectedComponents(ink)
    pixels = pixels_of(ink)
    owner = np.asarray(labels.ravel()[pixels] - 1, np.int32)
    return Pieces(pixels=pixels, owner=owner, count=count - 1, width=ink.shape[1])


def pixels_of(ink: Ink) -> Integers:
    """Indices of the pixels of ink in the flattened view, ascending, shape (n,)."""
    # NumPy looks for true booleans eight times as fast as for bytes that are not 0.
    return np.flatnonzero(ink.ravel().view(np.bool_))
