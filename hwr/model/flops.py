"""How much arithmetic a line takes, counted from the layers of the network that reads it.

Floating-point operations as kernels do them, a multiplication and its addition being two. Only the
convolutions, the LSTM and the classifier count; masks, activations and pools are left out.
"""

from typing import Any

import torch
from torch import Tensor, nn

from hwr.model.line_image import LINE_HEIGHT
from hwr.model.network import Crnn

#: Width of the line that is counted. Every layer's work grows in proportion to it.
_COUNTED_WIDTH = 256


def flops_per_column(network: Crnn) -> float:
    """Floating-point operations a pixel of width: times 1024 for a line of 1024 pixels."""
    counts: list[int] = []
    hooks = [
        layer.register_forward_hook(_counter(counts))
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.LSTM | nn.Linear)
    ]
    try:
        _read_blank(network)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts) / _COUNTED_WIDTH


def _read_blank(network: Crnn) -> None:
    place = next(network.parameters())
    ink = torch.zeros(1, 1, LINE_HEIGHT, _COUNTED_WIDTH, device=place.device, dtype=place.dtype)
    was_training = network.training
    with torch.inference_mode():
        network.eval()(ink, torch.tensor([_COUNTED_WIDTH], device=place.device))
    network.train(was_training)


def layer_flops(layer: nn.Module, output: Any) -> int:
    """Operations that gave `output`; 0 for layers that are not counted."""
    if isinstance(layer, nn.Conv2d):
        return _of_convolution(layer, output)
    if isinstance(layer, nn.LSTM):
        return _of_lstm(layer, output[0].data)
    return 2 * layer.in_features * output.numel() if isinstance(layer, nn.Linear) else 0


def _counter(counts: list[int]) -> Any:
    def count(layer: nn.Module, _inputs: Any, output: Any) -> None:
        counts.append(layer_flops(layer, output))

    return count


def _of_convolution(layer: nn.Conv2d, output: Tensor) -> int:
    height, width = layer.kernel_size
    return 2 * output.numel() * height * width * layer.in_channels // layer.groups


def _of_lstm(layer: nn.LSTM, output: Tensor) -> int:
    """`output` is (T, directions · hidden), as packed sequences have it, or (1, T, …)."""
    directions = 2 if layer.bidirectional else 1
    steps = output.numel() // (directions * layer.hidden_size)
    inputs = layer.input_size + (layer.num_layers - 1) * directions * layer.hidden_size
    weights = 4 * layer.hidden_size * (inputs + layer.num_layers * layer.hidden_size)
    return 2 * directions * steps * weights
