"""What can be published: files that belong together and read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pipeline import small_model

from hwr.decoding.language_model import SHIPPED as LANGUAGE_MODEL
from hwr.engines import LineBatch, Logits
from hwr.engines.torch_engine import TorchEngine
from hwr.errors import LineFailed, ModelError, ModelMismatch
from hwr.model.confidence import ConfidenceScale, add_scale, scales_path
from hwr.model.quantisation import Quantisation, save_quantisation
from hwr.model.weights import load_model, save_model
from workers.models.bundle import collect, try_out
from workers.models.manifest import CARD, LANGUAGE, LINE, QUANTISATION, SCALES
from workers.settings import Settings

SETTINGS = Settings(engine="torch", decoder="best-path")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What training leaves: the recogniser beside files that belong to no version."""
    small_model(tmp_path / "model.safetensors")
    (tmp_path / "CARD.md").write_text("Reads nothing. CC0.")
    (tmp_path / "checkpoint.pt").write_bytes(b"checkpoint")
    (tmp_path / "tensorboard").mkdir()
    return tmp_path


def test_a_folder_gives_what_belongs_to_its_recogniser(folder: Path) -> None:
    assert collect([folder]) == {LINE: folder / "model.safetensors", CARD: folder / "CARD.md"}


def test_files_may_lie_anywhere_and_bring_what_lies_beside(folder: Path, tmp_path: Path) -> None:
    line = folder / "model.safetensors"
    add_scale(scales_path(line), load_model(line).hash, "best-path", ConfidenceScale())
    found = collect([line, LANGUAGE_MODEL])
    assert found == {
        LINE: line,
        SCALES: folder / "model.confidence.json",
        LANGUAGE: LANGUAGE_MODEL,
        CARD: folder / "CARD.md",
    }
    try_out(SETTINGS, found)


def test_a_model_needs_its_card(folder: Path) -> None:
    (folder / "CARD.md").unlink()
    with pytest.raises(ModelError, match="licence"):
        collect([folder])


def test_of_two_recognisers_one_must_be_named(folder: Path) -> None:
    (folder / "last.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match=r"last\.safetensors.*model\.safetensors"):
        collect([folder])
    assert collect([folder / "last.safetensors"])[LINE] == folder / "last.safetensors"


def test_a_folder_without_a_recogniser(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="one recogniser, found: none"):
        collect([tmp_path])


def test_what_is_no_model_is_refused(folder: Path) -> None:
    (folder / "other.safetensors").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"other\.safetensors"):
        collect([folder])


def test_ranges_and_scales_of_other_weights_are_refused(folder: Path) -> None:
    line = folder / "model.safetensors"
    ranges = Quantisation(model="0" * 16, ranges={"a": (0.0, 1.0)}, share=1.0, lines=1, cer={})
    save_quantisation(line, ranges)
    with pytest.raises(ModelMismatch, match="hwr quantise"):
        try_out(SETTINGS, collect([folder]))
    save_quantisation(line, replace(ranges, model=load_model(line).hash))
    assert QUANTISATION in collect([folder])
    try_out(SETTINGS, collect([folder]))
    add_scale(scales_path(line), "0" * 16, "best-path", ConfidenceScale())
    with pytest.raises(ModelMismatch, match="hwr calibrate"):
        try_out(SETTINGS, collect([folder]))


def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    model = load_model(folder / "model.safetensors")
    network = model.network
    with torch.no_grad():
        next(iter(network.parameters())).fill_(np.nan)
    save_model(folder / "model.safetensors", network, model.alphabet)
    with pytest.raises(ModelError, match="no numbers"):
        try_out(SETTINGS, collect([folder]))


def test_a_model_whose_answers_are_no_numbers_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(self: TorchEngine, batch: LineBatch) -> Logits:
        logits = read(self, batch)
        return Logits(values=np.full_like(logits.values, np.nan), lengths=logits.lengths)

    read = TorchEngine.logits
    monkeypatch.setattr(TorchEngine, "logits", nothing)
    with pytest.raises(LineFailed):
        try_out(SETTINGS, collect([folder]))
