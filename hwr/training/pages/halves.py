"""Which pages are measured."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Half(StrEnum):
    """Which of the pages, sorted by name: what was tuned on one half is judged by the other."""

    #: Every page.
    ALL = "all"
    #: The first, the third, and so on.
    TUNING = "tuning"
    #: The second, the fourth, and so on.
    HELD_OUT = "held-out"

    def of(self, pages: Sequence[T]) -> list[T]:
        """This half of the pages, which are sorted by name."""
        if self is Half.ALL:
            return list(pages)
        return list(pages[1::2] if self is Half.HELD_OUT else pages[::2])
