"""Engines by the name that HWR_ENGINE gives.

PyTorch is imported by the engines that run on it and by no other.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from hwr.engines.protocol import Engine
from hwr.errors import EngineError
from hwr.model.processor import multiplies_bfloat16
from hwr.model.weights import Model

log = logging.getLogger(__name__)


def _auto(model: Model, threads: int) -> Engine:
    """The GPU where there is one, else the engine for CPUs, else the reference."""
    if _has_cuda():
        return _torch_cuda(model, threads)
    try:
        return _onnx(model, threads)
    except (ImportError, EngineError) as error:
        log.warning("ONNX Runtime does not run here (%s): reading with torch, slower.", error)
        return _torch_cpu(model, threads)


def _has_cuda() -> bool:
    # PyTorch takes seconds to import: ask it only where a driver has made a device.
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/dxg").exists():
        return False
    import torch

    return torch.cuda.is_available()


def _onnx(model: Model, threads: int) -> Engine:
    from hwr.engines.onnx_engine import open_onnx

    return open_onnx(model, threads)


def _torch_cpu(model: Model, threads: int) -> Engine:
    from hwr.engines.torch_engine import TorchEngine

    return TorchEngine(model.network, threads=threads)


def _torch_bf16(model: Model, threads: int) -> Engine:
    import torch

    from hwr.engines.torch_engine import TorchEngine

    if not multiplies_bfloat16():
        raise EngineError(
            "Engine 'torch-bf16' needs a CPU that multiplies bfloat16: this one would read several"
            " times slower in it than in float32. Set HWR_ENGINE=auto."
        )
    return TorchEngine(model.network, threads=threads, dtype=torch.bfloat16)


def _torch_cuda(model: Model, threads: int) -> Engine:
    from hwr.engines.torch_engine import TorchEngine

    return TorchEngine(model.network, device="cuda", threads=threads)


def _tensorrt(model: Model, threads: int) -> Engine:
    from hwr.engines.tensorrt_engine import open_tensorrt

    return open_tensorrt(model.network, threads)


def _tensorrt_graphs(model: Model, threads: int) -> Engine:
    from hwr.engines.tensorrt_engine import open_tensorrt

    return open_tensorrt(model.network, threads, cuda_graphs=True)


#: How to make each engine from a model and a number of CPU threads.
ENGINES: dict[str, Callable[[Model, int], Engine]] = {
    "auto": _auto,
    "onnx": _onnx,
    "torch": _torch_cpu,
    "torch-bf16": _torch_bf16,
    "torch-cuda": _torch_cuda,
    "tensorrt": _tensorrt,
    "tensorrt-graphs": _tensorrt_graphs,
}


def open_engine(name: str, model: Model, threads: int = 1) -> Engine:
    """The engine called `name`.

    Raises:
        EngineError: there is no such engine or it cannot start on this machine.
    """
    if name not in ENGINES:
        raise EngineError(
            f"There is no engine {name!r}. Set HWR_ENGINE to one of {', '.join(ENGINES)}."
        )
    try:
        return ENGINES[name](model, threads)
    except (ImportError, RuntimeError, AssertionError) as error:
        other = "onnx" if name == "torch" else "torch"
        raise EngineError(
            f"Engine {name!r} cannot start ({error}). Set HWR_ENGINE={other}."
        ) from error
