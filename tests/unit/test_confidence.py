"""Confidence: what the network says of a text, the scales, and whether they keep their word."""

import itertools
import json
import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwr.decoding.confidence import WeighedReading, scaled, text_probabilities, weigh
from hwr.decoding.decoders import open_decoder
from hwr.decoding.reading import Alternative, LineReading
from hwr.errors import TrainingDataError
from hwr.model.alphabet import Alphabet
from hwr.model.confidence import (
    CharacterScale,
    ConfidenceScale,
    LineScale,
    add_scale,
    load_scales,
    log_odds,
    scales_path,
    sigmoid,
)
from hwr.model.weights import load_model
from hwr.training.calibrating import calibrate, fit
from hwr.training.evaluation import LineResult
from hwr.training.plots import reliability_plot
from hwr.training.reliability import (
    by_set_and_all,
    calibration,
    calibration_error,
    reliability_of,
    risk_coverage,
)
from hwr.training.samples import LineSample
from workers.commands.tables import reliability_table

AB = Alphabet("ab ")
SCALE = ConfidenceScale(
    line=LineScale(network=0.5, decoder=0.25, offset=-1.0),
    character=CharacterScale(slope=2.0, offset=0.5),
)


def logits(steps: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (steps, 3)).astype(np.float32)


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(label for label, _ in itertools.groupby(path) if label)


def by_all_paths(row: np.ndarray, labels: tuple[int, ...]) -> float:
    shares = np.exp(row) / np.exp(row).sum(axis=1, keepdims=True)
    return sum(
        math.prod(float(shares[step, label]) for step, label in enumerate(path))
        for path in itertools.product(range(3), repeat=len(row))
        if collapse(path) == labels
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.lists(st.integers(1, 2), max_size=4), st.integers(0, 99))
def test_a_texts_probability_is_that_of_all_paths_that_spell_it(
    steps: int, labels: list[int], seed: int
) -> None:
    row = logits(steps, seed)
    (line,), (characters,) = text_probabilities([row], [labels])
    assert line == pytest.approx(by_all_paths(row, tuple(labels)), rel=1e-4, abs=1e-9)
    assert len(characters) == len(labels)
    assert ((characters >= 0) & (characters <= 1 + 1e-6)).all()


def test_lines_are_weighed_the_same_alone_and_together_to_the_last_bit() -> None:
    rows = [logits(steps, steps) for steps in (4, 230, 61, 30)]
    labels = [[1], [1, 2] * 50, [1, 2, 2, 1, 2] * 3, []]
    lines, characters = text_probabilities(rows, labels)
    for number in range(4):
        (line,), (own,) = text_probabilities(rows[number : number + 1], labels[number : number + 1])
        assert line == lines[number]
        np.testing.assert_array_equal(own, characters[number])


def test_a_doubtful_character_is_told_from_sure_ones() -> None:
    row = np.full((6, 4), -9.0, np.float32)
    row[[0, 1, 2, 3, 4, 5], [1, 0, 2, 0, 1, 0]] = 9.0
    row[2] = [-9.0, 0.9, 1.0, -9.0]  # a or b?
    (weighed,) = weigh([row], [LineReading(text="aba", confidence=1.0)], AB)
    reading = scaled(weighed, ConfidenceScale())
    first, second, third = reading.characters
    assert min(first, third) > 0.99
    assert 0.4 < second < 0.6
    assert 0.4 < reading.confidence < 0.6


def test_what_a_field_may_say_is_believed_as_far_as_its_text() -> None:
    row = np.full((6, 4), -9.0, np.float32)
    row[[0, 1, 2, 3, 4, 5], [1, 0, 2, 0, 1, 0]] = 9.0
    row[2] = [-9.0, 0.9, 1.0, -9.0]
    said = (Alternative("aba", 0.8), Alternative("aaa", 0.2))
    reading = LineReading(text="aba", confidence=1.0, alternatives=said, spellings=1.5)
    (weighed,) = weigh([row], [reading], AB)
    text = 1 / (1 + math.exp(-0.1))
    assert weighed.network == pytest.approx(float(log_odds(1.5 * text)), abs=1e-3)
    held = (text / 0.8) ** 0.25
    believed = [alternative.probability for alternative in weighed.alternatives]
    assert believed == pytest.approx([0.8 * held, 0.2 * held], abs=1e-3)


def test_scales_weigh_network_and_decoder() -> None:
    reading = WeighedReading(text="ab", confidence=0.5, characters=(0.5, 0.9), network=4.0)
    told = scaled(reading, SCALE)
    assert type(told) is LineReading
    assert told.confidence == pytest.approx(1 / (1 + math.exp(-1.0)))
    assert told.characters[0] == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert weigh([], [], AB) == []


def test_certainty_of_any_degree_has_finite_odds() -> None:
    odds = log_odds(np.array([0.0, 1e-300, 0.5, 1.0, 1.0 + 1e-7]))
    assert np.isfinite(odds).all()
    assert odds[2] == 0
    np.testing.assert_allclose(sigmoid(odds), [0, 0, 0.5, 1, 1], atol=1e-5)


