"""The network that finds lines, as it is trained; `hwr.layout.graph` runs it without torch.

A U-Net (Ronneberger et al., 2015) with sums in place of concatenations. It answers as ParseNet does
(Kodym and Hradiš, "Page Layout Analysis System for Unconstrained Historic Documents", ICDAR 2021):
where baselines run, where they end, and how far their line reaches up and down.
"""

import torch
from torch import Tensor, nn

from hwr.layout.maps import ACROSS

#: Channels of each level; a level is half as high and wide as the one before.
CHANNELS = (16, 32, 48, 64, 64)
#: Convolutions of each level on the way down, beside the one that halves.
DEPTHS = (0, 0, 1, 1, 2)


class LayoutNetwork(nn.Module):
    """Ink (B, ACROSS, H, W) in 0..1 → logits of baselines and ends, and logarithms of heights.

    H and W are multiples of 2 ** (levels - 1). A channel holds every ACROSS-th column of pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        levels = range(1, len(CHANNELS))
        self.stem = convolution(ACROSS, CHANNELS[0])
        self.down = nn.ModuleList(_level(level) for level in levels)
        self.across = nn.ModuleList(
            nn.Conv2d(CHANNELS[level], CHANNELS[level - 1], 1) for level in levels
        )
        self.up = nn.ModuleList(
            convolution(CHANNELS[level - 1], CHANNELS[level - 1]) for level in levels
        )
        self.marks = nn.Conv2d(CHANNELS[0], 2, 1)
        self.heights = nn.Conv2d(CHANNELS[1], 2, 1)

    def forward(self, ink: Tensor) -> tuple[Tensor, Tensor]:
        """Marks (B, 2, H, W): baseline, end; heights (B, 2, H / 2, W / 2): up, down."""
        kept = [self.stem(ink)]
        for level in self.down:
            kept.append(level(kept[-1]))
        x = kept.pop()
        heights = x
        for across, up, skipped in zip(
            reversed(self.across), reversed(self.up), reversed(kept), strict=True
        ):
            heights = x
            x = up(nn.functional.interpolate(across(x), scale_factor=2.0) + skipped)
        return self.marks(x), self.heights(heights)


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3 × 3, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _level(level: int) -> nn.Sequential:
    inner = (convolution(CHANNELS[level], CHANNELS[level]) for _ in range(DEPTHS[level]))
    return nn.Sequential(convolution(CHANNELS[level - 1], CHANNELS[level], 2), *inner)


def parameters(network: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def deterministic(seed: int) -> LayoutNetwork:
    """A new network, the same for the same seed."""
    torch.manual_seed(seed)
    return LayoutNetwork()
