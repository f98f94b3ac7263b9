"""Writes the network as an ONNX graph, in float32 or with its convolutions in 8-bit integers.

One line goes through it at a time, as wide as it is: there is no padding, so the graph needs no
masks and no lengths, and a line cannot depend on its neighbours.

8 bits: activations unsigned and per tensor, with the ranges of a quantisation; weights signed and
per output channel (Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018). The graph says so with QuantizeLinear and
DequantizeLinear pairs, from which the runtime makes integer kernels (for unsigned weights on some
CPUs, see `onnx_engine.open_session`). The LSTM's weights are 8-bit too; the scale of its inputs
comes from the line itself.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwr.errors import ModelError
from hwr.model.config import NetworkConfig
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.onnx_nodes import Array, Nodes, folded
from hwr.model.quantisation import Ranges
from hwr.model.weights import Model, Tensors

#: What the graph is fed: what `ink_of` makes of a line.
INK = "ink"
#: What it answers: logits (T, 1, C) float32.
LOGITS = "logits"

#: Scale of weights that are all zero.
_LEAST_SCALE = 1e-12
#: Leaves half of a 32-bit sum to the products.
_MOST_BIAS = 2**30


def ink_of(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A line (64, w) as ink (1, 4, 32, w / 2), 0 is paper: a channel for each pixel of 2 × 2."""
    height, width = line.shape
    quarters = (255 - line).reshape(height // 2, 2, width // 2, 2).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(quarters).reshape(1, 4, height // 2, width // 2)


def write_graph(model: Model, ranges: Ranges | None = None, *, watched: bool = False) -> bytes:
    """The serialised graph: float32 without `ranges`, else 8-bit.

    With `watched` every activation that a quantisation names is an output after the logits.

    Raises:
        ModelError: `ranges` lack an activation.
    """
    graph = _Graph(ranges)
    features = _backbone(graph, model)
    _sequence(graph, model, features)
    outputs = [LOGITS, *(graph.activations if watched else ())]
    return graph.answering(outputs)


class _Graph(Nodes):
    """Nodes of floats, or of 8-bit integers in the ranges of a quantisation."""

    def __init__(self, ranges: Ranges | None) -> None:
        super().__init__()
        self.activations: list[str] = []
        self._ranges = ranges
        #: Scale of each tensor that stands for 8-bit values.
        self._scales: dict[str, np.float32] = {}

    @property
    def quantised(self) -> bool:
        return self._ranges is not None

    def answering(self, outputs: list[str]) -> bytes:
        """The serialised graph with these outputs."""
        fed = INK, (1, 4, LINE_HEIGHT // 2, "W")
        return self.serialise("hwr", fed, outputs, "com.microsoft")

    def activation(self, tensor: str, name: str) -> str:
        """`tensor` under the name that a quantisation has for it, 8-bit where the graph is."""
        if self._ranges is not None:
            return self.rounded(tensor, name)
        self.activations.append(name)
        return self.node("Identity", tensor, output=name)

    def rounded(self, tensor: str, name: str) -> str:
        """`tensor` in the 8 bits of the activation `name`; itself in a graph of floats."""
        if self._ranges is None:
            return tensor
        if name not in self._ranges:
            raise ModelError(f"The quantisation lacks {name}. Make it again with `hwr quantise`.")
        low, high = self._ranges[name]
        scale = np.float32((high - low) / 255)
        constants = self.constant(scale), self.constant(np.uint8(round(-low / scale)))
        integers = self.node("QuantizeLinear", tensor, *constants)
        result = self.node("DequantizeLinear", integers, *constants)
        self._scales[result] = scale
        return result

    def ink(self) -> str:
        """The ink in 0..1; its pixels are 8-bit already."""
        scale = np.float32(1 / 255)
        result = self.node(
            "DequantizeLinear", INK, self.constant(scale), self.constant(np.uint8(0))
        )
        self._scales[result] = scale
        return result

    def convolution(self, x: str, kernel: Array, bias: Array) -> str:
        """A convolution that keeps the size; `kernel` is (O, I, k, k)."""
        side = kernel.shape[2]
        if self.quantised:
            parameters = self._integers(kernel, bias, self._scales[x])
        else:
            parameters = self.constant(kernel), self.constant(bias)
        return self.node("Conv", x, *parameters, pads=[side // 2] * 2 + [(side - 1) // 2] * 2)

    def _integers(self, kernel: Array, bias: Array, scale: np.float32) -> tuple[str, str]:
        # A bias is 32 bits in units of both scales: weights near zero must not make them too fine.
        integers, scales = _int8(kernel, np.abs(bias) / (scale * _MOST_BIAS))
        biases = np.round(bias / (scales * scale)).astype(np.int32)
        return self._dequantised(integers, scales), self._dequantised(biases, scales * scale)

    def _dequantised(self, integers: Array, scales: Array) -> str:
        zeros = np.zeros(len(scales), integers.dtype)
        names = (self.constant(values) for values in (integers, scales, zeros))
        return self.node("DequantizeLinear", *names, axis=0)


def _backbone(graph: _Graph, model: Model) -> str:
    """Ink → features (1, F, T)."""
    kernel, bias = folded(model.tensors, "backbone.stem", "backbone.stem_norm")
    x = graph.node("Relu", graph.convolution(graph.ink(), _on_quarters(kernel), bias))
    x, last = graph.activation(x, "stem"), "stem"
    for number, (block, _, _) in enumerate(model.config.residual_blocks()):
        if pool := _pool_before(number, model.config):
            x = graph.node("MaxPool", x, kernel_shape=pool, strides=pool)
            x = graph.rounded(x, last)  # a maximum of 8-bit values is one of them
        last = block.removeprefix("backbone.")
        x = _residual(graph, model.tensors, last, x)
    return graph.node("ReduceMax", x, graph.constant(np.array([2])), keepdims=0)


def _residual(graph: _Graph, tensors: Tensors, name: str, x: str) -> str:
    block = f"backbone.{name}"
    inner = graph.convolution(x, *folded(tensors, f"{block}.conv1", f"{block}.norm1"))
    inner = graph.activation(graph.node("Relu", inner), f"{name}.inner")
    change = graph.convolution(inner, *folded(tensors, f"{block}.conv2", f"{block}.norm2"))
    change = graph.activation(change, f"{name}.change")
    if (kernel := tensors.get(f"{block}.shortcut.weight")) is not None:
        x = graph.convolution(x, kernel, np.zeros(len(kernel), np.float32))
        x = graph.activation(x, f"{name}.shortcut")
    return graph.activation(graph.node("Relu", graph.node("Add", change, x)), name)


def _sequence(graph: _Graph, model: Model, features: str) -> None:
    """Features (1, F, T) → logits."""
    config, tensors = model.config, model.tensors
    x = graph.node("Transpose", features, perm=[2, 0, 1])  # (T, 1, F)
    merged = graph.constant(np.array([0, 0, 2 * config.hidden]))
    for layer in range(config.layers):
        y = _lstm(graph, _gates(tensors, layer), x, config.hidden)  # (T, 2, 1, hidden)
        x = graph.node("Reshape", graph.node("Transpose", y, perm=[0, 2, 1, 3]), merged)
    weights = graph.constant(tensors["head.classify.weight"].T)
    product = graph.node("MatMul", x, weights)
    graph.node("Add", product, graph.constant(tensors["head.classify.bias"]), output=LOGITS)


def _lstm(graph: _Graph, gates: tuple[Array, Array, Array], x: str, hidden: int) -> str:
    shape: dict[str, Any] = {"hidden_size": hidden, "direction": "bidirectional"}
    if not graph.quantised:
        return graph.node("LSTM", x, *map(graph.constant, gates), **shape)
    (inputs, input_scales), (states, state_scales) = map(_int8_columns, gates[:2])
    # Empty names: lengths, initial states and peepholes, none of which there are.
    return graph.node(
        "DynamicQuantizeLSTM",
        x,
        *map(graph.constant, (inputs, states, gates[2])),
        *("",) * 4,
        *map(graph.constant, (input_scales, np.zeros_like(input_scales, np.int8))),
        *map(graph.constant, (state_scales, np.zeros_like(state_scales, np.int8))),
        domain="com.microsoft",
        **shape,
    )


def _gates(tensors: Tensors, layer: int) -> tuple[Array, Array, Array]:
    """Input weights (2, 4H, I), state weights (2, 4H, H) and biases (2, 8H) in ONNX's order."""

    def both(part: str) -> Array:
        ends = (f"l{layer}", f"l{layer}_reverse")
        return np.stack([_reordered(tensors[f"sequence.lstm.{part}_{end}"]) for end in ends])

    return (
        both("weight_ih"),
        both("weight_hh"),
        np.concatenate([both("bias_ih"), both("bias_hh")], axis=1),
    )


def _reordered(gates: Array) -> Array:
    """PyTorch's input, forget, cell, output to ONNX's input, output, forget, cell."""
    i, f, c, o = np.split(gates, 4)
    return np.concatenate([i, o, f, c])


def _pool_before(number: int, config: NetworkConfig) -> tuple[int, int] | None:
    """The maximum before the block of this number, if it is the first of a later stage."""
    first, second, _ = config.blocks
    return dict(zip((first, first + second), config.pools, strict=True)).get(number)


def _on_quarters(kernel: Array) -> Array:
    """The stem's kernel (O, 1, 7, 7) of stride 2 as (O, 4, 4, 4) of stride 1 on `ink_of` a line.

    Integer kernels gather the pixels under a window channel by channel: with one channel that
    takes longer than the arithmetic.
    """
    even = np.pad(kernel[:, 0], ((0, 0), (1, 0), (1, 0)))  # (O, 8, 8)
    quarters = even.reshape(-1, 4, 2, 4, 2).transpose(0, 2, 4, 1, 3)
    return quarters.reshape(-1, 4, 4, 4)


def _int8(rows: Array, least: Array | float = 0.0) -> tuple[Array, Array]:
    """Weights (O, …) in int8, and a scale for each row, `least` at least."""
    highest = np.abs(rows).reshape(len(rows), -1).max(axis=1)
    scales = np.maximum(np.maximum(highest / 127, least), _LEAST_SCALE).astype(np.float32)
    by_row = scales.reshape(-1, *[1] * (rows.ndim - 1))
    return np.clip(np.round(rows / by_row), -127, 127).astype(np.int8), scales


def _int8_columns(directions: Array) -> tuple[Array, Array]:
    """LSTM weights (2, 4H, K) as (2, K, 4H) int8, and scales (2, 4H)."""
    integers, scales = zip(*map(_int8, directions), strict=True)
    return np.stack([rows.T for rows in integers]), np.stack(scales)
