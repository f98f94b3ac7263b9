"""Models that were never in a file."""

from pathlib import Path

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.network import Crnn
from hwr.model.weights import Model


def model_of(network: Crnn) -> Model:
    """The model that a file with the weights of `network` would give, without its rounding."""
    state = network.state_dict()
    return Model(
        path=Path("memory.safetensors"),
        config=network.config,
        tensors={name: state[name].numpy() for name in network.config.tensors()},
        alphabet=Alphabet(DEFAULT_CHARACTERS[: network.config.classes - 1]),
        hash="0" * 16,
    )
