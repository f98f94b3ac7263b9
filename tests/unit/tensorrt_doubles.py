"""Compilers that need no GPU, in the place of Torch-TensorRT's."""

import io
from collections.abc import Mapping

import torch
from torch import Tensor

from hwr.engines.tensorrt_compiler import Compiled
from hwr.engines.tensorrt_parts import Part
from hwr.model.config import NetworkConfig
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.network import Crnn

PLATFORM = {
    "torch": "2.13.0",
    "torch_tensorrt": "2.13.0",
    "tensorrt": "11.0.0",
    "driver": "580.82.07",
    "gpu": "NVIDIA H100 80GB HBM3 9.0",
}


def small_network(seed: int = 0) -> Crnn:
    """Random weights, the norms' statistics moved off their start."""
    torch.manual_seed(seed)
    config = NetworkConfig(classes=7, channels=(4, 6, 8), blocks=(1, 1, 1), hidden=5, layers=1)
    network = Crnn(config)
    network.train().forward_training(torch.rand(4, 1, LINE_HEIGHT, 96))
    return network.eval()


class EagerCompiler:
    """Its engine says how far its output is off; loaded, it is the part's own module, off by that.

    So an engine that was built wrong stays wrong in the cache.
    """

    def __init__(self, off: float = 0.0) -> None:
        self.platform: Mapping[str, str] = PLATFORM
        self._off = off
        #: Names of the parts built so far.
        self.built: list[str] = []
        #: Shapes of the first input of every call.
        self.shapes: set[tuple[int, ...]] = set()

    def build(self, part: Part) -> bytes:
        self.built.append(part.name)
        return f"{part.name} {self._off}".encode()

    def load(self, part: Part, engine: bytes) -> Compiled:
        name, off = engine.decode().split()
        assert name == part.name

        def run(*inputs: Tensor) -> Tensor:
            for value, allowed in zip(inputs, part.inputs, strict=True):
                assert value.dtype == allowed.dtype
                sizes = zip(allowed.least, value.shape, allowed.most, strict=True)
                assert all(least <= size <= most for least, size, most in sizes)
            self.shapes.add(tuple(inputs[0].shape))
            output: Tensor = part.module(*inputs) + float(off)
            return output

        return run


class ExportingCompiler(EagerCompiler):
    """Its engine is the exported graph; loaded, it runs without the module that it came from."""

    def build(self, part: Part) -> bytes:
        self.built.append(part.name)
        file = io.BytesIO()
        torch.export.save(part.export(), file)
        return file.getvalue()

    def load(self, part: Part, engine: bytes) -> Compiled:
        graph: Compiled = torch.export.load(io.BytesIO(engine)).module()
        return graph


class RefusingCompiler(EagerCompiler):
    """It builds nothing."""

    def build(self, part: Part) -> bytes:
        raise RuntimeError("no converter")
