"""The engine for CPUs: the same answer as the reference, alone and in any batch."""

import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_models import model_of
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

from hwr.engines import LineBatch, onnx_engine, open_engine, registry
from hwr.engines.onnx_engine import _UNSIGNED_WEIGHTS, OnnxEngine, open_session
from hwr.engines.onnx_graph import INK, LOGITS, _Graph, _lstm, ink_of, write_graph
from hwr.errors import EngineError, ModelError
from hwr.model import processor
from hwr.model.config import NetworkConfig
from hwr.model.line_image import LINE_HEIGHT, WIDTH_STEP
from hwr.model.network import Crnn
from hwr.model.quantisation import (
    Quantisation,
    load_quantisation,
    quantisation_path,
    save_quantisation,
)
from hwr.model.weights import Model, load_model, save_model

Grey = NDArray[np.uint8]
WIDTHS = st.lists(st.integers(1, 40).map(lambda n: n * WIDTH_STEP), min_size=1, max_size=5)


def random_model(seed: int = 0, **shape: Any) -> Model:
    """Random weights, with the statistics of the norms moved off their start."""
    torch.manual_seed(seed)
    options: dict[str, Any] = {"classes": 30, "channels": (4, 8, 12), "hidden": 16} | shape
    network = Crnn(NetworkConfig(**options))
    network.train()
    network.forward_training(torch.rand(4, 1, LINE_HEIGHT, 96))
    return model_of(network.eval())


def random_lines(widths: list[int]) -> list[Grey]:
    return [
        np.random.default_rng(seed).integers(0, 256, (LINE_HEIGHT, width), np.uint8)
        for seed, width in enumerate(widths)
    ]


def measured(model: Model, lines: list[Grey]) -> Quantisation:
    """The full range of each activation over `lines`."""
    session = open_session(write_graph(model, watched=True))
    names = [output.name for output in session.get_outputs()][1:]
    spans = dict.fromkeys(names, (0.0, 0.0))
    for line in lines:
        for name, values in zip(names, session.run(names, {INK: ink_of(line)}), strict=True):
            low, high = spans[name]
            spans[name] = (min(low, float(values.min())), max(high, float(values.max())))
    return Quantisation(model=model.hash, ranges=spans, share=1.0, lines=len(lines), cer={})


MODEL = random_model()
QUANTISATION = measured(MODEL, random_lines([320, 200, 64]))
ENGINES = {"float32": OnnxEngine(MODEL), "int8": OnnxEngine(MODEL, quantisation=QUANTISATION)}


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
    rounded = OnnxEngine(model, quantisation=measured(model, random_lines([128, 40])))
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


def black(width: int) -> Grey:
    """All ink: the highest activations there are."""
    return np.zeros((LINE_HEIGHT, width), np.uint8)


def answer(graph: _Graph, output: str, width: int) -> NDArray[np.float32]:
    """What a graph makes of a black line."""
    session = open_session(graph.answering([output]))
    return np.asarray(session.run([output], {INK: ink_of(black(width))})[0])


def test_convolutions_add_the_highest_products_without_overflow() -> None:
    kernel = np.ones((2, 4, 3, 3), np.float32) * np.array([1, -1])[:, None, None, None]
    graph = _Graph({"sum": (-64.0, 64.0)})
    sums = graph.convolution(graph.ink(), kernel.astype(np.float32), np.zeros(2, np.float32))
    found = answer(graph, graph.rounded(sums, "sum"), 64)[0, :, 1:-1, 1:-1]
    np.testing.assert_allclose(found[0], 36, atol=64 / 255)
    np.testing.assert_allclose(found[1], -36, atol=64 / 255)


def test_the_lstm_adds_the_highest_products_without_overflow() -> None:
    steps, features, hidden = 32, 64, 8
    gates = (
        np.full((2, 4 * hidden, features), 0.5 / features, np.float32),
        np.full((2, 4 * hidden, hidden), 0.5 / hidden, np.float32),
        np.zeros((2, 8 * hidden), np.float32),
    )

    def read(graph: _Graph) -> NDArray[np.float32]:
        shape = graph.constant(np.array([steps, 1, features]))
        return answer(
            graph, _lstm(graph, gates, graph.node("Reshape", graph.ink(), shape), hidden), 32
        )

    np.testing.assert_allclose(read(_Graph({})), read(_Graph(None)), atol=0.005)


