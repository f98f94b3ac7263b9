"""Arithmetic is counted layer by layer, and agrees with PyTorch's own count of the convolutions."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from hwr.model.config import NetworkConfig
from hwr.model.flops import flops_per_column
from hwr.model.network import Crnn, fold_norms

WIDTH = 512


def small_network() -> Crnn:
    config = NetworkConfig(classes=7, channels=(4, 6, 8), blocks=(1, 1, 2), hidden=5, layers=2)
    return Crnn(config).eval()


def test_convolutions_and_classifier_agree_with_the_count_of_pytorch() -> None:
    network = small_network()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        features = network.backbone(torch.zeros(1, 1, 64, WIDTH), None)
        network.head(torch.zeros(1, WIDTH // network.config.stride, 10))
    steps = features.shape[1]
    # Four gates a direction; the second layer reads both directions of the first.
    lstm = steps * sum(2 * 2 * 4 * 5 * (inputs + 5) for inputs in (8, 10))
    assert flops_per_column(network) * WIDTH == counter.get_total_flops() + lstm


def test_folding_the_norms_changes_no_count_and_training_mode_is_kept() -> None:
    network = small_network()
    assert flops_per_column(fold_norms(network)) == flops_per_column(network.train())
    assert network.training
