"""Packs, drawn lines, and a run that resumes exactly. All data is drawn here."""

import json
import multiprocessing
import random
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwr.errors import TrainingDataError, TrainingDiverged
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.weights import load_model
from hwr.training import texts
from hwr.training.batches import BatchPlan, Sources
from hwr.training.datasets.packs import pack_names, read_pack
from hwr.training.letters import Hand, Letter
from hwr.training.loaders import batches_of
from hwr.training.recipe import Recipe
from hwr.training.samples import decode_grey
from hwr.training.trainer import Trainer, load_averaged

ALPHABET = Alphabet(DEFAULT_CHARACTERS)
SMALL = NetworkConfig(classes=ALPHABET.classes, channels=(4, 8, 8), hidden=8, layers=2)
PROSE = texts.Prose.of(["The old man\nwas tired,", "and went home."])
RECIPE = Recipe(steps=20, columns=1_600, pool=12, warmup=2, short_pools=1, fonts=0.0)


def draw_line(text: str) -> np.ndarray:
    image = np.full((64, 24 * len(text) + 16), 255, np.uint8)
    cv2.putText(image, text, (8, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2)
    return image


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return pack(tmp_path / "lines")


def pack(folder: Path) -> Path:
    """A folder with one pack: ten lines, one damaged, one missing."""
    folder.mkdir()
    rows = ["path\ttext\twriter\tsplit"]
    with zipfile.ZipFile(folder / "drawn.zip", "w") as archive:
        for index in range(10):
            text = f"line {index}"
            _, data = cv2.imencode(".jpg", draw_line(text))
            archive.writestr(f"{index}.jpg", data.tobytes())
            rows.append(f"{index}.jpg\t{text}\tw{index}\t{'val' if index > 7 else 'train'}")
        archive.writestr("bad.jpg", b"not a picture")
    rows += ["bad.jpg\tx\tw\ttrain", "gone.jpg\tx\tw\ttrain"]
    (folder / "drawn.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def hand() -> Hand:
    """A hand whose letters are all boxes."""
    box = np.array([(0, 0), (0.8, 0), (0.8, -1), (0, -1), (0, 0)])
    letter = Letter(strokes=(box,), width=0.8, entry=(0, 0), exit=(0.8, 0))
    return Hand(writer="w", letters=dict.fromkeys(DEFAULT_CHARACTERS, (letter,)))


def test_a_pack_gives_its_lines_and_names_its_broken_records(
    lines: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert pack_names(lines) == ["drawn"]
    samples = read_pack(lines, "drawn", "train")
    assert [sample.text for sample in samples] == [f"line {i}" for i in range(8)]
    assert samples[0].load().shape == (64, samples[0].width)
    assert "bad.jpg left out" in caplog.text
    assert "gone.jpg left out" in caplog.text


def test_a_folder_without_packs_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="no line pack"):
        pack_names(tmp_path)


def test_prose_gives_words_in_their_order() -> None:
    rng = Random(1)
    for line in (PROSE.line(rng) for _ in range(20)):
        assert f" {line} " in f" {' '.join(PROSE.words)} "


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_drawn_text_can_be_written(seed: int) -> None:
    text = texts.line_text(Random(seed), PROSE)
    assert text.strip()
    assert ALPHABET.fold(text) == " ".join(text.split())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "zero"),
        (15, "fifteen"),
        (40, "forty"),
        (101, "one hundred one"),
        (92_317, "ninety-two thousand three hundred seventeen"),
    ],
)
def test_numbers_in_words(value: int, said: str) -> None:
    assert texts.number_words(value) == said


def test_numbers_in_words_as_the_british_and_indians_say_them() -> None:
    assert texts.number_words(2_130, " and ") == "two thousand one hundred and thirty"
    assert texts.number_words(758_000) == "seven hundred fifty-eight thousand"
    assert texts.number_words(758_001, " and ", texts.LAKHS) == (
        "seven lakh fifty-eight thousand and one"
    )


def run(
    folder: Path,
    lines: Path,
    until: int,
    *,
    recipe: Recipe = RECIPE,
    start: Mapping[str, torch.Tensor] | None = None,
    loaders: int = 0,
) -> Trainer:
    sources = Sources(real=read_pack(lines, "drawn", "train"), hands=[hand()], fonts=[])
    trainer = Trainer(folder, recipe, SMALL, ALPHABET, start=start)
    trainer.run(BatchPlan(sources, recipe, ALPHABET), until=until, every=10, loaders=loaders)
    return trainer


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 20 steps that never stopped; lines/ beside it."""
    folder = tmp_path_factory.mktemp("straight")
    run(folder / "run", pack(folder / "lines"), 20)
    return folder


def checkpoint(folder: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(folder / "checkpoint.pt", weights_only=True)
    return state


def losses(folder: Path) -> list[float]:
    rows = (folder / "curve.jsonl").read_text().splitlines()
    return [json.loads(row)["loss"] for row in rows]


def test_a_run_that_stops_and_resumes_ends_with_equal_weights(
    straight: Path, tmp_path: Path
) -> None:
    run(tmp_path, straight / "lines", 10)
    # Another process would have other generators.
    torch.manual_seed(77)
    np.random.seed(77)
    random.seed(77)
    run(tmp_path, straight / "lines", 20)
    ends = checkpoint(straight / "run"), checkpoint(tmp_path)
    for part in ("step", "positions", "network", "average", "optimiser"):
        torch.testing.assert_close(ends[0][part], ends[1][part], rtol=0, atol=0)
    one, two = (losses(folder) for folder in (straight / "run", tmp_path))
    assert one == two
    assert len(one) == 2
    assert load_model(tmp_path / "model.safetensors").alphabet == ALPHABET


def test_gradients_that_are_no_numbers_stop_a_run_before_its_weights(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "run", lines, 10)
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    whole = Trainer._loss
    monkeypatch.setattr(Trainer, "_loss", lambda self, batch: whole(self, batch) * float("nan"))
    with pytest.raises(TrainingDiverged, match="step 10"):
        run(tmp_path / "run", lines, 20)
    monkeypatch.undo()
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before
    run(tmp_path / "run", lines, 20)
    assert checkpoint(tmp_path / "run")["step"] == 20


@pytest.mark.parametrize("forgotten", ["positions", "optimiser", "average"])
def test_nothing_of_a_checkpoint_may_be_forgotten(
    straight: Path, tmp_path: Path, forgotten: str
) -> None:
    run(tmp_path, straight / "lines", 10)
    state = checkpoint(tmp_path)
    state[forgotten] = {
        "positions": [(0, 0)],
        "optimiser": {**state["optimiser"], "state": {}},
        "average": state["network"],
    }[forgotten]
    torch.save(state, tmp_path / "checkpoint.pt")
    run(tmp_path, straight / "lines", 20)
    wanted, found = checkpoint(straight / "run"), checkpoint(tmp_path)
    assert any(
        not torch.equal(tensor, found["average"][name])
        for name, tensor in wanted["average"].items()
    )


def test_training_lowers_the_loss(tmp_path: Path, lines: Path) -> None:
    recipe = Recipe(steps=60, columns=1_600, pool=8, rate=5e-3, warmup=5, hands=0, fonts=0)
    sources = Sources(real=read_pack(lines, "drawn", "train"), hands=[], fonts=[])
    trainer = Trainer(tmp_path, recipe, SMALL, ALPHABET)
    trainer.run(BatchPlan(sources, recipe, ALPHABET), every=5)
    curve = (tmp_path / "curve.jsonl").read_text()
    losses = [json.loads(row)["loss"] for row in curve.splitlines()]
    assert losses[-1] < 0.7 * losses[0]


def test_a_run_starts_from_the_averaged_weights_of_an_earlier_one(
    tmp_path: Path, lines: Path
) -> None:
    run(tmp_path / "first", lines, 10)
    earlier = load_averaged(tmp_path / "first")
    second = Trainer(tmp_path / "second", RECIPE, SMALL, ALPHABET, start=earlier.state_dict())
    for a, b in zip(earlier.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("data", [None, b"", b"not a checkpoint"])
def test_a_folder_without_a_checkpoint_is_named(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "checkpoint.pt").write_bytes(data)
    with pytest.raises(TrainingDataError, match="Name the folder of a run"):
        load_averaged(tmp_path)


def resumable() -> dict[str, Any]:
    """What a run must find, of no run at all."""
    empty: dict[str, Any] = {}
    return {"network": empty, "average": empty, "optimiser": empty, "positions": [(0, 0)]}


@pytest.mark.parametrize("state", [[1, 2], 7, {"network": 1}, resumable()])
def test_a_foreign_checkpoint_is_named_when_a_run_goes_on(tmp_path: Path, state: object) -> None:
    torch.save(state, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingDataError, match=r"cannot go on from checkpoint\.pt"):
        Trainer(tmp_path, RECIPE, SMALL, ALPHABET)


def test_a_cut_checkpoint_is_named_when_a_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save(resumable(), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(TrainingDataError, match=r"directory\)\. Begin one in another folder"):
        Trainer(tmp_path, RECIPE, SMALL, ALPHABET)


def test_loaders_change_nothing_of_a_run(straight: Path, tmp_path: Path) -> None:
    run(tmp_path, straight / "lines", 10, loaders=2)
    run(tmp_path, straight / "lines", 20, loaders=1)
    ends = checkpoint(straight / "run"), checkpoint(tmp_path)
    for part in ("positions", "average"):
        torch.testing.assert_close(ends[0][part], ends[1][part], rtol=0, atol=0)


def test_a_loader_that_fails_ends_the_run(tmp_path: Path, lines: Path) -> None:
    samples = read_pack(lines, "drawn", "train")
    broken = replace(samples[0], load=partial(decode_grey, b"torn", "torn.jpg"))
    plan = BatchPlan(Sources(real=[broken], hands=[], fonts=[]), RECIPE, ALPHABET)
    with pytest.raises(TrainingDataError, match=r"torn\.jpg"):
        next(batches_of(plan, loaders=1))


def test_frozen_convolutions_stay_as_they_are(tmp_path: Path, lines: Path) -> None:
    run(tmp_path / "first", lines, 10)
    earlier = load_averaged(tmp_path / "first")
    recipe = replace(RECIPE, frozen=True)
    second = run(tmp_path / "second", lines, 10, recipe=recipe, start=earlier.state_dict()).network
    for name, tensor in earlier.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]) == name.startswith("backbone"), name


@pytest.mark.parametrize(
    "change",
    [
        {"columns": 3_200},
        {"frozen": True},
        {"seed": 2},
        {"widest": 900},
        {"short_pools": 0},
        {"weights": {"drawn": 3.0}},
        {"distortions": ()},
    ],
)
def test_a_run_goes_on_with_its_own_recipe_alone(
    straight: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    (tmp_path / "checkpoint.pt").write_bytes((straight / "run" / "checkpoint.pt").read_bytes())
    with pytest.raises(TrainingDataError, match=rf"its {next(iter(change))} is"):
        Trainer(tmp_path, replace(RECIPE, **change), SMALL, ALPHABET)
    Trainer(tmp_path, replace(RECIPE, steps=40), SMALL, ALPHABET)


def test_a_run_from_a_models_weights_is_decided_by_its_seed(straight: Path, tmp_path: Path) -> None:
    model = load_model(straight / "run" / "model.safetensors")
    weights = {name: torch.from_numpy(model.tensors[name]) for name in model.config.tensors()}
    heads = [
        Trainer(tmp_path / name, RECIPE, SMALL, ALPHABET, start=weights).network.shortcut.weight
        for name in "ab"
    ]
    assert torch.equal(heads[0], heads[1])


def test_a_killed_loader_is_named(tmp_path: Path, lines: Path) -> None:
    sources = Sources(real=read_pack(lines, "drawn", "train"), hands=[], fonts=[])
    batches = batches_of(BatchPlan(sources, RECIPE, ALPHABET), loaders=1)
    next(batches)
    for child in multiprocessing.active_children():
        child.kill()
    with pytest.raises(TrainingDataError, match="A loader ended before its work"):
        [next(batches) for _ in range(100)]


@pytest.mark.parametrize("change", [{"layers": 3}, {"blocks": (2, 2, 3)}, {"hidden": 4}])
def test_a_run_starts_only_from_all_layers_that_read(
    straight: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    weights = load_averaged(straight / "run").state_dict()
    with pytest.raises(TrainingDataError, match="do not fit"):
        Trainer(tmp_path, RECIPE, replace(SMALL, **change), ALPHABET, start=weights)


def test_a_run_may_start_from_one_with_other_time_steps(tmp_path: Path, lines: Path) -> None:
    run(tmp_path / "first", lines, 10)
    earlier, coarse = load_averaged(tmp_path / "first"), replace(SMALL, stride=8)
    second = Trainer(tmp_path / "second", RECIPE, coarse, ALPHABET, start=earlier.state_dict())
    assert torch.equal(second.network.head.classify.weight, earlier.head.classify.weight)
    assert second.network.config.stride == 8


def test_a_run_goes_on_with_its_own_time_steps_alone(tmp_path: Path, lines: Path) -> None:
    run(tmp_path, lines, 10)
    with pytest.raises(TrainingDataError, match="stride=4"):
        Trainer(tmp_path, RECIPE, replace(SMALL, stride=8), ALPHABET)


def test_larger_steps_take_larger_pools() -> None:
    large = RECIPE.for_columns(10 * RECIPE.columns)
    assert (large.columns, large.pool) == (16_000, 120)


def test_a_run_cannot_start_from_one_with_other_layers(tmp_path: Path, lines: Path) -> None:
    run(tmp_path / "first", lines, 10)
    earlier = load_averaged(tmp_path / "first")
    with pytest.raises(TrainingDataError, match="do not fit"):
        Trainer(
            tmp_path / "second",
            RECIPE,
            NetworkConfig(classes=3),
            ALPHABET,
            start=earlier.state_dict(),
        )