def emulated(model: Model, quantisation: Quantisation) -> InferenceSession:
    """The 8-bit graph as it is written: rounded values, multiplied and added in float32.

    There are no floats for the LSTM, whose weights are unsigned here: those of any CPU's kernels
    that never overflow.
    """
    graph = onnx.load_from_string(write_graph(model, quantisation.ranges))
    lstms = (node for node in graph.graph.node if node.op_type == "DynamicQuantizeLSTM")
    inputs = {name for node in lstms for name in node.input}
    for tensor in graph.graph.initializer:
        if tensor.name in inputs and tensor.data_type == onnx.TensorProto.INT8:
            unsigned = (numpy_helper.to_array(tensor) ^ -128).view(np.uint8)
            tensor.CopyFrom(numpy_helper.from_array(unsigned, tensor.name))
    options = SessionOptions()
    options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
    return InferenceSession(graph.SerializeToString(), options, ["CPUExecutionProvider"])


@pytest.mark.parametrize("shape", [{}, {"channels": (32, 64, 96), "hidden": 64}])
def test_eight_bits_are_the_same_integers_on_every_cpu(shape: dict[str, object]) -> None:
    model, lines = random_model(2, **shape), [black(64), *random_lines([200, 320])]
    quantisation = measured(model, lines)
    wanted, batch = emulated(model, quantisation), LineBatch.stack(lines)
    rows = OnnxEngine(model, quantisation=quantisation).logits(batch).rows(batch)
    for line, row in zip(lines, rows, strict=True):
        (reference,) = wanted.run([LOGITS], {INK: ink_of(line)})
        differences = np.abs(row - reference[:, 0]) / np.ptp(reference)
        assert differences.mean() < 0.001


def test_threads_change_no_bit() -> None:
    batch = LineBatch.stack(random_lines([320, 8, 200, 64, 104, 320]))
    alone = ENGINES["int8"].logits(batch)
    together = OnnxEngine(MODEL, quantisation=QUANTISATION, threads=3).logits(batch)
    assert np.array_equal(alone.values, together.values)


@pytest.fixture
def saved(tmp_path: Path) -> Model:
    """A model in a file, with its quantisation beside it."""
    path = tmp_path / "model.safetensors"
    save_model(path, MODEL.network, MODEL.alphabet)
    model = load_model(path)
    save_quantisation(path, measured(model, random_lines([320, 64])))
    return model


def test_a_quantised_model_is_read_in_eight_bits(saved: Model) -> None:
    quantisation = load_quantisation(saved)
    assert quantisation
    assert open_engine("onnx", saved).identity.endswith(f"cpu int8 {quantisation.hash}")


def test_a_quantisation_survives_its_file(saved: Model) -> None:
    assert load_quantisation(saved) == measured(saved, random_lines([320, 64]))


