"""Batches of views: what a step learns from is a function of the seed and its number alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator, default_rng
from torch import Tensor

from hwr.layout.maps import network_ink
from hwr.training.layout.cutouts import Shelf
from hwr.training.layout.drawn_pages import draw_page
from hwr.training.layout.pages import KnownPage
from hwr.training.layout.recipe import LayoutRecipe
from hwr.training.layout.targets import targets_of
from hwr.training.layout.views import view

#: Drawn pages are kept for so many steps, so many at a time: drawing takes longer than learning.
_POOL_STEPS, _POOL_PAGES = 60, 10


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Views and what the network is to say of them, as in `Targets`, with a first axis."""

    ink: Tensor
    marks: Tensor
    heights: Tensor
    known: Tensor
    counted: Tensor


class Views:
    """Views of real pages, each collection as often as the others, and of drawn ones."""

    def __init__(self, pages: Sequence[KnownPage], shelf: Shelf, recipe: LayoutRecipe) -> None:
        collections: dict[str, list[KnownPage]] = defaultdict(list)
        for page in pages:
            collections[page.collection].append(page)
        self._collections = list(collections.values())
        self._shelf = shelf
        self._recipe = recipe
        #: Drawn pages by the number of their pool and their own.
        self._pool: dict[tuple[int, int], KnownPage] = {}

    def batch(self, step: int) -> Batch:
        """The batch of a step."""
        rng = default_rng([self._recipe.seed, step])
        views = [
            view(self._page(step, rng), self._recipe.side, rng) for _ in range(self._recipe.batch)
        ]
        targets = [targets_of(v.lines, v.image.shape, v.unknown) for v in views]
        return Batch(
            ink=torch.from_numpy(np.concatenate([network_ink(v.image) for v in views])) / 255,
            **{
                name: torch.from_numpy(np.stack([getattr(t, name) for t in targets]))
                for name in ("marks", "heights", "known", "counted")
            },
        )

    def _page(self, step: int, rng: Generator) -> KnownPage:
        if not self._collections or rng.random() < self._recipe.drawn:
            return self._drawn(step // _POOL_STEPS, int(rng.integers(_POOL_PAGES)))
        pages = self._collections[int(rng.integers(len(self._collections)))]
        return pages[int(rng.integers(len(pages)))]

    def _drawn(self, pool: int, number: int) -> KnownPage:
        if (pool, number) not in self._pool:
            self._pool = {key: page for key, page in self._pool.items() if key[0] == pool}
            rng = default_rng([self._recipe.seed, pool, number])
            self._pool[pool, number] = draw_page(self._shelf, rng)
        return self._pool[pool, number]
