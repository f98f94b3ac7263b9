"""What the graphs of all networks are written with: nodes, constants and folded norms in ONNX."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

# Old enough for every runtime since 1.15 (2023).
_OPSET, _IR_VERSION = 18, 9
_NORM_EPSILON = 1e-5

Array = NDArray[Any]


class Nodes:
    """Nodes and constants in the order they were added."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: Array | np.generic) -> str:
        """Add a constant; its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node; the name of its output."""
        output = output or f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def serialise(
        self,
        name: str,
        fed: tuple[str, Sequence[int | str]],
        answers: Sequence[str],
        *domains: str,
    ) -> bytes:
        """The graph that is fed uint8 of a name and shape; `domains` are those beside ONNX's."""
        fed_info = helper.make_tensor_value_info(fed[0], onnx.TensorProto.UINT8, fed[1])
        infos = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in answers]
        graph = helper.make_graph(self._nodes, name, [fed_info], infos, self._constants)
        opsets = [helper.make_opsetid("", _OPSET), *(helper.make_opsetid(d, 1) for d in domains)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        return bytes(model.SerializeToString())


def folded(tensors: Mapping[str, Array], convolution: str, norm: str) -> tuple[Array, Array]:
    """Kernel and bias of a convolution with the batch normalisation that follows it."""
    variance = tensors[f"{norm}.running_var"] + np.float32(_NORM_EPSILON)
    factor = tensors[f"{norm}.weight"] / np.sqrt(variance)
    bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * factor
    return tensors[f"{convolution}.weight"] * factor[:, None, None, None], bias
