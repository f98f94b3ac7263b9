"""The only place that touches Torch-TensorRT, after its 2.13 documentation.

Engines are built with `dynamo.convert_exported_program_to_serialized_trt_engine`, which gives one
engine as bytes and fails where any operation has no converter, and run through
`dynamo.runtime.TorchTensorRTModule`. Precision is that of the module: typing is always strong.
"""

import logging
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol

import torch
from torch import Tensor

from hwr.engines.tensorrt_parts import InputRange, Part
from hwr.errors import EngineError

_log = logging.getLogger(__name__)

#: NVIDIA's driver says its version here, in containers too.
_DRIVER = Path("/proc/driver/nvidia/version")
#: The name that Torch-TensorRT gives the one output of a part.
_OUTPUT = "output0"

Compiled = Callable[..., Tensor]


class Compiler(Protocol):
    """Turns parts into engines, and engines into something to call."""

    @property
    def platform(self) -> Mapping[str, str]:
        """What an engine depends on beside the network: versions and the GPU."""

    def build(self, part: Part) -> bytes:
        """The engine of `part`; takes about a minute."""

    def load(self, part: Part, engine: bytes) -> Compiled:
        """The engine, to be called like the part's module."""


class TorchTensorRt:
    """The compiler for the GPU of this process."""

    def __init__(self, cuda_graphs: bool = False) -> None:
        """Import Torch-TensorRT.

        Raises:
            EngineError: there is no Torch-TensorRT, no driver or no GPU.
        """
        self._library = _import_library()
        self._cuda_graphs = cuda_graphs

    @property
    def platform(self) -> Mapping[str, str]:
        import tensorrt  # type: ignore[import-not-found]  # an extra

        major, minor = torch.cuda.get_device_capability()
        return {
            "torch": torch.__version__,
            "torch_tensorrt": self._library.__version__,
            "tensorrt": tensorrt.__version__,
            "driver": _driver_version(),
            "gpu": f"{torch.cuda.get_device_name()} {major}.{minor}",
        }

    def build(self, part: Part) -> bytes:
        _log.info("Building the TensorRT engine of %s for %s", part.name, part.bucket)
        convert = self._library.dynamo.convert_exported_program_to_serialized_trt_engine
        # By default one file of timings in /tmp is shared, unlocked, by every process and user.
        with tempfile.TemporaryDirectory() as folder:
            engine: bytes = convert(
                part.export(),
                arg_inputs=[self._input(inputs) for inputs in part.inputs],
                timing_cache_path=str(Path(folder) / "timings"),
            )
        return engine

    def load(self, part: Part, engine: bytes) -> Compiled:
        module: Compiled = self._library.dynamo.runtime.TorchTensorRTModule(
            engine,
            input_binding_names=[inputs.name for inputs in part.inputs],
            output_binding_names=[_OUTPUT],
            name=part.name,
        )

        def run(*inputs: Tensor) -> Tensor:
            # A setting of the whole process, which may hold another engine that wants none.
            self._library.runtime.set_cudagraphs_mode(self._cuda_graphs)
            return module(*inputs)

        return run

    def _input(self, inputs: InputRange) -> object:
        return self._library.Input(
            min_shape=inputs.least,
            opt_shape=inputs.usual,
            max_shape=inputs.most,
            dtype=inputs.dtype,
            name=inputs.name,
        )


def _import_library() -> ModuleType:
    try:
        import torch_tensorrt  # type: ignore[import-not-found]  # an extra
    except Exception as error:  # without a driver it raises RuntimeError, AssertionError or worse
        raise EngineError(
            f"Torch-TensorRT cannot start ({type(error).__name__}: {error}). Install hwr[tensorrt]"
            " on a machine with an NVIDIA GPU and its driver, or set HWR_ENGINE=torch."
        ) from error
    if not torch.cuda.is_available():
        raise EngineError(
            "Torch-TensorRT found no NVIDIA GPU. Check nvidia-smi and the container's runtime,"
            " or set HWR_ENGINE=torch."
        )
    library: ModuleType = torch_tensorrt
    return library


def _driver_version() -> str:
    try:
        version = re.search(r"\d{3,}\.\d+(\.\d+)*", _DRIVER.read_text())
    except OSError:
        version = None
    return version.group() if version else "unknown"
