"""Seams run where contrast is least, on their side of the baseline, and each as if alone."""

from itertools import pairwise, product

import numpy as np
import pytest

from hwr.layout import seams as module
from hwr.layout.seams import Band, contrast, seams


def _band(first: int, width: int, *, y: float = 4, way: int = 1, **room: float) -> Band:
    return Band(
        first=first,
        y=np.full(width, y),
        way=way,
        nearest=room.get("nearest", 0),
        farthest=np.full(width, room.get("farthest", 4.0)),
    )


def _cheapest(energy: np.ndarray, band: Band, away: float) -> float:
    """Cost of the best way, by trying all."""
    rows = range(int(band.nearest), int(band.farthest.max()) + 1)
    ways = product(rows, repeat=len(band.y))
    return min(
        _cost(energy, band, away, way)
        for way in ways
        if all(abs(a - b) <= 1 for a, b in pairwise(way))
    )


def _cost(energy: np.ndarray, band: Band, away: float, way: tuple[float, ...]) -> float:
    return sum(
        float(energy[int(y + band.way * row), band.first + place]) + away * row
        for place, (y, row) in enumerate(zip(band.y, way, strict=True))
    )


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("seed", range(5))
def test_no_way_costs_less_than_a_seam(seed: int, way: int) -> None:
    energy = np.random.default_rng(seed).random((9, 12), np.float32)
    band = _band(3, 6, way=way)
    (seam,) = seams(energy, [band], 0.05)
    assert (np.abs(np.diff(seam)) <= 1).all()
    assert _cost(energy, band, 0.05, tuple(seam)) == pytest.approx(_cheapest(energy, band, 0.05))


@pytest.mark.parametrize("places", [1, 200, 10_000])
def test_a_seam_is_the_same_alone_and_among_others(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PLACES", places)
    energy = np.random.default_rng(1).random((40, 60), np.float32)
    bands = [_band(5, 40, y=20), _band(2, 3, y=9, way=-1), _band(30, 25, y=30, farthest=8)]
    together = seams(energy, bands, 0.01)
    for band, seam in zip(bands, together, strict=True):
        assert seam.tolist() == seams(energy, [band], 0.01)[0].tolist()


def test_a_seam_on_blank_paper_is_as_near_as_it_may_be() -> None:
    (seam,) = seams(np.zeros((20, 30), np.float32), [_band(0, 30, nearest=2)], 1.0)
    assert seam.tolist() == [2] * 30


def test_a_band_without_room_still_has_a_seam_beyond_the_page() -> None:
    band = _band(0, 5, y=0, way=-1, nearest=3, farthest=0)
    (seam,) = seams(np.ones((4, 5), np.float32), [band], 0.0)
    assert seam.shape == (5,)
    assert ((seam >= 3) & (seam <= 4)).all()


def test_contrast_is_where_ink_begins_and_ends() -> None:
    ink = np.zeros((20, 30), np.uint8)
    ink[8:12, 10:20] = 200
    edges = contrast(ink)
    assert edges[8, 15] > edges[10, 15] + 100
    assert edges[2, 3] == 0


def test_no_bands_have_no_seams() -> None:
    assert seams(np.zeros((4, 4), np.float32), [], 1.0) == []
