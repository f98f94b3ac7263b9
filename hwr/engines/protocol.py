"""What an engine takes, gives and promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hwr.errors import EngineError
from hwr.model.line_image import LINE_HEIGHT, Grey

#: Columns of a batch on a CPU: more lines at once are read no faster, and wait for one another.
CPU_COLUMNS = 16_384


@dataclass(frozen=True, kw_only=True)
class LineBatch:
    """Lines side by side, padded on the right with paper to the widest."""

    #: (B, 64, W) uint8, paper near 255.
    images: Grey
    #: (B,) int64: each line's own width in pixels, a multiple of 8.
    widths: NDArray[np.int64]

    @classmethod
    def stack(cls, lines: Sequence[Grey]) -> "LineBatch":
        """A batch of normalised lines, each (64, w)."""
        widths = np.array([line.shape[1] for line in lines], np.int64)
        images = np.full((len(lines), LINE_HEIGHT, int(widths.max())), 255, np.uint8)
        for row, line in zip(images, lines, strict=True):
            row[:, : line.shape[1]] = line
        return cls(images=images, widths=widths)


@dataclass(frozen=True, kw_only=True)
class Logits:
    """What an engine says of a batch."""

    #: (B, T, C) float32; what stands past a line's length has no meaning.
    values: NDArray[np.float32]
    #: (B,) int64: time steps of each line, its width / the network's stride.
    lengths: NDArray[np.int64]

    def rows(self, batch: LineBatch) -> list[NDArray[np.float32]]:
        """One (T, C) array a line, cut at the line's length.

        Raises:
            EngineError: the engine gave another number of lines or steps than it was asked for.
        """
        if self.values.shape[0] != len(batch.widths) or not self._in_proportion(batch.widths):
            raise EngineError(
                f"The engine answered {self.values.shape[0]} lines of {self.lengths.tolist()} steps"
                f" where lines of {batch.widths.tolist()} pixels were asked. Report this as a bug."
            )
        return [row[:length] for row, length in zip(self.values, self.lengths, strict=True)]

    def _in_proportion(self, widths: NDArray[np.int64]) -> bool:
        """Whether a time step is equally many whole pixels in every line."""
        if len(self.lengths) != len(widths) or self.lengths.min(initial=1) < 1:
            return False
        strides = widths / self.lengths
        return bool((strides == strides[:1]).all() and (strides % 1 == 0).all())


class Engine(Protocol):
    """Reads batches. A line's logits are the same alone and in any batch, within float rounding."""

    @property
    def identity(self) -> str:
        """Name, precision and versions: goes into every result."""

    @property
    def columns(self) -> int:
        """Columns of the batch that suits it best, padding included."""

    def logits(self, batch: LineBatch) -> Logits:
        """Logits of every line; called from one thread at a time."""

    def warm_up(self) -> None:
        """Do once what the first batch would otherwise wait for."""
