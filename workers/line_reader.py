"""What read workers ask of `hwr.reader.LineReader`, whatever model it reads with."""

from concurrent.futures import Future
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hwr.decoding.reading import LineReading
from hwr.model.line_image import LINE_HEIGHT

#: A line that every engine reads as long as it works.
BLANK = np.full((LINE_HEIGHT, LINE_HEIGHT), 255, np.uint8)


class LineReader(Protocol):
    """The part of `hwr.reader.LineReader` that read workers use."""

    @property
    def identity(self) -> dict[str, str]:
        """Which model and engine it is."""

    def submit(
        self,
        image: NDArray[np.uint8],
        *,
        lane: str,
        tenant: str,
        deadline_s: float | None,
        decoder: str | None = None,
    ) -> Future[LineReading]:
        """Promise the `LineReading` of a line (LINE_HEIGHT, w); by default its own decoder."""

    def statistics(self) -> object:
        """In words, where its time went."""

    def close(self) -> None:
        """Break the promises that no batch has taken up."""
