"""Writes the line finder's network as an ONNX graph, from its weights and without torch.

`hwr.training.layout.network` is the same network in torch; a test holds them together.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

#: What the graph is fed, uint8 (1, ACROSS, H, W), and what it answers, as `LayoutNetwork` does.
INK, MARKS, HEIGHTS = "ink", "marks", "heights"

# Old enough for every runtime since 1.15 (2023).
_OPSET, _IR_VERSION = 18, 9
_NORM_EPSILON = 1e-5

Array = NDArray[Any]
Tensors = Mapping[str, Array]


def write_graph(tensors: Tensors) -> bytes:
    """The serialised graph. Raises KeyError where a tensor is missing."""
    graph = _Graph({name: np.asarray(value, np.float32) for name, value in tensors.items()})
    x = graph.node("Cast", INK, to=onnx.TensorProto.FLOAT)
    x = graph.node("Mul", x, graph.constant(np.float32(1 / 255)))
    kept = [graph.block(x, "stem")]
    for level in range(graph.length("down")):
        kept.append(graph.level(kept[-1], f"down.{level}"))
    x = kept.pop()
    for level in reversed(range(graph.length("across"))):
        below, x = x, graph.plain(x, f"across.{level}")
        x = graph.node("Add", graph.doubled(x), kept.pop())
        x = graph.block(x, f"up.{level}")
    graph.plain(x, "marks", MARKS)
    graph.plain(below, "heights", HEIGHTS)
    return graph.serialise()


class _Graph:
    """Nodes and constants in the order they were added."""

    def __init__(self, tensors: dict[str, Array]) -> None:
        self._tensors = tensors
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def length(self, prefix: str) -> int:
        """How many parts the module ``prefix`` has."""
        numbers = (name.split(".") for name in self._tensors)
        parts = prefix.split(".")
        return len({n[len(parts)] for n in numbers if n[: len(parts)] == parts})

    def constant(self, values: Array | np.generic) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def level(self, x: str, name: str) -> str:
        """Blocks one after the other, of which the first halves the picture."""
        for number in range(self.length(name)):
            x = self.block(x, f"{name}.{number}", stride=1 if number else 2)
        return x

    def block(self, x: str, name: str, stride: int = 1) -> str:
        """Convolution and ReLU, the batch normalisation between them folded into the former."""
        variance = self._tensors[f"{name}.1.running_var"] + np.float32(_NORM_EPSILON)
        factor = self._tensors[f"{name}.1.weight"] / np.sqrt(variance)
        bias = self._tensors[f"{name}.1.bias"] - self._tensors[f"{name}.1.running_mean"] * factor
        kernel = self._tensors[f"{name}.0.weight"] * factor[:, None, None, None]
        parameters = self.constant(kernel), self.constant(bias)
        x = self.node("Conv", x, *parameters, pads=[1] * 4, strides=[stride] * 2)
        return self.node("Relu", x)

    def plain(self, x: str, name: str, output: str = "") -> str:
        """A convolution of one pixel."""
        parameters = (self.constant(self._tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.node("Conv", x, *parameters, output=output)

    def doubled(self, x: str) -> str:
        """Each pixel four times."""
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.node(
            "Resize",
            x,
            "",
            scales,
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )

    def serialise(self) -> bytes:
        channels = self._tensors["stem.0.weight"].shape[1]
        ink = helper.make_tensor_value_info(INK, onnx.TensorProto.UINT8, [1, channels, "H", "W"])
        answers = [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            for name in (MARKS, HEIGHTS)
        ]
        graph = helper.make_graph(self._nodes, "hwr.layout", [ink], answers, self._constants)
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        return bytes(model.SerializeToString())
