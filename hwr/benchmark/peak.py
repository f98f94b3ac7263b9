"""What this machine can do at most: a large matrix product, the one thing that kernels do best.

Libraries differ in how close they come to the hardware, so on a CPU oneDNN's product is measured as
well: PyTorch's own goes through MKL, which leaves half of a processor that is not Intel's unused.
In 8-bit integers ONNX Runtime's is, in the kernels that `onnx` reads with.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array

from hwr.engines.onnx_engine import open_session

#: Rows and columns of both matrices: too large for a processor's caches, an instant for a GPU.
_SIDES = {"cpu": 1536, "cuda": 8192}
#: Products of each library in a measurement; one more comes before them and does not count.
_PRODUCTS = 3
#: Seconds after which one product is enough.
_LONG_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The fastest product that was measured."""

    device: str
    #: As a name of PyTorch.
    dtype: str
    #: Operations a second, a multiplication and its addition being two; on a CPU, of processor
    #: time, thus for each core.
    flops_per_s: float


def measure_peak(device: str, dtype: str) -> Peak:
    """Multiply two square matrices a few times with each library; the best counts."""
    side = _SIDES[device]
    best = min(_fastest(product, device) for product in _products(side, device, dtype))
    return Peak(device=device, dtype=dtype, flops_per_s=2 * side**3 / best)


def _products(side: int, device: str, dtype: str) -> Iterator[Callable[[], object]]:
    if dtype == "int8":
        c, d = (
            torch.randint(-127, 127, (side, side), dtype=torch.int8, device=device)
            for _ in range(2)
        )
        if device == "cuda" or torch.cpu._is_vnni_supported():  # elsewhere a plain loop
            yield lambda: torch._int_mm(c, d)
        if device == "cpu":
            yield _runtime_product(d.numpy())
        return
    a, b = (torch.randn(side, side, device=device).to(getattr(torch, dtype)) for _ in range(2))
    yield lambda: a @ b
    if (device, dtype) == ("cpu", "float32") and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        left, right = a.to_mkldnn(), b.to_mkldnn()
        yield lambda: torch.nn.functional.linear(left, right)


def _runtime_product(weights: NDArray[np.int8]) -> Callable[[], object]:
    """ONNX Runtime's product of unsigned activations and these signed weights."""
    sides = list(weights.shape)
    a = helper.make_tensor_value_info("a", TensorProto.UINT8, sides)
    c = helper.make_tensor_value_info("c", TensorProto.INT32, sides)
    product = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
    graph = helper.make_graph([product], "product", [a], [c], [from_array(weights, "b")])
    opsets = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    session = open_session(model.SerializeToString())
    activations = np.random.default_rng(0).integers(0, 256, weights.shape, np.uint8)
    return lambda: session.run(None, {"a": activations})


def _fastest(product: Callable[[], object], device: str) -> float:
    first = _seconds(product, device)
    if first > _LONG_S:  # arithmetic that the hardware lacks; no need to see it again
        return first
    return min(_seconds(product, device) for _ in range(_PRODUCTS))


def _seconds(product: Callable[[], object], device: str) -> float:
    """Processor seconds on a CPU, which a neighbour's work does not lengthen; else wall seconds."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    _synchronise(device)
    start = clock()
    product()
    _synchronise(device)
    return clock() - start


def _synchronise(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
