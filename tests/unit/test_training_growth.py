"""A network made larger reads as before, and all of it learns."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn
from hwr.training.growth import start_from

SMALL = NetworkConfig(classes=5, channels=(4, 6, 8), blocks=(1, 1, 2), hidden=6, layers=2)
LARGE = replace(SMALL, blocks=(2, 1, 4), hidden=10, dropout=0.0)


@pytest.fixture
def small() -> Crnn:
    torch.manual_seed(0)
    network = Crnn(SMALL)
    network.forward_training(ink())  # moves the running means off their first values
    return network.eval()


def ink() -> Tensor:
    return torch.rand(2, 1, 64, 80, generator=torch.Generator().manual_seed(1))


def grown(small: Crnn, config: NetworkConfig = LARGE) -> Crnn:
    network = Crnn(config)
    start_from(network, small.state_dict())
    return network


@torch.no_grad()
def logits(network: Crnn) -> Tensor:
    read: Tensor = network.eval()(ink(), torch.tensor([80, 48]))[0]
    return read


def test_it_reads_and_cuts_as_before(small: Crnn) -> None:
    large = grown(small)
    assert sum(p.numel() for p in large.parameters()) > sum(p.numel() for p in small.parameters())
    torch.testing.assert_close(logits(large), logits(small))
    with torch.no_grad():
        for after, before in zip(
            large.forward_training(ink()), small.forward_training(ink()), strict=True
        ):
            torch.testing.assert_close(after, before)


def test_every_part_learns_within_two_steps(small: Crnn) -> None:
    large = grown(small).train()
    before = {name: value.clone() for name, value in large.named_parameters()}
    optimiser = torch.optim.SGD(large.parameters(), lr=0.1)
    for _ in range(2):  # what is weighed by zero learns once the weight is another
        optimiser.zero_grad()
        sum(part.square().sum() for part in large.forward_training(ink())).backward()  # type: ignore[union-attr]
        optimiser.step()
    still = [name for name, value in large.named_parameters() if torch.equal(value, before[name])]
    assert not still


def test_one_of_the_same_size_takes_the_weights_as_they_are(small: Crnn) -> None:
    same = grown(small, SMALL).state_dict()
    assert all(torch.equal(same[name], value) for name, value in small.state_dict().items())


def test_the_shortcut_head_may_lack(small: Crnn) -> None:
    weights = {k: v for k, v in small.state_dict().items() if not k.startswith("shortcut.")}
    large = Crnn(LARGE)
    start_from(large, weights)
    torch.testing.assert_close(logits(large), logits(small))


@pytest.mark.parametrize(
    "other",
    [
        replace(SMALL, hidden=5),
        replace(SMALL, blocks=(1, 1, 1)),
        replace(SMALL, channels=(4, 6, 10)),
        replace(SMALL, layers=3),
        replace(SMALL, layers=1),
        replace(SMALL, classes=6),
    ],
    ids=str,
)
def test_what_cannot_grow_is_refused(small: Crnn, other: NetworkConfig) -> None:
    with pytest.raises(ValueError, match=r"is missing|no place for|not \("):
        grown(small, other)


@pytest.mark.parametrize("lost", ["backbone.stages.2.1.norm2.weight", "head.classify.bias"])
def test_weights_with_a_gap_are_refused(small: Crnn, lost: str) -> None:
    weights = {name: value for name, value in small.state_dict().items() if name != lost}
    with pytest.raises(ValueError, match=f"{lost} is missing"):
        start_from(Crnn(LARGE), weights)
