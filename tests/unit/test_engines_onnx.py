"""The engine for CPUs: the same answer as the reference, alone and in any batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_models import model_of
from numpy.typing import NDArray

from hwr.engines import LineBatch, open_engine
from hwr.engines.onnx_engine import OnnxEngine, open_session
from hwr.engines.onnx_graph import INK, write_graph
from hwr.model.calibration import (
    Calibration,
)
from hwr.model.config import NetworkConfig
from hwr.model.line_image import LINE_HEIGHT, WIDTH_STEP
from hwr.model.network import Crnn
from hwr.model.weights import Model

Grey = NDArray[np.uint8]
WIDTHS = st.lists(st.integers(1, 40).map(lambda n: n * WIDTH_STEP), min_size=1, max_size=5)


def random_model(seed: int = 0, **shape: object) -> Model:
    """Random weights, with the statistics of the norms moved off their start."""
    torch.manual_seed(seed)
    options = {"classes": 30, "channels": (4, 8, 12), "hidden": 16} | shape
    network = Crnn(NetworkConfig(**options))
    network.train()
    network.forward_training(torch.rand(4, 1, LINE_HEIGHT, 96))
    return model_of(network.eval())


def random_lines(widths: list[int]) -> list[Grey]:
    return [
        np.random.default_rng(seed).integers(0, 256, (LINE_HEIGHT, width), np.uint8)
        for seed, width in enumerate(widths)
    ]


def measured(model: Model, lines: list[Grey]) -> Calibration:
    """The full range of each activation over `lines`."""
    session = open_session(write_graph(model, watched=True))
    names = [output.name for output in session.get_outputs()][1:]
    spans = dict.fromkeys(names, (0.0, 0.0))
    for line in lines:
        for name, values in zip(
            names, session.run(names, {INK: 255 - line[None, None]}), strict=True
        ):
            low, high = spans[name]
            spans[name] = (min(low, float(values.min())), max(high, float(values.max())))
    return Calibration(model=model.hash, ranges=spans, share=1.0, lines=len(lines), cer={})


MODEL = random_model()
CALIBRATION = measured(MODEL, random_lines([320, 200, 64]))
ENGINES = {"float32": OnnxEngine(MODEL), "int8": OnnxEngine(MODEL, calibration=CALIBRATION)}


@given(widths=WIDTHS)
@settings(max_examples=20, deadline=None)
def test_in_float32_it_answers_what_the_reference_answers(widths: list[int]) -> None:
    batch = LineBatch.stack(random_lines(widths))
    wanted = open_engine("torch", MODEL).logits(batch).rows(batch)
    for row, reference in zip(ENGINES["float32"].logits(batch).rows(batch), wanted, strict=True):
        np.testing.assert_allclose(row, reference, atol=1e-4)


@pytest.mark.parametrize(
    "shape",
    [
        {"blocks": (2, 1, 1), "layers": 1},
        {"channels": (6, 6, 6), "hidden": 8},
        {"classes": 200, "layers": 3},
    ],
)
def test_networks_of_other_shapes_are_read_too(shape: dict[str, object]) -> None:
    model = random_model(1, **shape)
    batch = LineBatch.stack(random_lines([128, 40]))
    wanted = open_engine("torch", model).logits(batch).rows(batch)
    exact = OnnxEngine(model).logits(batch).rows(batch)
    rounded = OnnxEngine(model, calibration=measured(model, random_lines([128, 40])))
    for reference, row, near in zip(wanted, exact, rounded.logits(batch).rows(batch), strict=True):
        np.testing.assert_allclose(row, reference, atol=1e-4)
        np.testing.assert_allclose(near, reference, atol=0.1)


@pytest.mark.parametrize("precision", ENGINES)
@given(widths=WIDTHS)
@settings(max_examples=20, deadline=None)
def test_a_line_gives_the_same_bits_alone_and_in_any_batch(
    precision: str, widths: list[int]
) -> None:
    engine = ENGINES[precision]
    batch = LineBatch.stack(random_lines(widths))
    for line, row in zip(random_lines(widths), engine.logits(batch).rows(batch), strict=True):
        alone = LineBatch.stack([line])
        assert np.array_equal(engine.logits(alone).rows(alone)[0], row)


def test_eight_bits_stay_near_the_reference() -> None:
    batch = LineBatch.stack(random_lines([320, 200, 64]))
    exact = ENGINES["float32"].logits(batch).rows(batch)
    for row, reference in zip(ENGINES["int8"].logits(batch).rows(batch), exact, strict=True):
        assert 0 < np.abs(row - reference).max() < 0.1 * np.ptp(reference)


def test_threads_change_no_bit() -> None:
    batch = LineBatch.stack(random_lines([320, 8, 200, 64, 104, 320]))
    alone = ENGINES["int8"].logits(batch)
    together = OnnxEngine(MODEL, calibration=CALIBRATION, threads=3).logits(batch)
    assert np.array_equal(alone.values, together.values)
