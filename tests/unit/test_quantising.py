"""Ranges are measured on training lines and proved on others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from memory_models import model_of
from numpy.typing import NDArray

from hwr.engines.onnx_engine import OnnxEngine
from hwr.engines.protocol import LineBatch, Logits
from hwr.errors import ModelError, TrainingDataError
from hwr.model.config import NetworkConfig
from hwr.model.line_image import LINE_HEIGHT, normalise_line
from hwr.model.line_views import slanted, view
from hwr.model.network import Crnn
from hwr.model.quantisation import load_quantisation, save_quantisation
from hwr.model.weights import Model
from hwr.training import quantising
from hwr.training.quantising import SHARES, measure_ranges, quantise
from hwr.training.samples import LineSample


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    network = Crnn(NetworkConfig(classes=30, channels=(4, 8, 12), hidden=16))
    network.train()
    network.forward_training(torch.rand(4, 1, LINE_HEIGHT, 96))
    return model_of(network.eval())


def line(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (LINE_HEIGHT, 160), np.uint8)


def samples(dataset: str, seeds: Sequence[int]) -> list[LineSample]:
    return [
        LineSample(
            dataset=dataset,
            name=f"{seed}.png",
            writer="w",
            text="a line",
            width=160,
            load=lambda seed=seed: line(seed),  # type: ignore[misc]
        )
        for seed in seeds
    ]


def test_ranges_hold_their_share_of_every_line(model: Model) -> None:
    ranges = measure_ranges(model, [line(seed) for seed in range(3)])
    assert set(ranges) == set(SHARES)
    for name, (low, high) in ranges[1.0].items():
        narrow_low, narrow_high = ranges[0.999][name]
        assert low <= narrow_low <= 0 < narrow_high <= high


def test_a_model_is_quantised_and_its_cost_recorded(model: Model) -> None:
    training, validation = samples("drawn", range(9)), samples("drawn", range(20, 24))
    found = quantise(model, training, [*validation, *samples("other", [30])], allowed=1.0)
    assert found.model == model.hash
    assert found.share in SHARES
    assert found.lines == 6
    assert {name: lines for name, (lines, _, _) in found.cer.items()} == {"drawn": 4, "other": 1}


def test_an_activation_that_is_always_zero_has_a_scale(model: Model, tmp_path: Path) -> None:
    dead = model.tensors | {"backbone.stem_norm.bias": np.full(4, -1e3, np.float32)}
    silent = replace(model, path=tmp_path / "model.safetensors", tensors=dead)
    found = quantise(silent, samples("drawn", range(9)), samples("drawn", [20]), allowed=1.0)
    assert found.ranges["stem"][1] > 0
    save_quantisation(silent.path, found)
    assert load_quantisation(silent) == found


def test_a_cost_beyond_what_is_allowed_is_refused(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = iter([{"drawn": (1, 0.1)}] + [{"drawn": (1, 1.2)}] * len(SHARES))
    monkeypatch.setattr(quantising, "error_rates", lambda *_: next(rates))
    with pytest.raises(ModelError, match=r"at most 5 points.*float32"):
        quantise(model, samples("drawn", range(9)), samples("drawn", [20]), allowed=0.05)
    assert not list(rates), "every share was tried"


def test_one_character_may_be_lost_in_a_set_of_few(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    validation = samples("drawn", [20])
    one = round(1 / max(len(model.alphabet.fold(validation[0].text)), 1), 6)
    rates = iter([{"drawn": (1, 0.0)}, {"drawn": (1, 2 * one)}, {"drawn": (1, one)}])
    monkeypatch.setattr(quantising, "error_rates", lambda *_: next(rates))
    found = quantise(model, samples("drawn", range(9)), validation, allowed=0.001)
    assert found.cer == {"drawn": (1, 0.0, one)}


def test_a_broken_line_is_left_out(model: Model, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> NDArray[np.uint8]:
        raise TrainingDataError("7.png cannot be decoded.")

    training = samples("drawn", range(7))
    training[3] = replace(training[3], load=broken)
    found = quantise(model, training, samples("drawn", [20]), allowed=1.0)
    assert found.lines == 4
    assert "7.png cannot be decoded" in caplog.text


def test_too_few_lines_are_refused(model: Model) -> None:
    with pytest.raises(TrainingDataError, match="three lines"):
        quantise(model, samples("drawn", [1, 2]), samples("drawn", [20]), allowed=1.0)
    with pytest.raises(TrainingDataError, match=r"there are 9 and 0\..*split val"):
        quantise(model, samples("drawn", range(9)), [], allowed=1.0)


def test_lines_are_drawn_evenly_from_the_sets() -> None:
    many, few = samples("many", range(30)), samples("few", range(100, 103))
    drawn = {picture.tobytes() for picture in quantising._draw([*many, *few], 6)}
    assert {normalise_line(line(seed)).tobytes() for seed in range(100, 103)} <= drawn


def strokes() -> NDArray[np.uint8]:
    """Thick strokes that lean to the right by as much as they rise."""
    image = np.full((LINE_HEIGHT, 480), 255, np.uint8)
    for x in range(60, 420, 24):
        cv2.line(image, (x, 52), (x, 12), 0, 3, cv2.LINE_AA)
    return slanted(image, 1.0)


def test_lines_are_seen_as_they_are_read(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    leaning = replace(samples("drawn", [0])[0], load=strokes)
    upright = view(normalise_line(strokes()), 0)
    assert upright.shape != strokes().shape
    assert np.array_equal(quantising._draw([leaning], 1)[0], upright)

    seen: list[LineBatch] = []

    class Watched(OnnxEngine):
        def logits(self, batch: LineBatch) -> Logits:
            seen.append(batch)
            return super().logits(batch)

    quantising.error_rates(Watched(model), model, [leaning])
    assert np.array_equal(seen[0].images, LineBatch.stack([upright]).images)
