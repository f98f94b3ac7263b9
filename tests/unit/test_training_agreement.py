"""Two copies of a line in a step, and what they are read differently."""

from math import log
from pathlib import Path

import numpy as np
import pytest
import torch

from hwr.errors import TrainingDataError
from hwr.model.alphabet import Alphabet
from hwr.model.config import NetworkConfig
from hwr.training.agreement import disagreement
from hwr.training.augmentation import augment
from hwr.training.batches import BatchPlan, Sources
from hwr.training.recipe import Recipe
from hwr.training.samples import LineSample
from hwr.training.trainer import Trainer

AB = Alphabet("ab")
SMALL = NetworkConfig(classes=3, channels=(2, 2, 2), blocks=(1, 1, 1), hidden=2, layers=1)


def _bars(*columns: int) -> LineSample:
    picture = np.full((64, 128), 255, np.uint8)
    for column in columns:
        picture[20:50, column : column + 4] = 0
    text = "ab" * len(columns)
    return LineSample(dataset="set", name=text, writer="w", text=text, width=128, load=picture.copy)


def test_copies_differ_and_have_their_ink_in_about_the_same_columns() -> None:
    image = _bars(30, 90).load()
    apart = []
    for seed in range(40):
        first, second = augment(image, np.random.default_rng(seed), copies=2)
        assert first.shape == second.shape
        assert (first != second).any()
        apart.append(abs(_first_bar(first) - _first_bar(second)))
    assert np.median(apart) <= 2, "half a time step"


def _first_bar(image: np.ndarray) -> float:
    """The middle of the ink in the left half, in columns."""
    left = 255.0 - image[:, : image.shape[1] // 2]
    left[left < 128] = 0
    return float((left.sum(0) * np.arange(left.shape[1])).sum() / max(left.sum(), 1.0))


def test_one_copy_is_what_a_recipe_without_agreement_has() -> None:
    sources = Sources(real=[_bars(30), _bars(20, 90)], hands=[], fonts=[])
    for agreement, copies in ((0.0, 1), (0.2, 2)):
        recipe = Recipe(columns=900, pool=12, hands=0, fonts=0, agreement=agreement)
        batches = list(BatchPlan(sources, recipe, AB).batches_in(0))
        assert sum(len(batch.lines) for batch in batches) == 12 * copies
        for batch in batches:
            halves = np.split(batch.target_lengths, copies)
            assert all((half == halves[0]).all() for half in halves)
            codes = np.split(batch.targets, copies)
            assert all((own == codes[0]).all() for own in codes)
            assert len(batch.lines) == copies or batch.lines.size / 64 <= 900


def test_copies_read_alike_disagree_in_nothing() -> None:
    logits = torch.randn(2, 5, 3)
    assert float(disagreement(torch.cat([logits, logits]), np.array([2, 1] * 2))) == 0


def test_disagreement_is_the_mean_of_both_divergences_a_character() -> None:
    # One step, two classes: (0.5, 0.5) against (0.25, 0.75).
    logits = torch.tensor([[[0.5, 0.5]], [[0.25, 0.75]]]).log()
    there = 0.5 * log(0.5 / 0.25) + 0.5 * log(0.5 / 0.75)
    back = 0.25 * log(0.25 / 0.5) + 0.75 * log(0.75 / 0.5)
    value = float(disagreement(logits, np.array([4, 4])))
    assert value == pytest.approx((there + back) / 2 / 4)


def test_disagreement_draws_both_copies_to_each_other() -> None:
    logits = torch.tensor([[[0.5, 0.5]], [[0.25, 0.75]]]).log().requires_grad_()
    disagreement(logits, np.array([1, 1])).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad[0, 0, 0] > 0 > logits.grad[1, 0, 0]


def test_a_run_with_agreement_goes_on_with_it_alone(tmp_path: Path) -> None:
    recipe = Recipe(steps=2, columns=900, pool=4, hands=0, fonts=0, agreement=0.5)
    plan = BatchPlan(Sources(real=[_bars(30)], hands=[], fonts=[]), recipe, AB)
    Trainer(tmp_path, recipe, SMALL, AB).run(plan)
    with pytest.raises(TrainingDataError, match=r"agreement is 0\.5"):
        Trainer(tmp_path, Recipe(columns=900, pool=4, hands=0, fonts=0), SMALL, AB)
