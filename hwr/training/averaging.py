"""Averaged weights (EMA): steadier than those of any one step, they are what is used."""

import torch
from torch import nn


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Draw `average` towards `network`, of the same layers, by 1 - `decay`; `step` is from 0 on."""
    # A short memory at first, so that the average does not drag the random start along.
    decay = min(decay, (1 + step) / (10 + step))
    own = network.state_dict()
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(own[name], 1 - decay)
