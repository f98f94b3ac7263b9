"""What this machine can do at most: a large matrix product, the one thing that kernels do best."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: Rows and columns of both matrices: too large for a processor's caches, an instant for a GPU.
_SIDES = {"cpu": 1536, "cuda": 8192}
#: Products in a measurement; the first of all is not counted.
_PRODUCTS = 3


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
    """Multiply two square matrices a few times; the best counts."""
    side = _SIDES[device]
    a, b = (_matrix(side, device, dtype) for _ in range(2))
    multiply = torch._int_mm if dtype == "int8" else torch.matmul
    _seconds(multiply, a, b)
    best = min(_seconds(multiply, a, b) for _ in range(_PRODUCTS))
    return Peak(device=device, dtype=dtype, flops_per_s=2 * side**3 / best)


def _matrix(side: int, device: str, dtype: str) -> Tensor:
    if dtype == "int8":
        return torch.randint(-127, 127, (side, side), dtype=torch.int8, device=device)
    return torch.randn(side, side, device=device).to(getattr(torch, dtype))


def _seconds(multiply: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor) -> float:
    """Processor seconds on a CPU, which a neighbour's work does not lengthen; else wall seconds."""
    clock = time.process_time if a.device.type == "cpu" else time.perf_counter
    _synchronise(a)
    start = clock()
    multiply(a, b)
    _synchronise(a)
    return clock() - start


def _synchronise(a: Tensor) -> None:
    if a.is_cuda:
        torch.cuda.synchronize()
