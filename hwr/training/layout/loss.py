"""How wrong the network's maps are."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from hwr.layout.maps import MISSED
from hwr.training.layout.batches import Batch
from hwr.training.layout.recipe import LayoutRecipe


def loss_of(marks: Tensor, heights: Tensor, batch: Batch, recipe: LayoutRecipe) -> Tensor:
    """Cross-entropy of the soft marks, and the absolute error of the logarithms of heights."""
    weights = torch.from_numpy(MISSED).view(1, 2, 1, 1)
    entropy = binary_cross_entropy_with_logits(
        marks.float(), batch.marks, reduction="none", pos_weight=weights
    )
    counted = batch.counted[:, None]
    baselines, ends = ((entropy * counted).sum((0, 2, 3)) / counted.sum()).unbind()
    known = batch.known[:, None]
    error = ((heights.float() - batch.heights).abs() * known).sum() / known.sum().clamp(min=1)
    return baselines + recipe.ends * ends + recipe.heights * error
