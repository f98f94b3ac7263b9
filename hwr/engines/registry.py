"""Engines by the name that HWR_ENGINE gives.

PyTorch is imported by the engines that run on it and by no other.
"""

from collections.abc import Callable

from hwr.engines.protocol import Engine
from hwr.errors import EngineError
from hwr.model.weights import Model


def _torch_cpu(model: Model, threads: int) -> Engine:
    from hwr.engines.torch_engine import TorchEngine

    return TorchEngine(model.network, threads=threads)


def _torch_bf16(model: Model, threads: int) -> Engine:
    import torch

    from hwr.engines.torch_engine import TorchEngine

    return TorchEngine(model.network, threads=threads, dtype=torch.bfloat16)


def _torch_cuda(model: Model, threads: int) -> Engine:
    from hwr.engines.torch_engine import TorchEngine

    return TorchEngine(model.network, device="cuda", threads=threads)


#: How to make each engine from a model and a number of CPU threads.
ENGINES: dict[str, Callable[[Model, int], Engine]] = {
    "torch": _torch_cpu,
    "torch-bf16": _torch_bf16,
    "torch-cuda": _torch_cuda,
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
    except (RuntimeError, AssertionError) as error:
        raise EngineError(
            f"Engine {name!r} cannot start ({error}). Set HWR_ENGINE=torch."
        ) from error
