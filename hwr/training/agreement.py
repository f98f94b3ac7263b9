"""How differently a network reads two copies of the same lines.

After Yao et al., "CR-CTC: Consistency Regularization on CTC for Improved Speech Recognition" (ICLR
2025): a network that must say the same of both copies leans less on what one copy alone shows, and
is less sure of what it learned by heart.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def disagreement(logits: Tensor, target_lengths: NDArray[np.int64]) -> Tensor:
    """Nats per character between both copies' readings, the mean of both ways.

    `logits` is (2B, T, C), all first copies before all second ones; `target_lengths` is (2B,).
    Each copy learns from the other, as it is read now, and not the other way round.
    """
    first, second = logits.float().log_softmax(2).chunk(2)
    apart = _divergence(first, second) + _divergence(second, first)
    characters = torch.from_numpy(target_lengths[: len(first)]).to(logits.device)
    return (apart / characters.clamp(min=1)).mean() / 2


def _divergence(learner: Tensor, teacher: Tensor) -> Tensor:
    """(B,) Kullback-Leibler divergences, summed over time steps, of (B, T, C) log probabilities."""
    return torch.nn.functional.kl_div(
        learner, teacher.detach(), reduction="none", log_target=True
    ).sum((1, 2))
