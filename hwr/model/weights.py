"""A model on disk: one safetensors file with weights, network shape and alphabet."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from hwr.errors import ModelError
from hwr.model.alphabet import Alphabet
from hwr.model.network import Crnn, NetworkConfig

#: The model that comes with hwr.
SHIPPED = Path(__file__).with_name("weights") / "hwr-line.safetensors"
#: Training alone uses this head, so the file leaves it out.
_TRAINING_ONLY = "shortcut."


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network ready to read, with what names it in an audit."""

    #: In evaluation mode, float32, on the CPU.
    network: Crnn
    alphabet: Alphabet
    #: First 16 hexadecimal digits of the file's SHA-256.
    hash: str


def save_model(path: Path, network: Crnn, alphabet: Alphabet) -> None:
    """Write `network` to `path` in half precision, replacing what is there in one step."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in network.state_dict().items()
        if not name.startswith(_TRAINING_ONLY)
    }
    metadata = {
        "network": json.dumps(network.config.to_json()),
        "characters": alphabet.characters,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, metadata)
    temporary.replace(path)


def load_model(path: Path | None = None) -> Model:
    """The model in the file `path`, by default the shipped one.

    Raises:
        ModelError: the file is missing, damaged or of another kind.
    """
    path = path or SHIPPED
    try:
        data = path.read_bytes()
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = NetworkConfig.from_json(json.loads(metadata["network"]))
        network = _network(config, tensors)
        alphabet = Alphabet(metadata["characters"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{path} is not a usable model ({error})."
            " Name another with HWR_MODEL, or install hwr again."
        ) from error
    return Model(network=network, alphabet=alphabet, hash=hashlib.sha256(data).hexdigest()[:16])


def _network(config: NetworkConfig, tensors: dict[str, torch.Tensor]) -> Crnn:
    network = Crnn(config)
    state = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
    missing, unexpected = network.load_state_dict(state, strict=False)
    if unexpected or any(not name.startswith(_TRAINING_ONLY) for name in missing):
        raise ValueError("the weights do not fit the network they name")
    return network.eval()
