"""Real lines that nothing can be learned from are named."""

import numpy as np
import pytest

from hwr.errors import TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.training.batches import BatchPlan, Sources
from hwr.training.learnable import learnable
from hwr.training.recipe import Recipe
from hwr.training.samples import LineSample

ALPHABET = Alphabet(DEFAULT_CHARACTERS)


def line(text: str, width: int) -> LineSample:
    return LineSample(
        dataset="set",
        name=f"{width}.png",
        writer="w",
        text=text,
        width=width,
        load=lambda: np.full((64, width), 255, np.uint8),
    )


@pytest.mark.parametrize(
    ("text", "width", "reason"),
    [
        ("good", 1_800, None),
        ("good", 1_801, "it is 1,801 wide, more than 1,800"),
        ("Привет", 300, "nothing of its text is in the alphabet"),
        ("abcd", 16, None),
        ("abcde", 16, "too narrow for 5 characters"),
        ("abcc", 16, "too narrow for 4 characters"),
    ],
)
def test_lines_that_teach_nothing_are_named(
    text: str, width: int, reason: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    whole, other = line("whole", 400), line(text, width)
    kept = learnable([whole, other], 1_800, ALPHABET)
    assert kept == ([whole] if reason else [whole, other])
    if reason:
        assert f"set: {width}.png is not trained on: " in caplog.text
        assert reason in caplog.text
        assert "1 of 2 lines are not trained on" in caplog.text
    else:
        assert not caplog.records


def test_a_run_of_such_lines_alone_does_not_begin() -> None:
    sources = Sources(real=[line("wide", 2_000)], hands=[], fonts=[])
    with pytest.raises(TrainingDataError, match="None of the lines can be trained on"):
        BatchPlan(sources, Recipe(), ALPHABET)
