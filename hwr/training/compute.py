"""Where a network is trained, and in which arithmetic.

bfloat16 is 2.9 times as fast as float32 on a CPU with instructions for it. On one without it is
slower than float32: 12 times on AMD Zen 3, where PyTorch convolves in plain loops.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from functools import cached_property

import torch
import torch.distributed as dist

from hwr.model.processor import multiplies_bfloat16

#: How long processes wait for one another: cutting the recorded words takes one of them minutes.
_PATIENCE = timedelta(hours=2)


class Compute:
    """A device and the arithmetic that is fastest on it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    @classmethod
    def best(cls) -> "Compute":
        """The process's own GPU where there is one, else the CPU."""
        if torch.cuda.is_available():
            return cls(torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))))
        return cls(torch.device("cpu"))

    @cached_property
    def bfloat16(self) -> bool:
        """Whether bfloat16 is fast here."""
        if self.device.type == "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        return multiplies_bfloat16()

    def autocast(self) -> AbstractContextManager[object]:
        """bfloat16 where it is fast, else what the network is in."""
        if not self.bfloat16:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def join_processes(compute: Compute) -> None:
    """Join the processes that torchrun started, each on a device of its own; alone otherwise."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        return
    if compute.device.type == "cuda":
        torch.cuda.set_device(compute.device)
    backend = "nccl" if compute.device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)


@contextmanager
def one_first() -> Iterator[None]:
    """Let the first process do it before the others, which find what it kept."""
    waits = dist.is_initialized() and dist.get_rank() > 0
    if waits:
        dist.barrier()
    yield
    if dist.is_initialized() and not waits:
        dist.barrier()


@contextmanager
def without_denormals() -> Iterator[None]:
    """Numbers next to nothing count as nothing: gradients of sure letters fade into such, which
    cost time. Other arithmetic of the process is to have them again afterwards.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
