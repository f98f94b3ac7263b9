"""A trained network made larger without changing what it reads.

Added residual blocks begin as the identity: the gain of their last normalisation is zero (Goyal et
al., "Accurate, Large Minibatch SGD", 2017). Added LSTM units hear everything from the start, but
nothing weighs what they say (after Chen et al., "Net2Net", 2016). Both learn from the first step.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from hwr.model.network import Crnn

#: Gates of an LSTM: input, forget, cell, output.
_GATES = 4
#: What reading does without, so that a model's file may lack it.
_SHORTCUT, _COUNT = "shortcut.", ".num_batches_tracked"
_LSTM, _HEAD = "sequence.lstm.", "head."
#: A tensor of a residual block, with its block and stage.
_BLOCK = re.compile(r"((backbone\.stages\.\d+\.)\d+\.)")


def start_from(network: Crnn, weights: Mapping[str, Tensor]) -> None:
    """Give `network` the `weights` of one that has as many or fewer blocks and LSTM units.

    It then reads as that one did. A shortcut head that `weights` lacks stays as it is.

    Raises:
        ValueError: they are of other layers, or more of them.
    """
    state = network.state_dict()
    if unknown := weights.keys() - state.keys():
        raise ValueError(f"no place for {min(unknown)}")
    network.load_state_dict({name: _placed(name, own, weights) for name, own in state.items()})


def _placed(name: str, own: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    if name not in weights:
        return _added(name, own, weights)
    given = weights[name]
    if given.shape == own.shape:
        return given
    gates = _GATES if name.startswith(_LSTM) else 1
    # A head has a row for each character: more of them would be another alphabet.
    least = own.shape[0] if gates == 1 else 0
    grows = all(a <= b for a, b in zip(given.shape, own.shape, strict=True))
    if grows and name.startswith((_LSTM, _HEAD)) and given.shape[0] >= least:
        return _embedded(own, given, gates, _directions(name))
    raise ValueError(f"{name} is {tuple(given.shape)}, not {tuple(own.shape)}")


def _added(name: str, own: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """A tensor of an added residual block, or one that files of models may lack."""
    if name.startswith(_SHORTCUT) or name.endswith(_COUNT):
        return own
    within = _BLOCK.match(name)
    if within is None or _has(weights, within[1]) or not _has(weights, within[2]):
        raise ValueError(f"{name} is missing")
    return torch.zeros_like(own) if name.endswith("norm2.weight") else own


def _has(weights: Mapping[str, Tensor], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in weights)


def _directions(name: str) -> int:
    """How many LSTM outputs, one after the other, the columns of a weight are."""
    above = ".weight_ih_l" in name and ".weight_ih_l0" not in name
    return 2 if above or name.startswith(_HEAD) else 1


def _embedded(own: Tensor, given: Tensor, gates: int, directions: int) -> Tensor:
    """`given` inside `own`: rows that were there take nothing from columns that are new."""
    columns = own.shape[1] if own.dim() > 1 else 1
    before = given.shape[1] if given.dim() > 1 else 1
    result = own.clone().view(gates, own.shape[0] // gates, directions, columns // directions)
    part = given.reshape(gates, given.shape[0] // gates, directions, before // directions)
    rows = part.shape[1]
    result[:, :rows] = 0
    result[:, :rows, :, : part.shape[3]] = part
    return result.view(own.shape)
