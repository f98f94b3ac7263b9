"""Engines by the name that HWR_ENGINE gives."""

from collections.abc import Callable

import torch

from hwr.engines.protocol import Engine
from hwr.engines.torch_engine import TorchEngine
from hwr.errors import EngineError
from hwr.model.network import Crnn


def _torch_cpu(network: Crnn, threads: int) -> Engine:
    return TorchEngine(network, threads=threads)


def _torch_bf16(network: Crnn, threads: int) -> Engine:
    return TorchEngine(network, threads=threads, dtype=torch.bfloat16)


def _torch_cuda(network: Crnn, threads: int) -> Engine:
    return TorchEngine(network, device="cuda", threads=threads)


#: How to make each engine from a network and a number of CPU threads.
ENGINES: dict[str, Callable[[Crnn, int], Engine]] = {
    "torch": _torch_cpu,
    "torch-bf16": _torch_bf16,
    "torch-cuda": _torch_cuda,
}


def open_engine(name: str, network: Crnn, threads: int = 1) -> Engine:
    """The engine called `name`.

    Raises:
        EngineError: there is no such engine or it cannot start on this machine.
    """
    if name not in ENGINES:
        raise EngineError(
            f"There is no engine {name!r}. Set HWR_ENGINE to one of {', '.join(ENGINES)}."
        )
    try:
        return ENGINES[name](network, threads)
    except (RuntimeError, AssertionError) as error:
        raise EngineError(
            f"Engine {name!r} cannot start ({error}). Set HWR_ENGINE=torch."
        ) from error
