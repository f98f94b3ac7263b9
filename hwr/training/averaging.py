"""Averages of weights: over the steps of a run (EMA), and over runs that began as one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hwr.errors import ModelError
from hwr.model.network import Crnn
from hwr.model.weights import Model, Tensors


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Draw `average` towards `network`, of the same layers, by 1 - `decay`; `step` is from 0 on."""
    # A short memory at first, so that the average does not drag the random start along.
    decay = min(decay, (1 + step) / (10 + step))
    own = network.state_dict()
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(own[name], 1 - decay)


def mean(models: Sequence[Model], shares: Sequence[float]) -> Crnn:
    """The network whose weights are those of `models`, in `shares` of the shares' sum.

    It reads well only where one model went on from another, or both from a third (Wortsman et al.,
    "Model soups", 2022): other weights mean other things.

    Raises:
        ModelError: the models differ in network or alphabet, or lack the head that only training
            needs.
    """
    for model in models:
        _check(model, models[0])
    # Divided by the largest first: the sum of huge ones would be infinite, and all weights zero.
    relative = [share / max(shares) for share in shares]
    total = sum(relative)
    parts = [(model.tensors, share / total) for model, share in zip(models, relative, strict=True)]
    network = Crnn(models[0].config)
    network.load_state_dict({n: _sum(n, parts) for n in models[0].tensors}, strict=False)
    return network.eval()


def _check(model: Model, first: Model) -> None:
    if (model.config, model.alphabet) != (first.config, first.alphabet):
        raise ModelError(
            f"{model.path} has another network or alphabet than {first.path}. Name models of which"
            " one went on from the other."
        )
    if not model.config.training_tensors().keys() <= model.tensors.keys():
        raise ModelError(
            f"{model.path} lacks the shortcut head, as older models do, and without it the mean"
            " could not be trained further. Name a newer one."
        )


def _sum(name: str, parts: Sequence[tuple[Tensors, float]]) -> Tensor:
    return torch.stack([share * torch.from_numpy(tensors[name]) for tensors, share in parts]).sum(0)
