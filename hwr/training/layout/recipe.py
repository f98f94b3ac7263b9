"""The hyper-parameters of a layout run, and the recipe of the shipped weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hwr.training.checkpoints import check_same


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

    def check_goes_on(self, earlier: Mapping[str, Any]) -> None:
        """See that a run with the recipe `earlier`, as `to_json` gave it, may go on with this one.

        Raises:
            ValueError: it would see other views from here on.
        """
        check_same(_BINDING, self.to_json(), earlier)

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return asdict(self)


#: What cannot change while a run goes on: which views a step means.
_BINDING = ("seed", "batch", "side", "drawn")
