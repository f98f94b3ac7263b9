"""Writes the layout network's weights as `hwr.layout` reads them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwr.model.files import write_tensors
from hwr.training.layout.network import LayoutNetwork


def save_weights(path: Path, network: LayoutNetwork) -> None:
    """Write all tensors in 16 bits: the network cannot tell."""
    write_tensors(path, tensors_of(network))


def tensors_of(network: LayoutNetwork) -> dict[str, NDArray[np.float16]]:
    """The tensors by name, without counters."""
    return {
        name: value.detach().numpy().astype(np.float16)
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }
