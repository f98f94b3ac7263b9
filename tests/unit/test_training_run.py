"""What a run shows and when it ends: early stopping, the bar, TensorBoard's curves."""

import io
import json
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from hwr.errors import TrainingStopped
from hwr.model.alphabet import Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn
from hwr.training.batches import BatchPlan, Sources
from hwr.training.checkpoints import save_checkpoint
from hwr.training.curves import Curves
from hwr.training.interruption import Interruption
from hwr.training.progress import ProgressBar
from hwr.training.recipe import Recipe
from hwr.training.samples import Grey, LineSample
from hwr.training.stopping import EarlyStopping
from hwr.training.trainer import Trainer

AB = Alphabet("ab")
SMALL = NetworkConfig(classes=3, channels=(2, 2, 2), blocks=(1, 1, 1), hidden=2, layers=1)


def test_training_ends_when_validation_has_not_become_better_for_long_enough() -> None:
    stopping = EarlyStopping(patience=2)
    told = [stopping.improved({"x": cer, "y": 0.2}) for cer in (0.5, 0.3, 0.4)]
    assert told == [True, True, False]
    assert not stopping.due
    resumed = EarlyStopping(patience=2)
    resumed.restore(stopping.state())
    assert not resumed.improved({"x": 0.3, "y": 0.2}), "as good is not better"
    assert resumed.due


def test_without_patience_training_never_ends_early_and_without_sets_the_last_is_best() -> None:
    stopping = EarlyStopping(patience=0)
    assert [stopping.improved({"x": cer}) for cer in (0.1, 0.2, 0.3)] == [True, False, False]
    assert not stopping.due
    assert stopping.improved({})
    old = EarlyStopping(patience=1)
    old.restore({})
    assert not old.due


def test_a_run_keeps_its_best_weights_and_stops(tmp_path: Path) -> None:
    scores, seen = iter([0.4, 0.2, 0.3, 0.3, 0.1]), []

    def validate(network: Crnn) -> dict[str, float]:
        seen.append((tmp_path / "model.safetensors").exists() and model_bytes(tmp_path))
        return {"drawn": next(scores)}

    recipe = Recipe(steps=10, columns=600, pool=2, patience=2, hands=0, fonts=0)
    plan = BatchPlan(Sources(real=[drawn()], hands=[], fonts=[]), recipe, AB)
    for until in (3, 10):  # the second half goes on from the checkpoint of the first
        Trainer(tmp_path, recipe, SMALL, AB, validate).run(plan, until=until, every=1)
    rows = [json.loads(row) for row in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [row["drawn"] for row in rows] == [0.4, 0.2, 0.3, 0.3]
    assert seen[0] is False
    assert seen[1] != seen[2], "the second validation was the best"
    assert seen[2] == seen[3] == model_bytes(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_end_keeps_what_it_has_learnt(tmp_path: Path, number: int) -> None:
    recipe = Recipe(steps=6, columns=600, pool=2, hands=0, fonts=0)
    asked, whole = tmp_path / "asked", tmp_path / "whole"
    plan = BatchPlan(Sources(real=[drawn(Asking(number, at=5))], hands=[], fonts=[]), recipe, AB)
    # A shell has what it runs in the background ignore SIGINT.
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(TrainingStopped, match="step 3"):
            Trainer(asked, recipe, SMALL, AB).run(plan)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    undisturbed = BatchPlan(Sources(real=[drawn()], hands=[], fonts=[]), recipe, AB)
    for folder in (asked, whole):
        Trainer(folder, recipe, SMALL, AB).run(undisturbed)
    assert model_bytes(asked) == model_bytes(whole)


def test_a_checkpoint_that_finds_no_room_is_an_error_of_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"step": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
        with pytest.raises(OSError, match="large"):
            save_checkpoint(path, {"weights": torch.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert torch.load(path, weights_only=True) == {"step": 1}


def test_what_ignores_ctrl_c_goes_on_ignoring_it() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGINT)
        assert not interruption.asked
    finally:
        signal.signal(signal.SIGINT, before)


def test_where_no_line_is_short_training_begins_with_long_ones() -> None:
    recipe = Recipe(short_width=100, pool=4, hands=0, fonts=0)
    plan = BatchPlan(Sources(real=[drawn()], hands=[], fonts=[]), recipe, AB)
    assert sum(len(batch.lines) for batch in plan.batches_in(0)) == 4


def test_a_step_holds_no_more_than_its_columns_padding_and_distortion_counted() -> None:
    recipe = Recipe(columns=600, pool=40, hands=0, fonts=0)
    plan = BatchPlan(Sources(real=[drawn()], hands=[], fonts=[]), recipe, AB)
    batches = list(plan.batches_in(0))
    assert sum(len(batch.lines) for batch in batches) == 40
    areas = [(len(batch.lines), batch.lines.shape[2]) for batch in batches]
    assert all(count == 1 or count * width <= 600 for count, width in areas)
    assert max(count for count, _ in areas) >= 3


def model_bytes(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def picture() -> Grey:
    image = np.full((64, 128), 255, np.uint8)
    image[20:50, 30:34] = 0
    return image


def drawn(load: Callable[[], Grey] = picture) -> LineSample:
    return LineSample(dataset="drawn", name="x", writer="w", text="ab", width=128, load=load)


class Asking:
    """A picture that sends this process a signal when it is loaded for the `at`th time."""

    def __init__(self, number: int, at: int) -> None:
        self.number, self.left = number, at

    def __call__(self) -> Grey:
        self.left -= 1
        if not self.left:
            signal.raise_signal(self.number)
        return picture()


def test_the_bar_tells_steps_and_lines_a_second_on_a_terminal_only() -> None:
    shown, hidden = io.StringIO(), io.StringIO()
    for file, terminal in ((shown, True), (hidden, False)):
        console = Console(file=file, force_terminal=terminal, width=120)
        with ProgressBar(5, 8, console=console) as bar:
            bar.advance(lines=16, loss=1.25)
            assert bar.lines_s > 0
    assert "6/8" in shown.getvalue()
    assert "lines/s  loss 1.250" in shown.getvalue()
    assert "6/8" not in hidden.getvalue()


def test_curves_go_to_tensorboard_where_it_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    curves = Curves(tmp_path)
    curves.training(100, {"loss": 2.5})
    curves.validation(100, 0.1, 2.5, {"drawn": 0.5})
    curves.close()
    (events,) = (tmp_path / "tensorboard").iterdir()
    assert b"training/loss" in events.read_bytes()
    assert b"cer/drawn" in events.read_bytes()
    assert json.loads((tmp_path / "curve.jsonl").read_text())["drawn"] == 0.5


def test_a_missing_tensorboard_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    curves = Curves(tmp_path)
    curves.training(100, {"loss": 2.5})
    curves.validation(100, 0.1, 2.5, {})
    curves.close()
    assert [path.name for path in tmp_path.iterdir()] == ["curve.jsonl"]