def test_other_weights_are_not_read_with_a_quantisation(
    saved: Model, caplog: pytest.LogCaptureFixture
) -> None:
    other = replace(saved, hash="f" * 16)
    with pytest.raises(ModelError, match=f"{saved.hash}, not to ffff.*hwr quantise"):
        load_quantisation(other)
    assert open_engine("onnx", other).identity.endswith("cpu float32")
    assert f"belongs to the model {saved.hash}" in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"model": "0", "ranges": [], "share": 1, "lines": 1, "cer": {}}',
        '{"model": "0", "ranges": {"stem": [0, 0]}, "share": 1, "lines": 1, "cer": {}}',
        '{"model": "0", "ranges": {"stem": [0, 1e999]}, "share": 1, "lines": 1, "cer": {}}',
    ],
)
def test_a_damaged_quantisation_is_named_and_not_used(
    saved: Model, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    quantisation_path(saved.path).write_text(content)
    with pytest.raises(ModelError, match=r"model\.int8\.json is not a usable.*hwr quantise"):
        load_quantisation(saved)
    assert open_engine("onnx", saved).identity.endswith("cpu float32")
    assert "not a usable quantisation" in caplog.text


def test_a_quantisation_that_lacks_an_activation_is_named(saved: Model) -> None:
    whole = measured(saved, random_lines([64]))
    ranges = {name: span for name, span in whole.ranges.items() if name != "stem"}
    with pytest.raises(ModelError, match=r"lacks stem.*hwr quantise"):
        OnnxEngine(saved, quantisation=replace(whole, ranges=ranges))


def test_a_model_without_a_quantisation_is_read_in_float32(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert open_engine("onnx", MODEL).identity.endswith("cpu float32")
    assert "hwr quantise" in caplog.text


@pytest.mark.parametrize(
    ("machine", "flags", "signed"),
    [
        ("x86_64", "flags : sse4_2 avx2 avx_vnni", True),
        ("x86_64", "flags : avx512f avx512_vnni", True),
        ("x86_64", "flags : sse4_2 avx2", False),
        ("x86_64", "model name : Core™\nflags : avx_vnni", True),
        ("x86_64", None, False),
        ("aarch64", None, True),
    ],
)
def test_weights_become_unsigned_where_products_of_signed_ones_overflow(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
    flags: str | None,
    signed: bool,
) -> None:
    info = tmp_path / "cpuinfo"
    if flags:
        info.write_text(flags, encoding="utf-8")
    monkeypatch.setattr(processor, "_CPU_INFO", info)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    options = open_session(write_graph(MODEL, QUANTISATION.ranges)).get_session_options()
    if signed:
        with pytest.raises(RuntimeError, match="does not have"):
            options.get_session_config_entry(_UNSIGNED_WEIGHTS)
    else:
        assert options.get_session_config_entry(_UNSIGNED_WEIGHTS) == "1"


def test_without_a_device_auto_is_the_engine_for_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_has_cuda", lambda: False)
    assert open_engine("auto", MODEL).identity.startswith("onnxruntime")


def test_with_a_device_auto_is_the_engine_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpu = ENGINES["float32"]
    monkeypatch.setattr(registry, "_has_cuda", lambda: True)
    monkeypatch.setattr(registry, "_torch_cuda", lambda model, threads: on_gpu)
    assert open_engine("auto", MODEL) is on_gpu


def test_auto_reads_with_torch_where_the_runtime_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "_has_cuda", lambda: False)
    monkeypatch.setattr(onnx_engine, "write_graph", lambda *_: b"no graph")
    assert open_engine("auto", MODEL).identity.startswith("torch")
    assert "cannot run the network" in caplog.text
    with pytest.raises(EngineError, match="HWR_ENGINE=torch"):
        open_engine("onnx", MODEL)


@pytest.mark.parametrize(("name", "other"), [("torch", "onnx"), ("torch-cuda", "torch")])
def test_an_engine_that_fails_is_not_named_as_its_own_remedy(
    name: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> OnnxEngine:
        raise RuntimeError("no memory")

    monkeypatch.setitem(registry.ENGINES, name, fail)
    with pytest.raises(EngineError, match=rf"no memory.*HWR_ENGINE={other}\."):
        open_engine(name, MODEL)


def test_the_shipped_model_is_quantised() -> None:
    quantisation = load_quantisation(load_model())
    assert quantisation
    assert quantisation.cer
    for lines, exact, rounded in quantisation.cer.values():
        # In a set of a few lines one character is more than a tenth of a point.
        assert rounded - exact <= (0.001 if lines >= 100 else 0.01)


def test_reading_on_a_cpu_takes_no_torch() -> None:
    script = (
        "import sys\n"
        "import numpy as np\n"
        "from hwr.reader import Reader\n"
        "with Reader(engine='onnx') as reader:\n"
        "    reader.read_lines([np.full((64, 200), 255, np.uint8)])\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_channels_without_weights_keep_their_bias_in_eight_bits() -> None:
    convolution = "backbone.stages.0.0.conv1.weight"
    kernel = MODEL.tensors[convolution].copy()
    kernel[:2] *= np.array([0, 1e-9], np.float32)[:, None, None, None]
    model = replace(MODEL, tensors=MODEL.tensors | {convolution: kernel})
    batch = LineBatch.stack(random_lines([128]))
    rounded = OnnxEngine(model, quantisation=measured(model, random_lines([128])))
    exact = OnnxEngine(model).logits(batch)
    np.testing.assert_allclose(rounded.logits(batch).values, exact.values, atol=0.1)
