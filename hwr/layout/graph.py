"""Writes the line finder's network as an ONNX graph, from its weights and without torch.

`hwr.training.layout.network` is the same network in torch; a test holds them together.
"""

from collections.abc import Mapping

import numpy as np
import onnx

from hwr.model.onnx_nodes import Array, Nodes, folded

#: What the graph is fed, uint8 (1, ACROSS, H, W), and what it answers, as `LayoutNetwork` does.
INK, MARKS, HEIGHTS = "ink", "marks", "heights"

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
    channels = graph.tensors["stem.0.weight"].shape[1]
    return graph.serialise("hwr.layout", (INK, (1, channels, "H", "W")), (MARKS, HEIGHTS))


class _Graph(Nodes):
    """The network's parts, from its weights."""

    def __init__(self, tensors: dict[str, Array]) -> None:
        super().__init__()
        self.tensors = tensors

    def length(self, prefix: str) -> int:
        """How many parts the module ``prefix`` has."""
        numbers = (name.split(".") for name in self.tensors)
        parts = prefix.split(".")
        return len({n[len(parts)] for n in numbers if n[: len(parts)] == parts})

    def level(self, x: str, name: str) -> str:
        """Blocks one after the other, of which the first halves the picture."""
        for number in range(self.length(name)):
            x = self.block(x, f"{name}.{number}", stride=1 if number else 2)
        return x

    def block(self, x: str, name: str, stride: int = 1) -> str:
        """Convolution and ReLU, the batch normalisation between them folded into the former."""
        parameters = map(self.constant, folded(self.tensors, f"{name}.0", f"{name}.1"))
        x = self.node("Conv", x, *parameters, pads=[1] * 4, strides=[stride] * 2)
        return self.node("Relu", x)

    def plain(self, x: str, name: str, output: str = "") -> str:
        """A convolution of one pixel."""
        parameters = (self.constant(self.tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
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
