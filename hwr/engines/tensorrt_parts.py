"""What TensorRT compiles: the convolutions and the classifier, each for one width bucket.

The LSTM stays with cuDNN: `torch.export` unrolls it, a hundred nodes a time step, and
Torch-TensorRT has no converter for it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from hwr.engines.tensorrt_buckets import Bucket
from hwr.model.config import NetworkConfig
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.network import Crnn

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class InputRange:
    """The shapes that one input of a part may take."""

    #: The argument's name in the module's `forward`.
    name: str
    dtype: torch.dtype
    least: Shape
    #: What kernels are tuned for.
    usual: Shape
    most: Shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """A module and the shapes that it is compiled for."""

    #: backbone or head.
    name: str
    #: In evaluation mode, on the device and in the precision that it will run in.
    module: nn.Module
    inputs: tuple[InputRange, ...]
    bucket: Bucket
    #: Pixels of width that become one time step.
    stride: int

    def export(self) -> ExportedProgram:
        """The module as a graph whose batch and width are free within the bucket.

        Raises:
            torch._dynamo.exc.UserError: the module fixes a size that ought to be free.
        """
        device = next(self.module.parameters()).device
        examples = [_example(inputs, device) for inputs in self.inputs]
        return torch.export.export(self.module, tuple(examples), dynamic_shapes=self._free_sizes())

    def _free_sizes(self) -> dict[str, dict[int, Any]]:
        lines = Dim("lines", min=1, max=self.bucket.most_lines)
        least, most = self.bucket.narrowest // self.stride, self.bucket.widest // self.stride
        steps = Dim("steps", min=least, max=most)
        # A width is written in steps, so that the graph knows it to be a multiple of the stride.
        names: dict[str, dict[int, Any]] = {
            "ink": {0: lines, 3: self.stride * steps},
            "widths": {0: lines},
            "sequence": {0: lines, 1: steps},
        }
        return {inputs.name: names[inputs.name] for inputs in self.inputs}


def parts_of(network: Crnn, bucket: Bucket) -> tuple[Part, Part]:
    """Backbone and head of a folded `network` for `bucket`."""
    dtype, stride = next(network.parameters()).dtype, network.config.stride
    backbone = Part(
        name="backbone",
        module=network.backbone,
        inputs=(_ink(bucket, dtype), _widths(bucket)),
        bucket=bucket,
        stride=stride,
    )
    head = Part(
        name="head",
        module=network.head,
        inputs=(_sequence(bucket, network.config, dtype),),
        bucket=bucket,
        stride=stride,
    )
    return backbone, head


def _ink(bucket: Bucket, dtype: torch.dtype) -> InputRange:
    return InputRange(
        name="ink",
        dtype=dtype,
        least=(1, 1, LINE_HEIGHT, bucket.narrowest),
        usual=(bucket.usual_lines, 1, LINE_HEIGHT, bucket.widest),
        most=(bucket.most_lines, 1, LINE_HEIGHT, bucket.widest),
    )


def _widths(bucket: Bucket) -> InputRange:
    return InputRange(
        name="widths",
        dtype=torch.int64,
        least=(1,),
        usual=(bucket.usual_lines,),
        most=(bucket.most_lines,),
    )


def _sequence(bucket: Bucket, config: NetworkConfig, dtype: torch.dtype) -> InputRange:
    features, stride = 2 * config.hidden, config.stride
    return InputRange(
        name="sequence",
        dtype=dtype,
        least=(1, bucket.narrowest // stride, features),
        usual=(bucket.usual_lines, bucket.widest // stride, features),
        most=(bucket.most_lines, bucket.widest // stride, features),
    )


def _example(inputs: InputRange, device: torch.device) -> torch.Tensor:
    """Two lines, since export takes a batch of one for a constant."""
    return torch.zeros((2, *inputs.most[1:]), dtype=inputs.dtype, device=device)


def weights_digest(module: nn.Module) -> str:
    """SHA-256 over name, type, shape and values of every weight, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
