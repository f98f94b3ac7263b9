"""The shape of a network: what must be known to build it, in PyTorch or elsewhere."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

_STRIDES = (4, 8)
#: Of networks whose record does not say.
_FIRST_STRIDE = 8


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The shape of a network; stored with its weights."""

    #: CTC classes, the blank included.
    classes: int
    #: Channels of the three stages.
    channels: tuple[int, int, int] = (32, 64, 128)
    #: Residual blocks of the three stages.
    blocks: tuple[int, int, int] = (1, 2, 5)
    #: Pixels of width that become one time step: 8, or 4 where the last stage keeps its width.
    stride: int = 4
    #: Units of the LSTM in each direction.
    hidden: int = 256
    #: Layers of the LSTM.
    layers: int = 2
    #: Share of features dropped between stages while training.
    dropout: float = 0.05

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "NetworkConfig":
        """The record that `to_json` wrote."""
        lists: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        config = cls(**{"stride": _FIRST_STRIDE} | lists)
        if type(config.stride) is not int or config.stride not in _STRIDES:
            raise ValueError(f"a time step of {config.stride!r} pixels; it is one of {_STRIDES}")
        return config

    @property
    def pools(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Height and width of the maximum before the second and before the last stage."""
        return (2, 2), (2, self.stride // 4)

    def residual_blocks(self) -> list[tuple[str, int, int]]:
        """Of each residual block its name in the weights, channels in and channels out."""
        blocks, channels_in = [], self.channels[0]
        for stage, (channels, count) in enumerate(zip(self.channels, self.blocks, strict=True)):
            widths = pairwise([channels_in] + [channels] * count)
            blocks += [(f"backbone.stages.{stage}.{i}", *pair) for i, pair in enumerate(widths)]
            channels_in = channels
        return blocks

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor of weights or statistics that reading needs."""
        first, *_, last = self.channels
        shapes: dict[str, tuple[int, ...]] = {"backbone.stem.weight": (first, 1, 7, 7)}
        shapes |= _norm("backbone.stem_norm", first)
        for name, channels_in, channels_out in self.residual_blocks():
            shapes |= _block(name, channels_in, channels_out)
        for layer in range(self.layers):
            shapes |= _lstm(layer, 2 * self.hidden if layer else last, self.hidden)
        shapes["head.classify.weight"] = (self.classes, 2 * self.hidden)
        shapes["head.classify.bias"] = (self.classes,)
        return shapes

    def training_tensors(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of what reading does without: the CTC shortcut head's tensors."""
        return {
            "shortcut.weight": (self.classes, self.channels[-1], 3),
            "shortcut.bias": (self.classes,),
        }


def _norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts}


def _block(name: str, channels_in: int, channels_out: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        f"{name}.conv1.weight": (channels_out, channels_in, 3, 3),
        f"{name}.conv2.weight": (channels_out, channels_out, 3, 3),
    }
    if channels_in != channels_out:
        shapes[f"{name}.shortcut.weight"] = (channels_out, channels_in, 1, 1)
    return shapes | _norm(f"{name}.norm1", channels_out) | _norm(f"{name}.norm2", channels_out)


def _lstm(layer: int, size: int, hidden: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for end in (f"l{layer}", f"l{layer}_reverse"):
        shapes[f"sequence.lstm.weight_ih_{end}"] = (4 * hidden, size)
        shapes[f"sequence.lstm.weight_hh_{end}"] = (4 * hidden, hidden)
        shapes[f"sequence.lstm.bias_ih_{end}"] = (4 * hidden,)
        shapes[f"sequence.lstm.bias_hh_{end}"] = (4 * hidden,)
    return shapes
