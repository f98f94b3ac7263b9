"""Writes the layout network's weights as `hwr.layout` reads them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from hwr.model.files import replacing
from hwr.training.layout.network import LayoutNetwork


def save_weights(path: Path, network: LayoutNetwork) -> None:
    """Write all tensors in 16 bits: the network cannot tell."""
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors_of(network)))


def tensors_of(network: LayoutNetwork) -> dict[str, NDArray[np.float16]]:
    """The tensors by name, without counters."""
    return {
        name: np.ascontiguousarray(value.detach().numpy().astype(np.float16))
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }
