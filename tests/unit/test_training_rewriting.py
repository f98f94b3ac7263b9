"""Pages written on anew: what is wiped, what is written, and that both are known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from numpy.random import default_rng

from hwr.training.layout.batches import Views
from hwr.training.layout.cutouts import Shelf
from hwr.training.layout.lettering import lettered
from hwr.training.layout.pages import KnownLine, KnownPage
from hwr.training.layout.recipe import LayoutRecipe
from hwr.training.layout.rewriting import rewritten
from hwr.training.layout.targets import sampled

TEXTS = ("every good boy deserves", "a fair jig of plums", "Nantes le 4 mai", "No 12")


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(lettered(TEXTS * 2))


def page_of(rows: range) -> KnownPage:
    """Black bars 20 high in outlines twice as high, on light paper."""
    image = np.full((rows[-1] + 60, 600), 230, np.uint8)
    lines = []
    for row in rows:
        cv2.rectangle(image, (50, row - 4), (500, row), 0, -1)
        corners = [[45, row - 24], [505, row - 24], [505, row + 8], [45, row + 8]]
        baseline = np.array([[50.0, row], [500.0, row]])
        lines.append(KnownLine(baseline=baseline, polygon=np.array(corners, float)))
    return KnownPage(collection="drawn", image=image, lines=lines, height=30.0)


def test_ink_stands_where_lines_are_known_and_nowhere_else(shelf: Shelf) -> None:
    page = page_of(range(60, 600, 60))
    kept = wiped = written = 0
    for seed in range(8):
        new = rewritten(page, shelf, default_rng(seed))
        old = [line for line in new.lines if any(line is one for one in page.lines)]
        kept += len(old)
        rows = {float(line.baseline[0, 1]) for line in old}
        fresh = [line for line in new.lines if not any(line is one for one in page.lines)]
        written += len(fresh)
        for line in page.lines:
            row = int(line.baseline[0, 1])
            part = new.image[row - 24 : row + 8, 60:490]
            here = [f for f in fresh if abs(float(f.baseline[0, 1]) - row) < 8]
            if row in rows:
                assert part.min() == 0
            elif not here:
                wiped += 1
                assert part.min() > 180
            else:
                assert part.min() < 180
    assert kept > 5
    assert wiped > 5
    assert written > 5


def test_new_lines_lie_on_the_page_where_the_old_ones_did(shelf: Shelf) -> None:
    page = page_of(range(60, 600, 60))
    new = rewritten(page, shelf, default_rng(3))
    for line in new.lines:
        columns, rows = sampled(line.baseline, page.image.shape[1] // 4)
        assert len(columns)
        assert 45 <= line.baseline[:, 0].min() < line.baseline[:, 0].max() <= 510
        assert min(abs(rows - row).max() for row in range(60, 600, 60)) < 12


def test_the_page_itself_stays_as_it_was(shelf: Shelf) -> None:
    page = page_of(range(60, 300, 60))
    before, lines = page.image.copy(), list(page.lines)
    rewritten(page, shelf, default_rng(1))
    assert (page.image == before).all()
    assert page.lines == lines


def test_only_lines_with_an_outline_are_wiped_and_others_keep_their_ink(shelf: Shelf) -> None:
    page = page_of(range(60, 600, 60))
    wide = [replace(line, polygon=None) if n % 2 else line for n, line in enumerate(page.lines)]
    near = [line.polygon + np.array([0, 20.0]) for line in page.lines if line.polygon is not None]
    grown = [replace(wide[0], polygon=near[0]), *wide[1:]]
    for seed in range(4):
        new = rewritten(replace(page, lines=grown), shelf, default_rng(seed))
        for line in grown[1::2]:
            assert any(line is one for one in new.lines)
            row = int(line.baseline[0, 1])
            assert new.image[row - 4 : row, 60:490].max() == 0


def test_what_is_written_on_a_falling_line_stands_on_it(shelf: Shelf) -> None:
    page = page_of(range(60, 240, 90))
    falling = [
        KnownLine(baseline=line.baseline + np.array([[0, 0], [0, 45.0]]), polygon=line.polygon)
        for line in page.lines
    ]
    starts = [
        float(new.baseline[0, 1] - np.interp(new.baseline[0, 0], *old.baseline.T))
        for seed in range(12)
        for new in rewritten(replace(page, lines=falling), shelf, default_rng(seed)).lines
        for old in falling
        if new is not old and abs(new.baseline[0, 1] - old.baseline[:, 1].mean()) < 30
    ]
    assert len(starts) > 5
    assert np.abs(starts).max() < 6


def test_pools_hold_new_pages_of_the_kinds_asked_for(shelf: Shelf) -> None:
    page = page_of(range(60, 600, 60))
    for drawn, names in ((0.0, {"pages"}), (1.0, {"drawn"})):
        recipe = LayoutRecipe(drawn=drawn, rewritten=1.0)
        views = Views([replace(page, collection="pages")], shelf, recipe)
        first, second = (
            [views._page(step, default_rng(n)) for n in range(8)] for step in (0, 1000)
        )
        assert {made.collection for made in first + second} == names
        seen = {made.image.tobytes() for made in first}
        assert len(seen) > 3
        assert page.image.tobytes() not in seen
        assert not seen & {made.image.tobytes() for made in second}


def test_a_page_without_lines_is_left_alone(shelf: Shelf) -> None:
    empty = KnownPage(
        collection="drawn", image=np.full((90, 80), 200, np.uint8), lines=[], height=20.0
    )
    new = rewritten(empty, shelf, default_rng(1))
    assert new.lines == []
    assert (new.image == empty.image).all()


def test_a_batch_is_a_function_of_its_step(shelf: Shelf) -> None:
    recipe = LayoutRecipe(batch=2, side=128, drawn=0.2, rewritten=0.8)
    pages = [page_of(range(60, 600, 60))]
    one, other = Views(pages, shelf, recipe), Views(pages, shelf, recipe)
    one.batch(3)
    for step in (7, 130):
        a, b = one.batch(step), other.batch(step)
        assert torch.equal(a.ink, b.ink)
        assert torch.equal(a.marks, b.marks)
