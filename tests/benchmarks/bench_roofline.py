"""What two GPUs could read at most, on paper: `python bench_roofline.py`.

Counts the operations and the memory traffic of a line of 1024 pixels, layer by layer, in half
precision, and holds them against the vendor's peaks: a layer takes as long as the slower of the
two (Williams et al., "Roofline", 2009). An upper bound: no kernel reaches its peak, and launches,
copies and the host are left out. What the bound hides most is said on its own: the steps of an LSTM
follow one another, however many lines share them.

Traffic is that of well fused kernels: each convolution, pool and product reads its inputs and
writes its outputs once, and activations, masks and sums happen on the way. An LSTM writes its gates
and reads them again. Weights are read once a batch.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from hwr.engines.tensorrt_buckets import COLUMNS
from hwr.model.flops import layer_flops
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.network import Crnn, ResidualBlock, fold_norms
from hwr.model.weights import load_model

WIDTH = 1024
#: Bytes of a number in half precision.
HALF = 2
#: Assumed, not measured: a step's kernels take about as long as it takes to launch them.
STEP_US = 5.0
BATCHES = (COLUMNS // WIDTH, 64, 256)


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A vendor's data sheet."""

    name: str
    #: Half precision on tensor cores, without sparsity.
    flops_per_s: float
    #: Of its memory.
    bytes_per_s: float


#: NVIDIA's data sheets give FP16 with sparsity, 1,979 and 242 TFLOP/s: half of it is dense.
GPUS = (
    Gpu(name="H100 SXM", flops_per_s=989.5e12, bytes_per_s=3.35e12),
    Gpu(name="L4", flops_per_s=121e12, bytes_per_s=300e9),
)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer's work."""

    #: backbone, sequence or head.
    part: str
    #: Operations a line.
    flops: int
    #: Memory traffic a line, weights left out.
    bytes: int
    #: Bytes of weights, read once a batch.
    weights: int

    def seconds(self, gpu: Gpu, lines: int) -> float:
        """Time for a batch of `lines` at the peak of `gpu`."""
        traffic = self.bytes * lines + self.weights
        return max(self.flops * lines / gpu.flops_per_s, traffic / gpu.bytes_per_s)


def main() -> None:
    """Print the work of each part, then what it bounds."""
    network = fold_norms(load_model().network)
    layers = count_layers(network)
    sys.stdout.write(f"| part | GFLOP | MB | FLOP/byte |{columns('{} µs')}\n")
    sys.stdout.write(f"|---|---|---|---|{'---|' * len(GPUS)}\n")
    for part in ("backbone", "sequence", "head"):
        write_row(part, [layer for layer in layers if layer.part == part])
    write_row("line", layers)
    steps = network.config.layers * WIDTH // network.config.stride
    sys.stdout.write(f"\n{steps} steps one after another, {STEP_US:.0f} µs each (assumed)\n\n")
    sys.stdout.write(f"| batch | {columns('{} lines/s')} steps alone, lines/s |\n")
    sys.stdout.write(f"|---|{'---|' * len(GPUS)}---|\n")
    for lines in BATCHES:
        bounds = " | ".join(f"{pace(layers, gpu, lines):,.0f}" for gpu in GPUS)
        alone = lines / (steps * STEP_US * 1e-6)
        sys.stdout.write(f"| {lines} | {bounds} | {alone:,.0f} |\n")


def columns(title: str) -> str:
    return "".join(f" {title.format(gpu.name)} |" for gpu in GPUS)


def write_row(name: str, layers: list[Layer]) -> None:
    flops = sum(layer.flops for layer in layers)
    traffic = sum(layer.bytes for layer in layers)
    lines = BATCHES[0]
    times = " | ".join(f"{1e6 / pace(layers, gpu, lines):.2f}" for gpu in GPUS)
    work = f"{flops / 1e9:.3f} | {traffic / 1e6:.2f} | {flops / traffic:.0f}"
    sys.stdout.write(f"| {name} | {work} | {times} |\n")


def pace(layers: list[Layer], gpu: Gpu, lines: int) -> float:
    """Lines a second in batches of `lines`."""
    return lines / sum(layer.seconds(gpu, lines) for layer in layers)


def count_layers(network: Crnn) -> list[Layer]:
    """The work of each layer on one line of WIDTH pixels."""
    layers: list[Layer] = []
    with torch.inference_mode(), counting(network, layers):
        network(torch.zeros(1, 1, LINE_HEIGHT, WIDTH), torch.tensor([WIDTH]))
    return layers


@contextmanager
def counting(network: Crnn, layers: list[Layer]) -> Iterator[None]:
    """While it lasts, every layer that runs adds its work to `layers`."""
    hooks = []
    for name, module in network.named_modules():
        part = name.partition(".")[0]

        def count(module: nn.Module, inputs: Any, output: Any, part: str = part) -> None:
            traffic = bytes_of(module, inputs[0], output)
            if isinstance(module, ResidualBlock):  # its sum happens in its last convolution
                layers[-1] = replace(layers[-1], bytes=layers[-1].bytes + traffic)
                return
            weights = HALF * sum(p.numel() for p in module.parameters())
            flops = layer_flops(module, output)
            layers.append(Layer(part=part, flops=flops, bytes=traffic, weights=weights))

        if isinstance(module, nn.Conv2d | nn.MaxPool2d | ResidualBlock | nn.LSTM | nn.Linear):
            hooks.append(module.register_forward_hook(count))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def bytes_of(module: nn.Module, first: Any, output: Any) -> int:
    """Memory traffic of one layer that takes `first` and gives `output`."""
    if isinstance(module, nn.LSTM):
        return lstm_bytes(module, first.data.shape[0])
    assert isinstance(output, Tensor)
    if isinstance(module, ResidualBlock):
        return HALF * output.numel()  # what came past it, read where it is added
    assert isinstance(first, Tensor)
    return HALF * (first.numel() + output.numel())


def lstm_bytes(module: nn.LSTM, steps: int) -> int:
    """Of each layer the input, the gates of both directions twice, and the output."""
    hidden = module.hidden_size
    inputs = module.input_size + (module.num_layers - 1) * 2 * hidden
    return HALF * steps * (inputs + module.num_layers * (2 * 2 * 4 * hidden + 2 * hidden))


if __name__ == "__main__":
    main()
