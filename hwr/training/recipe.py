"""The hyper-parameters of a training run, and the recipe of the shipped model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hwr.model.config import NetworkConfig
from hwr.training.augmentation import Group
from hwr.training.checkpoints import check_same


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides a run's outcome besides the data itself."""

    #: Seed of data order, drawing, augmentation and initial weights.
    seed: int = 1
    #: Optimiser steps.
    steps: int = 9_000
    #: Padded columns (64-pixel-high pixels of width) of a step on one process.
    columns: int = 8_192
    #: Lines planned together, so that a batch holds lines of about one width.
    pool: int = 256
    #: Peak learning rate of AdamW.
    rate: float = 1.0e-3
    #: Steps of linear warm-up.
    warmup: int = 300
    #: Share of the steps, at the end, over which the rate falls linearly to zero.
    cooldown: float = 0.3
    #: Decoupled weight decay.
    weight_decay: float = 0.01
    #: Largest norm of a gradient.
    clip: float = 5.0
    #: Weight of the CTC shortcut head's loss.
    shortcut: float = 0.2
    #: Weight of what two copies of a line, distorted differently, are read differently
    #: (`agreement`); 0: each line comes once.
    agreement: float = 0.0
    #: Decay of the averaged weights (EMA), which are what is evaluated and shipped.
    average: float = 0.998
    #: Widest line of the first steps, in pixels: CTC leaves its plateau sooner on short lines.
    short_width: int = 420
    #: Pools, from the first on, that hold short lines only.
    short_pools: int = 80
    #: Widest line in pixels; wider ones are left out of training.
    widest: int = 1_800
    #: Share of lines written in recorded hands and drawn with fonts; the rest is real.
    hands: float = 0.45
    fonts: float = 0.1
    #: Share of the real lines that are put together from words of their writer (`recombination`).
    recombined: float = 0.0
    #: Kinds of distortion that lines meet.
    distortions: tuple[Group, ...] = tuple(Group)
    #: Whether the convolutions keep the weights they start with, and what follows them learns.
    frozen: bool = False
    #: Validations in a row that may pass without a better one before training ends; 0: never, for
    #: the falling rate at the end makes the weights better than any before.
    patience: int = 0
    #: How much oftener than its size tells a real set is drawn.
    weights: dict[str, float] = field(
        default_factory=lambda: {
            "jls_en_lines": 4.0,
            "names_cc0_val": 1.0,
            "fir_in_crops": 0.7,
            "lectaurep_fr_lines": 0.6,
            "fr_19_20c_ccby_lines": 0.9,
        }
    )

    @property
    def copies(self) -> int:
        """Of each line in a step."""
        return 2 if self.agreement else 1

    def for_columns(self, columns: int) -> "Recipe":
        """The recipe with so many columns a step, and pools that fill as many steps as before.

        The rate grows with their fourth root: a step of many lines is surer of its way.
        """
        times = columns / self.columns
        return replace(
            self,
            columns=columns,
            rate=self.rate * times**0.25,
            pool=round(self.pool * times),
            short_pools=round(self.short_pools / times),
        )

    def check_goes_on(self, earlier: Mapping[str, Any]) -> None:
        """See that a run with the recipe `earlier`, as `to_json` gave it, may go on with this one.

        Raises:
            ValueError: it would see other lines from here on, or train other weights.
        """
        check_same(_BINDING, self.to_json(), earlier)

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return asdict(self) | {"distortions": [group.value for group in self.distortions]}


#: What cannot change while a run goes on: which lines a position means, and which weights learn.
_BINDING = (
    "seed", "columns", "pool", "short_width", "short_pools", "widest", "hands", "fonts",
    "recombined", "weights", "distortions", "agreement", "frozen",
)  # fmt: skip


def default_network(classes: int) -> NetworkConfig:
    """The network that is trained: that of the shipped model."""
    return NetworkConfig(classes=classes)
