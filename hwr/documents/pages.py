"""What a document gives: pages by number."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hwr.documents.formats import Format
from hwr.errors import PageError


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page, upright and grey."""

    #: Its place in the document, from 1.
    number: int
    #: uint8 (H, W), 0 black ink … 255 paper.
    image: NDArray[np.uint8]


class Document(Protocol):
    """An open document. Holds at most one page in memory."""

    #: What the file's bytes are, whatever its name says.
    format: Format
    #: Pages, damaged ones included.
    page_count: int

    def page(self, number: int) -> Page:
        """Decode page `number`, counted from 1.

        Raises:
            PageError: this page alone is refused; the others can still be asked for.
        """


def check_number(number: int, page_count: int) -> None:
    """Refuse a page that the document does not have."""
    if not 1 <= number <= page_count:
        raise PageError(f"There is no page {number}. Ask for a page from 1 to {page_count}.")
