"""The hyper-parameters of a layout run, and the recipe of the shipped weights."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class LayoutRecipe:
    """All that decides a run's outcome besides the pages themselves."""

    #: Seed of pages, views, and initial weights.
    seed: int = 1
    #: Optimiser steps.
    steps: int = 1_200
    #: Views of a step.
    batch: int = 4
    #: Side of a view in pixels.
    side: int = 512
    #: Share of views of drawn pages; the rest is of real ones.
    drawn: float = 0.5
    #: Peak learning rate of AdamW.
    rate: float = 3e-3
    #: Steps of linear warm-up.
    warmup: int = 50
    #: Share of the steps, at the end, over which the rate falls linearly to zero.
    cooldown: float = 0.5
    #: Decoupled weight decay.
    weight_decay: float = 0.01
    #: Largest norm of a gradient.
    clip: float = 5.0
    #: Weight of the ends' and of the heights' loss beside that of the baselines.
    ends: float = 1.0
    heights: float = 0.1
    #: Decay of the averaged weights (EMA), which are what is shipped.
    average: float = 0.99

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return asdict(self)
