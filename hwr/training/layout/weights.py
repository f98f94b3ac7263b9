"""The layout network's weights in a file, as `hwr.layout` reads them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

from hwr.errors import TrainingDataError
from hwr.model.files import write_tensors
from hwr.training.layout.network import LayoutNetwork

#: Name of the file in a run's folder.
WEIGHTS = "layout.safetensors"


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


def load_weights(path: Path) -> LayoutNetwork:
    """The network whose weights are in a file, or in the folder of a run.

    Raises:
        TrainingDataError: it holds no weights of such a network.
    """
    path = path / WEIGHTS if path.is_dir() else path
    network = LayoutNetwork()
    counters = {n: v for n, v in network.state_dict().items() if not v.is_floating_point()}
    try:
        network.load_state_dict({**load_file(path), **counters})
    except Exception as error:  # whatever damaged bytes or another network lead to
        raise TrainingDataError(
            f"{path} holds no weights of such a network ({error})."
            " Name a file of weights, or the folder of a run."
        ) from error
    return network
