"""The mean of the weights of several models."""

from pathlib import Path

import pytest
import torch

from hwr.errors import ModelError
from hwr.model.alphabet import Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn
from hwr.model.weights import Model, load_model, save_model
from hwr.training.averaging import mean


def _model(path: Path, value: float, characters: str = "ab") -> Model:
    alphabet = Alphabet(characters)
    network = Crnn(NetworkConfig(classes=alphabet.classes))
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(value)
    save_model(path, network, alphabet)
    return load_model(path)


@pytest.mark.parametrize("shares", [[3.0, 1.0], [1.5e308, 0.5e308]])
def test_weights_are_averaged_by_share(shares: list[float], tmp_path: Path) -> None:
    models = [_model(tmp_path / "a", 1.0), _model(tmp_path / "b", 3.0)]
    averaged = mean(models, shares)
    path = tmp_path / "mean"
    save_model(path, averaged, models[0].alphabet)
    for name, values in load_model(path).tensors.items():
        assert values == pytest.approx(1.5), name
    assert load_model(path).tensors.keys() == models[0].tensors.keys()


def test_a_model_averaged_alone_is_itself(tmp_path: Path) -> None:
    model = _model(tmp_path / "a", 0.25)
    save_model(tmp_path / "same", mean([model], [7.0]), model.alphabet)
    assert load_model(tmp_path / "same").hash == model.hash


def test_models_of_other_alphabets_are_not_averaged(tmp_path: Path) -> None:
    models = [_model(tmp_path / "a", 1.0), _model(tmp_path / "b", 1.0, characters="abc")]
    with pytest.raises(ModelError, match="another network or alphabet"):
        mean(models, [1.0, 1.0])


def test_a_model_without_the_shortcut_head_is_named(tmp_path: Path) -> None:
    model = _model(tmp_path / "a", 1.0)
    for name in model.config.training_tensors():
        del model.tensors[name]
    with pytest.raises(ModelError, match="lacks the shortcut head"):
        mean([model], [1.0])
