"""A model on disk: one safetensors file with weights, network shape and alphabet.

Loading takes no PyTorch: an engine that does without it starts in a fraction of the time.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from hwr.errors import ModelError
from hwr.model.alphabet import Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.files import write_tensors

if TYPE_CHECKING:
    from hwr.model.network import Crnn

#: The model that comes with hwr.
SHIPPED = Path(__file__).with_name("weights") / "hwr-line.safetensors"

Tensors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Model:
    """Weights ready to be read with, and what names them in an audit."""

    #: The file they came from.
    path: Path
    config: NetworkConfig
    #: What `config.tensors()` names, in float32; of most, `config.training_tensors()` too.
    tensors: Tensors
    alphabet: Alphabet
    #: First 16 hexadecimal digits of the file's SHA-256.
    hash: str

    @cached_property
    def network(self) -> "Crnn":
        """The PyTorch network with these weights: evaluation mode, float32, on the CPU."""
        import torch

        from hwr.model.network import Crnn

        network = Crnn(self.config)
        state = {name: torch.from_numpy(values) for name, values in self.tensors.items()}
        network.load_state_dict(state, strict=False)
        return network.eval()


def save_model(path: Path, network: "Crnn", alphabet: Alphabet) -> None:
    """Write `network` to `path` in half precision, replacing what is there in one step."""
    state, config = network.state_dict(), network.config
    names = [*config.tensors(), *config.training_tensors()]
    tensors = {name: state[name].half().numpy(force=True) for name in names}
    metadata = {
        "network": json.dumps(network.config.to_json()),
        "characters": alphabet.characters,
    }
    write_tensors(path, tensors, metadata)


def load_model(path: Path | None = None) -> Model:
    """The model in the file `path`, by default the shipped one.

    Raises:
        ModelError: the file is missing, damaged or of another kind.
    """
    path = path or SHIPPED
    try:
        data = path.read_bytes()
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = NetworkConfig.from_json(json.loads(metadata["network"]))
        return Model(
            path=path,
            config=config,
            tensors=_fitting(config, tensors),
            alphabet=Alphabet(metadata["characters"]),
            hash=hashlib.sha256(data).hexdigest()[:16],
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} is not a usable model ({error})."
            " Name another with HWR_MODEL, or install hwr again."
        ) from error


def _fitting(config: NetworkConfig, tensors: dict[str, NDArray[np.generic]]) -> Tensors:
    """`tensors` in float32, which are those of the network, with or without its training's."""
    wanted, training = config.tensors(), config.training_tensors()
    if not training.keys().isdisjoint(tensors):
        wanted |= training
    found = {name: tensor.shape for name, tensor in tensors.items() if tensor.dtype.kind == "f"}
    if found != wanted:
        different = sorted(n for n in found | wanted if found.get(n) != wanted.get(n))
        raise ValueError(f"the weights do not fit the network they name: {different[0]}")
    # Some engines make zeros of these, and would read nonsense without a word.
    if wild := sorted(name for name in wanted if not np.isfinite(tensors[name]).all()):
        raise ValueError(f"{wild[0]} holds values that are no numbers")
    return {name: tensors[name].astype(np.float32) for name in wanted}
