"""The CRNN: residual convolutions, column maximum, bidirectional LSTM, CTC head.

After Retsinas et al., "Best Practices for a Handwritten Text Recognition System" (DAS 2022), made
lighter: fewer and narrower blocks, 64 pixels high. Three modules, so that an engine may compile the
first and the last and keep the recurrent one on a library kernel.

Shapes: B lines, H = 64 and W pixels (W a multiple of 8), C classes, T = W / 4 time steps (or W / 8,
see `NetworkConfig.stride`).
A line reads the same alone and in any batch: features past a line's own width are set to zero
before every convolution, and the LSTM runs over packed sequences.
"""

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from hwr.model.config import NetworkConfig


def width_mask(widths: Tensor, width: int) -> Tensor:
    """(B, 1, 1, width) bool: true inside each line's own width; `widths` is (B,) in columns."""
    columns = torch.arange(width, device=widths.device)
    return (columns[None, :] < widths[:, None])[:, None, None, :]


def _masked(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask.to(x.dtype)


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions around a shortcut; channels may change at the first."""

    foldable = (("conv1", "norm1"), ("conv2", "norm2"))

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)
        self.shortcut = (
            nn.Identity()
            if channels_in == channels_out
            else nn.Conv2d(channels_in, channels_out, 1, bias=False)
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        y = _masked(torch.relu_(self.norm1(self.conv1(x))), mask)
        y = self.norm2(self.conv2(y)) + self.shortcut(x)
        return _masked(torch.relu_(y), mask)


class Backbone(nn.Module):
    """(B, 1, H, W) ink and (B,) widths in pixels → (B, T, F) features."""

    foldable = (("stem", "stem_norm"),)

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        first, *_ = config.channels
        self.stem = nn.Conv2d(1, first, 7, stride=2, padding=3, bias=False)
        self.stem_norm = nn.BatchNorm2d(first)
        self.stages = nn.ModuleList()
        channels_in = first
        for channels, count in zip(config.channels, config.blocks, strict=True):
            widths = [channels_in] + [channels] * count
            self.stages.append(nn.ModuleList(ResidualBlock(a, b) for a, b in pairwise(widths)))
            channels_in = channels
        self.pools = nn.ModuleList(nn.MaxPool2d(shape) for shape in config.pools)
        self.dropout = nn.Dropout2d(config.dropout)

    def forward(self, ink: Tensor, widths: Tensor | None) -> Tensor:
        mask = None if widths is None else width_mask(widths // 2, ink.shape[3] // 2)
        x = _masked(torch.relu_(self.stem_norm(self.stem(ink))), mask)  # (B, c, H/2, W/2)
        for index, stage in enumerate(self.stages):
            if index:
                x = self.dropout(self.pools[index - 1](x))  # (B, c, H/2^(i+1), W/4 or W/8)
                if widths is not None:
                    mask = width_mask(widths * x.shape[3] // ink.shape[3], x.shape[3])
            for block in stage:  # type: ignore[attr-defined]
                x = block(x, mask)
        return x.amax(dim=2).transpose(1, 2)  # (B, T, F): column maximum


class Sequence(nn.Module):
    """(B, T, F) features and (B,) lengths in time steps → (B, T, 2·hidden)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(
            config.channels[-1],
            config.hidden,
            config.layers,
            batch_first=True,
            bidirectional=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )

    def forward(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        if lengths is None:
            output, _ = self.lstm(self.dropout(features))
            return output  # type: ignore[no-any-return]
        packed = pack_padded_sequence(
            self.dropout(features), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        output, _ = self.lstm(packed)
        padded, _ = pad_packed_sequence(output, batch_first=True, total_length=features.shape[1])
        return padded


class Head(nn.Module):
    """(B, T, 2·hidden) → (B, T, C) logits."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.classify = nn.Linear(2 * config.hidden, config.classes)

    def forward(self, sequence: Tensor) -> Tensor:
        logits: Tensor = self.classify(self.dropout(sequence))
        return logits


class Crnn(nn.Module):
    """Backbone, sequence and head, with a CTC shortcut head that only training uses."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config)
        self.sequence = Sequence(config)
        self.head = Head(config)
        self.shortcut = nn.Conv1d(config.channels[-1], config.classes, 3, padding=1)

    def forward(self, ink: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, H, W) ink in 0..1, (B,) int64 widths in pixels → (B, T, C) logits, (B,) steps."""
        lengths = widths // self.config.stride
        return self.head(self.sequence(self.backbone(ink, widths), lengths)), lengths

    def forward_training(self, ink: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, H, W) ink, every line as wide as the batch → two (B, T, C): logits and shortcut's.

        Paper on the right of a line counts as part of it here, so nothing needs a mask.
        """
        features = self.backbone(ink, None)
        logits = self.head(self.sequence(features, None))
        # In bfloat16 its gradient is at times no number, where two threads use AMX (torch 2.13).
        with torch.autocast(features.device.type, enabled=False):
            shortcut = self.shortcut(features.float().transpose(1, 2)).transpose(1, 2)
        return logits, shortcut


def fold_norms(network: Crnn) -> Crnn:
    """A copy for reading alone: batch normalisation is part of the convolutions' weights."""
    folded = copy.deepcopy(network).eval()
    for module in folded.modules():
        if isinstance(module, Backbone | ResidualBlock):
            for conv, norm in module.foldable:
                fused = fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm))
                setattr(module, conv, fused)
                setattr(module, norm, nn.Identity())
    return folded