def test_scales_are_kept_beside_their_weights_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = scales_path(tmp_path / "model.safetensors")
    assert load_scales(path, "abc") is None
    assert not caplog.text
    add_scale(path, "abc", "best-path", SCALE)
    add_scale(path, "abc", "beam", ConfidenceScale())
    scales = load_scales(path, "abc")
    assert scales is not None
    assert scales.decoders == {"best-path": SCALE, "beam": ConfidenceScale()}
    assert load_scales(path, "other") is None
    assert "belongs to other weights" in caplog.text
    add_scale(path, "other", "beam", SCALE)
    assert json.loads(path.read_text())["decoders"].keys() == {"beam"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"model": "abc"}',
        '{"model": 1, "decoders": {"x": 2}}',
        '{"model": "abc", "decoders": {"x": {"line": {"network": NaN}, "character": {}}}}',
    ],
)
def test_damaged_scales_are_named_and_do_without(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "model.confidence.json"
    path.write_text(text)
    assert load_scales(path, "abc") is None
    assert "is damaged" in caplog.text


def test_fitting_finds_the_scale_that_outcomes_were_drawn_with() -> None:
    rng = np.random.default_rng(5)
    odds = rng.normal(0, 3, (4000, 2))
    right = rng.random(4000) < sigmoid(0.5 * odds[:, 0] + 0.8 * odds[:, 1] - 1.0)
    np.testing.assert_allclose(fit(odds, right.astype(float)), [0.5, 0.8, -1.0], atol=0.15)


def test_fitting_ends_where_outcomes_can_be_told_without_doubt() -> None:
    odds = np.array([[-60.0, 1.0], [-59.0, 1.0], [13.0, 0.0], [14.0, 0.0]])
    weights = fit(odds, np.array([0.0, 0.0, 1.0, 1.0]))
    assert np.isfinite(weights).all()
    assert weights[0] > 0


def overconfident(seed: int, lines: int = 300) -> list[LineResult]:
    """Lines by ten writers, right less often than the network thinks."""
    rng = np.random.default_rng(seed)
    results = []
    for number in range(lines):
        odds = float(rng.normal(1, 2))
        right = rng.random() < sigmoid(0.5 * odds - 1)
        sample = LineSample(
            dataset="drawn",
            name=str(number),
            writer=str(number % 10),
            text="a",
            width=64,
            load=lambda: np.zeros((64, 64), np.uint8),
        )
        reading = WeighedReading(
            text="a" if right else "b",
            confidence=float(sigmoid(odds)),
            characters=(float(sigmoid(odds)),),
            network=odds,
        )
        results.append(LineResult(sample=sample, truth="a", reading=reading))
    return results


def test_calibration_makes_confidence_true_for_writers_that_it_never_saw() -> None:
    results = overconfident(1)
    before = np.array([sigmoid(result.reading.network) for result in results])  # type: ignore[attr-defined]
    right = np.array([result.reading.text == "a" for result in results], float)
    found = calibrate(results)
    after = np.array([result.reading.confidence for result in found.results])
    outcomes = np.array([result.reading.text == "a" for result in found.results], float)
    assert len(found.results) == len(results)
    assert calibration_error(before, right) > 0.15
    assert calibration_error(after, outcomes) < 0.08


def test_one_writer_cannot_calibrate() -> None:
    results = [r for r in overconfident(2) if r.sample.writer == "0"]
    with pytest.raises(TrainingDataError, match=r"1 writer.*split val"):
        calibrate(results)


def test_calibration_error_and_what_chance_would_make_it() -> None:
    sure = np.full(1000, 0.75)
    right = (np.arange(1000) % 4 > 0).astype(float)
    assert calibration_error(sure, right) == pytest.approx(0)
    assert calibration_error(sure, np.ones(1000)) == pytest.approx(0.25)
    few, many = calibration(sure[:10], right[:10]), calibration(sure, right)
    assert few.ece_by_chance > 3 * many.ece_by_chance


def test_what_is_surest_is_taken_first() -> None:
    sure = np.array([0.2, 0.9, 0.8, 0.1])
    right = np.array([0.0, 1.0, 1.0, 1.0])
    coverage, risk = risk_coverage(sure, right)
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(risk, [0, 0, 1 / 3, 1 / 4])
    found = reliability_of(sure, right, [], [])
    assert found.coverage == {"0.01": 0.5, "0.05": 0.5, "0.1": 0.5}
    assert found.characters.count == 0


def test_the_plot_and_the_table_name_every_set() -> None:
    results = overconfident(3)
    sets = by_set_and_all(results)
    drawing = ElementTree.fromstring(reliability_plot(results, sets))
    words = {text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert {"drawn", "all sets", "lines", "characters", "coverage"} <= words
    rows = list(reliability_table(sets))
    assert [row.split("  ")[0] for row in rows] == ["confidence", "drawn", "all sets"]


@pytest.mark.parametrize("right", [(1, 1, 1, 0), (0, 1, 1, 1)])
def test_what_is_equally_sure_is_taken_together_or_not_at_all(right: tuple[int, ...]) -> None:
    coverage, risk = risk_coverage(np.full(4, 0.99), np.array(right, float))
    assert (coverage.tolist(), risk.tolist()) == ([1.0], [0.25])


@pytest.mark.parametrize("decoder", ["best-path", "auto", "thorough"])
def test_the_shipped_model_is_calibrated_for_the_decoders_in_use(decoder: str) -> None:
    model = load_model()
    scales = load_scales(scales_path(model.path), model.hash)
    assert scales
    assert open_decoder(decoder, model.alphabet).identity in scales.decoders
