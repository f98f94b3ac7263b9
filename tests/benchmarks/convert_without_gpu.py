"""Does TensorRT's builder take the network? Asked without a GPU: `python convert_without_gpu.py`.

Proof that every operation has a converter and that the builder makes an engine for each bucket; no
proof that the engine runs, nor of what it would read. It asks TensorRT-RTX, whose Torch-TensorRT
shares all converters with the one that `hwr[tensorrt]` installs, since its builder starts without a
driver. Not part of any test: make a virtual environment of its own, with hwr in it, and there

    pip install --no-deps torch-tensorrt-rtx==2.13.0 dllist
    pip install tensorrt-rtx==1.5.0.114
    LD_LIBRARY_PATH=$(python -c "import tensorrt_rtx_libs as l; print(*l.__path__)") \
        python tests/benchmarks/convert_without_gpu.py
"""

import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import torch

from hwr.engines.tensorrt_buckets import BUCKETS
from hwr.engines.tensorrt_compiler import TorchTensorRt
from hwr.engines.tensorrt_parts import parts_of
from hwr.model.network import fold_norms
from hwr.model.weights import load_model


def main() -> None:
    """Print one row an engine."""
    pretend_a_gpu()
    compiler = TorchTensorRt()
    torch.cuda.is_available = lambda: False  # torch.export would save the state of the GPU
    keep_what_is_built()
    network = fold_norms(load_model().network).half()
    for bucket in BUCKETS:
        for part in parts_of(network, bucket):
            start = time.process_time()
            engine = compiler.build(part)
            seconds = time.process_time() - start
            shapes = f"{part.inputs[0].least} to {part.inputs[0].most}"
            sys.stdout.write(
                f"{part.name:9} {shapes:38} {len(engine):>9,} bytes {seconds:5.1f} s\n"
            )


def pretend_a_gpu() -> None:
    """Answer what Torch-TensorRT asks of CUDA while it is imported and while it builds."""
    gpu = SimpleNamespace(name="none", major=9, minor=0, total_memory=80 << 30)
    answers: dict[str, Any] = {
        "is_available": True,
        "current_device": 0,
        "get_device_capability": (9, 0),
        "get_device_name": gpu.name,
        "get_device_properties": gpu,
        "mem_get_info": (gpu.total_memory, gpu.total_memory),
        "empty_cache": None,
        "synchronize": None,
        "ipc_collect": None,
    }
    for name, answer in answers.items():
        setattr(torch.cuda, name, lambda *_, answer=answer: answer)
    torch._C._CudaDeviceProperties = SimpleNamespace  # type: ignore[assignment, misc]
    is_file = os.path.isfile
    # Its runtime in C++ needs CUDA; without that file it takes the one in Python.
    os.path.isfile = lambda path: "libtorchtrt" not in str(path) and is_file(path)


def keep_what_is_built() -> None:
    """The builder's bytes stand for the engine that only a driver could make of them."""
    import tensorrt  # type: ignore[import-not-found]  # an extra

    class Runtime:
        def __init__(self, _log: object) -> None:
            pass

        def deserialize_cuda_engine(self, built: Any) -> Any:
            return SimpleNamespace(serialize=lambda: built)

    tensorrt.Runtime = Runtime


if __name__ == "__main__":
    main()
