"""`hwr train-language` as a user has it: from a data folder to a model that `hwr lines` takes."""

import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from corpora import write_corpora
from typer.testing import CliRunner

from hwr.decoding.language_model import load_language_model
from hwr.errors import TrainingDataError
from hwr.training import language
from workers.cli import app
from workers.settings import get_settings

TEXTS = ("the cat sat on the mat", "two hundred dollars", "a fine day", "state of the union")


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    """Settings are read from the environment once: before this test, and again after it."""
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def draw_jpeg(text: str) -> bytes:
    image = np.full((64, 24 * len(text) + 40), 255, np.uint8)
    cv2.putText(image, text, (16, 44), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.2, 0, 2)
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A pack with a training line and a few validation lines, by two writers."""
    lines = tmp_path / "data" / "lines"
    lines.mkdir(parents=True)
    rows = ["path\ttext\twriter\tsplit"]
    with zipfile.ZipFile(lines / "notes.zip", "w") as archive:
        for number, text in enumerate(TEXTS):
            archive.writestr(f"{number}.jpg", draw_jpeg(text))
            rows.append(f"{number}.jpg\t{text}\tw{number % 2}\t{'val' if number else 'train'}")
    (lines / "notes.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    folder = tmp_path / "corpora"
    write_corpora(folder, " ".join(TEXTS) * 9)
    return folder


def test_a_language_model_is_made_chosen_and_used(
    data: Path, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = partial(language.LanguageRecipe, most=20_000, drawn_lines=100, most_words=200)
    monkeypatch.setattr(language, "LanguageRecipe", small)
    out = tmp_path / "language.safetensors"
    run = partial(CliRunner().invoke, app, catch_exceptions=False)
    made = run(["train-language", str(data), "--out", str(out), "--corpora", str(corpora)])
    assert made.exit_code == 0
    assert "notes" in made.stdout
    monkeypatch.setenv("HWR_LANGUAGE_MODEL", str(out))
    get_settings.cache_clear()
    line = tmp_path / "line.png"
    line.write_bytes(draw_jpeg(TEXTS[0]))
    read = run(["lines", str(line), "--decoder", "beam:4"])
    assert read.exit_code == 0
    assert str(line) in read.stdout
    assert load_language_model(out).heed.weight > 0


def test_data_without_validation_lines_is_refused_before_anything_is_learnt(
    tmp_path: Path,
) -> None:
    (tmp_path / "labels.tsv").write_text("path\ttext\nline.jpg\tthe cat\n")
    (tmp_path / "line.jpg").write_bytes(draw_jpeg("the cat"))
    out = tmp_path / "language.safetensors"
    made = CliRunner().invoke(app, ["train-language", str(tmp_path), "--out", str(out)])
    assert isinstance(made.exception, TrainingDataError)
    assert "split val" in str(made.exception)
    assert not out.exists()


def test_a_missing_language_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWR_LANGUAGE_MODEL", str(tmp_path / "gone"))
    line = tmp_path / "line.png"
    line.write_bytes(draw_jpeg(TEXTS[0]))
    result = CliRunner().invoke(app, ["lines", str(line)])
    assert result.exit_code == 1
    assert "HWR_LANGUAGE_MODEL" in str(result.exception)
