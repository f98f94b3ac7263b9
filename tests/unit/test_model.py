"""Alphabet, line images, network, decoding and the file that a model is."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_models import model_of
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from hwr.decoding.best_path import read_best_path
from hwr.decoding.decoders import BestPathDecoder
from hwr.engines import LineBatch, Logits, open_engine, registry
from hwr.errors import BadLineImage, EngineError, ModelError
from hwr.line_work import reading_work
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.line_image import LINE_HEIGHT, MAX_WIDTH, WIDTH_STEP, normalise_line
from hwr.model.network import Crnn, fold_norms
from hwr.model.weights import load_model, save_model

ALPHABET = Alphabet(DEFAULT_CHARACTERS)


def small_network(seed: int = 0) -> Crnn:
    """A network with random weights, its statistics moved off their start."""
    torch.manual_seed(seed)
    config = NetworkConfig(classes=ALPHABET.classes, channels=(4, 8, 12), hidden=16, layers=2)
    network = Crnn(config)
    network.train()
    network.forward_training(torch.rand(4, 1, LINE_HEIGHT, 96))
    return network.eval()


def random_line(width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (LINE_HEIGHT, width), np.uint8)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("l’été  “là”", 'l\'été "là"'),
        ("e\u0301te\u0301", "été"),
        ("Ĵurnalo", "Jurnalo"),
        ("a\u4e2db", "ab"),
        ("½", "12"),
        ("  a\tb\u00a0c ", "a b c"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert ALPHABET.fold(text) == folded


@given(st.text(max_size=60))
def test_encoding_is_undone_by_decoding(text: str) -> None:
    assert ALPHABET.decode(ALPHABET.encode(text)) == ALPHABET.fold(text)


def test_an_alphabet_names_each_character_once() -> None:
    with pytest.raises(ModelError, match="twice"):
        Alphabet("aba")


@given(st.integers(4, 200), st.integers(4, 3000))
@settings(max_examples=40, deadline=None)
def test_line_images_get_one_height(height: int, width: int) -> None:
    line = normalise_line(np.full((height, width), 200, np.uint8))
    assert line.shape[0] == LINE_HEIGHT
    assert line.shape[1] % WIDTH_STEP == 0
    assert WIDTH_STEP <= line.shape[1] <= MAX_WIDTH


def test_normalising_keeps_what_is_normal() -> None:
    line = np.full((LINE_HEIGHT, 160), 255, np.uint8)
    line[20:40, 30:60] = 0
    assert np.array_equal(normalise_line(line), line)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((3, 50), np.uint8),
        np.zeros((0, 0), np.uint8),
        np.zeros((50, 50), np.float32),
        np.zeros((50, 50, 4), np.uint8),
        np.zeros((2, 50, 50, 3), np.uint8),
    ],
)
def test_what_is_not_a_line_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(BadLineImage):
        normalise_line(image)


@given(
    widths=st.lists(st.integers(1, 60).map(lambda n: n * WIDTH_STEP), min_size=1, max_size=6),
    seed=st.integers(0, 5),
)
@settings(max_examples=25, deadline=None)
def test_a_line_reads_the_same_alone_and_in_any_batch(widths: list[int], seed: int) -> None:
    engine = open_engine("torch", model_of(small_network(seed)))
    lines = [random_line(width, index) for index, width in enumerate(widths)]
    batch = LineBatch.stack(lines)
    together = engine.logits(batch).rows(batch)
    for line, row in zip(lines, together, strict=True):
        alone = LineBatch.stack([line])
        np.testing.assert_allclose(engine.logits(alone).rows(alone)[0], row, atol=1e-5)


def test_texts_are_the_same_alone_and_in_a_batch() -> None:
    work = reading_work(open_engine("torch", model_of(small_network())), BestPathDecoder(ALPHABET))
    lines = [random_line(width, width) for width in (8, 64, 512, 128, 504)]
    assert [work([line])[0].text for line in lines] == [r.text for r in work(lines)]


def test_training_and_reading_agree_on_a_full_batch() -> None:
    network, ink = small_network(), torch.rand(2, 1, LINE_HEIGHT, 128)
    with torch.inference_mode():
        logits, _ = network(ink, torch.tensor([128, 128]))
        trained, shortcut = network.forward_training(ink)
    torch.testing.assert_close(logits, trained)
    assert shortcut.shape == trained.shape == (2, 32, ALPHABET.classes)


def test_folding_the_norms_changes_no_logit() -> None:
    network = small_network()
    ink, widths = torch.rand(2, 1, LINE_HEIGHT, 128), torch.tensor([128, 72])
    with torch.inference_mode():
        logits, _ = network(ink, widths)
        folded, _ = fold_norms(network)(ink, widths)
    torch.testing.assert_close(folded[0], logits[0])
    torch.testing.assert_close(folded[1, :18], logits[1, :18])


def test_bfloat16_reads_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # A CPU that would be slow at it is fast enough for a network so small.
    monkeypatch.setattr(registry, "multiplies_bfloat16", lambda: True)
    network, batch = small_network(), LineBatch.stack([random_line(w, w) for w in (64, 200)])
    exact = open_engine("torch", model_of(network)).logits(batch).rows(batch)
    rounded = open_engine("torch-bf16", model_of(network))
    assert "bfloat16" in rounded.identity
    for a, b in zip(exact, rounded.logits(batch).rows(batch), strict=True):
        np.testing.assert_allclose(a, b, atol=0.05)


def test_bfloat16_is_refused_where_it_would_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "multiplies_bfloat16", lambda: False)
    with pytest.raises(EngineError, match=r"torch-bf16.*bfloat16.*HWR_ENGINE=auto"):
        open_engine("torch-bf16", model_of(small_network()))


def test_an_engine_that_breaks_its_contract_is_named() -> None:
    batch = LineBatch.stack([random_line(64, 0), random_line(128, 1)])
    for steps in ([9, 18], [16, 31], [16], [0, 0]):
        wrong = Logits(values=np.zeros((len(steps), 31, 5), np.float32), lengths=np.array(steps))
        with pytest.raises(EngineError, match=r"steps .* \[64, 128\]"):
            wrong.rows(batch)


def test_an_unknown_engine_is_named_with_the_known_ones() -> None:
    with pytest.raises(EngineError, match="torch"):
        open_engine("abacus", model_of(small_network()))


def logits_for(path: str) -> NDArray[np.float32]:
    """Logits whose best path is `path`; `_` is the blank."""
    rows = np.full((len(path), ALPHABET.classes), -5.0, np.float32)
    for row, character in zip(rows, path, strict=True):
        row[0 if character == "_" else ALPHABET.encode(character)[0]] = 5.0
    return rows


@pytest.mark.parametrize(
    ("path", "text"),
    [("hheel_llo", "hello"), ("____", ""), ("a_a_aa", "aaa"), ("abc", "abc"), ("_9__9", "99")],
)
def test_best_path(path: str, text: str) -> None:
    assert read_best_path(logits_for(path), ALPHABET).text == text


def test_spaces_are_single_and_inside() -> None:
    rows = logits_for("aXb")
    rows[1, ALPHABET.encode("X")[0]], rows[1, DEFAULT_CHARACTERS.index(" ") + 1] = -5.0, 5.0
    padded = np.concatenate([rows[1:2], rows, rows[1:2]])
    assert read_best_path(padded, ALPHABET).text == "a b"


def test_confidence_falls_with_doubt() -> None:
    sure, unsure = logits_for("abc"), logits_for("abc") / np.float32(5)
    assert 0 < read_best_path(unsure, ALPHABET).confidence < 0.2
    assert 0.9 < read_best_path(sure, ALPHABET).confidence <= 1


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    network, path = small_network(), tmp_path / "model.safetensors"
    save_model(path, network, ALPHABET)
    loaded = load_model(path)
    assert loaded.alphabet == ALPHABET
    assert len(loaded.hash) == 16
    line = LineBatch.stack([random_line(256, 1)])
    np.testing.assert_allclose(
        open_engine("torch", loaded).logits(line).values,
        open_engine("torch", model_of(network)).logits(line).values,
        atol=0.05,  # half precision on disk
    )


def test_a_model_survives_its_file_with_the_head_that_training_needs(tmp_path: Path) -> None:
    network, path = small_network(), tmp_path / "model.safetensors"
    save_model(path, network, ALPHABET)
    kept = load_model(path).network.shortcut.weight
    assert torch.equal(kept, network.shortcut.weight.half().float())


def test_a_saved_model_is_as_open_to_others_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    save_model(tmp_path / "new" / "model.safetensors", small_network(), ALPHABET)
    model = tmp_path / "new" / "model.safetensors"
    assert model.stat().st_mode == (tmp_path / "other").stat().st_mode
    assert [path.name for path in model.parent.iterdir()] == [model.name]


@pytest.mark.parametrize(
    ("left_out", "fits"), [(["weight", "bias"], True), (["bias"], False), (["weight"], False)]
)
def test_a_model_may_lack_the_head_that_training_needs(
    tmp_path: Path, left_out: list[str], fits: bool
) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, small_network(), ALPHABET)
    with safe_open(path, "np") as file:
        metadata, names = file.metadata(), set(file.keys())
        names -= {f"shortcut.{part}" for part in left_out}
        tensors = {name: file.get_tensor(name) for name in names}
    save_file(tensors, path, metadata)
    with nullcontext() if fits else pytest.raises(ModelError, match="shortcut"):
        assert load_model(path).tensors.keys() == names


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_what_is_not_a_model_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.safetensors.*HWR_MODEL"):
        load_model(path)


def test_a_model_whose_weights_do_not_fit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    network = small_network()
    network.config = NetworkConfig(classes=ALPHABET.classes)
    save_model(path, network, ALPHABET)
    with pytest.raises(ModelError):
        load_model(path)


def test_the_tensors_a_shape_names_are_those_of_the_network() -> None:
    network = small_network()
    state = {
        name: tuple(tensor.shape)
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }
    assert network.config.tensors() | network.config.training_tensors() == state


@pytest.mark.parametrize("stride", [0, 5, -4, 4.0, "4", None, True])
def test_a_record_with_another_time_step_is_refused(stride: object) -> None:
    record = NetworkConfig(classes=ALPHABET.classes).to_json() | {"stride": stride}
    with pytest.raises(ValueError, match="one of"):
        NetworkConfig.from_json(record)


def test_a_record_of_before_has_eight_pixels_a_time_step() -> None:
    record = NetworkConfig(classes=ALPHABET.classes).to_json()
    del record["stride"]
    assert NetworkConfig.from_json(record).stride == 8
