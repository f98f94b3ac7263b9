"""Outlines keep to their line: neither a neighbour nor one long letter widens them."""

import cv2
import numpy as np
import pytest

from hwr.layout.outlines import NEIGHBOUR, AlignedTraces, seam_limits, steady
from hwr.layout.view import network_outlines


def test_a_seam_stops_before_the_next_baseline() -> None:
    y = np.array([[10.0, 10, 10], [30, 30, np.nan], [60, 60, 60]])
    above, below = seam_limits(AlignedTraces(y=y, up=0 * y + 15, down=0 * y + 5))
    assert below[0].tolist() == [15, 15, 15], "three times its reach"
    assert above[1, :2].tolist() == pytest.approx([NEIGHBOUR * 20] * 2)
    assert above[2].tolist() == pytest.approx([NEIGHBOUR * 30] * 2 + [45])
    assert np.isnan(above[1, 2])


def test_one_long_letter_hardly_widens_an_outline() -> None:
    seam = np.full(50, 6.0)
    seam[20:23] = 30
    assert steady(seam).max() == pytest.approx(seam.mean() + seam.std())
    assert steady(np.full(9, 4.0)).tolist() == [4] * 9


def _page(size: int) -> np.ndarray:
    """Six lines of writing so many times as large as small writing is."""
    page = np.full((400 * size, 350 * size), 235, np.uint8)
    for number in range(6):
        place = (20 * size, (60 + 50 * number) * size)
        cv2.putText(page, "Received with thanks", place, 2, 0.8 * size, 30, size, cv2.LINE_AA)
    return page


def test_heights_are_in_pixels_of_the_page() -> None:
    small, large = (np.median([o.height for o in network_outlines(_page(n))]) for n in (2, 4))
    assert 1.5 < large / small < 2.5


def test_a_printed_rule_below_a_line_does_not_widen_its_outline() -> None:
    page = np.full((300, 900), 235, np.uint8)
    cv2.putText(page, "Seven hundred sixty one", (60, 150), 2, 1.6, 30, 2, cv2.LINE_AA)
    cv2.line(page, (40, 158), (860, 158), 60, 4)
    (line,) = network_outlines(page)
    lower = line.polygon[line.polygon[:, 1] > 140]
    assert np.median(lower[:, 1]) < 166
