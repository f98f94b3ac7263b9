"""Packs, drawn lines, and a run that resumes exactly. All data is drawn here."""

import json
import lzma
import zipfile
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hwr.errors import TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.weights import load_model
from hwr.training import texts
from hwr.training.batches import BatchPlan, Sources
from hwr.training.drawn import stroke_sample
from hwr.training.packs import pack_names, read_pack
from hwr.training.recipe import Recipe
from hwr.training.strokes import read_hands
from hwr.training.trainer import Trainer

ALPHABET = Alphabet(DEFAULT_CHARACTERS)
SMALL = NetworkConfig(classes=ALPHABET.classes, channels=(4, 8, 8), hidden=8, layers=2)
RECIPE = Recipe(steps=20, columns=1_600, pool=12, warmup=2, short_pools=1, fonts=0.0)


def draw_line(text: str) -> np.ndarray:
    image = np.full((64, 24 * len(text) + 16), 255, np.uint8)
    cv2.putText(image, text, (8, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2)
    return image


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A folder with one pack: ten lines, one damaged, one missing."""
    folder = tmp_path / "lines"
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


@pytest.fixture
def strokes(tmp_path: Path) -> Path:
    """A recording of one hand: box-shaped letters."""
    box = [0, 0, 40, 0, 0, 80, -40, 0, 0, -80]

    def word(text: str) -> list[object]:
        boxes = [[60 * i, 0, *box[2:]] for i, _ in enumerate(text.replace(" ", ""))]
        return [text, 3 if text[0].isdigit() else 1, boxes, 1.0]

    session = {
        "writer": "w",
        "lang": "en",
        "split": "train",
        "words": [word(t) for t in ("the", "box", "run", "over", "1 2 3 4 5", "6 7 8 9 0")],
    }
    path = tmp_path / "strokes.jsonl.xz"
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps(session) + "\n")
    return path


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


def test_a_hand_writes_words_and_numbers_with_its_own_ink(strokes: Path) -> None:
    (hand,) = read_hands(strokes, "train")
    assert {text for text, _ in hand.words} == {"the", "box", "run", "over"}
    assert set("0123456789thebxrunov") == set(hand.signs)
    sample = stroke_sample(hand, 7)
    again = stroke_sample(hand, 7)
    assert sample.text == again.text
    image = sample.load()
    assert np.array_equal(image, again.load())
    assert image.min() < 100
    assert abs(image.shape[1] - sample.width) < 40


@given(st.integers(0, 10**6))
def test_drawn_text_can_be_written(seed: int) -> None:
    text = texts.line_text(Random(seed))
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


def run(folder: Path, lines: Path, strokes: Path, until: int) -> Trainer:
    sources = Sources(
        real=read_pack(lines, "drawn", "train"), hands=read_hands(strokes, "train"), fonts=[]
    )
    trainer = Trainer(folder, RECIPE, SMALL, ALPHABET)
    trainer.run(BatchPlan(sources, RECIPE, ALPHABET), until=until, every=10)
    return trainer


def test_a_run_that_stops_and_resumes_ends_with_equal_weights(
    tmp_path: Path, lines: Path, strokes: Path
) -> None:
    straight = run(tmp_path / "straight", lines, strokes, 20)
    run(tmp_path / "halves", lines, strokes, 10)
    resumed = run(tmp_path / "halves", lines, strokes, 20)
    for a, b in zip(
        straight.network.state_dict().values(), resumed.network.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)
    curves = [(tmp_path / f / "curve.jsonl").read_text() for f in ("straight", "halves")]
    assert [len(curve.splitlines()) for curve in curves] == [2, 2]
    assert load_model(tmp_path / "straight" / "model.safetensors").alphabet == ALPHABET


def test_training_lowers_the_loss(tmp_path: Path, lines: Path) -> None:
    recipe = Recipe(steps=60, columns=1_600, pool=8, rate=5e-3, warmup=5, strokes=0, fonts=0)
    sources = Sources(real=read_pack(lines, "drawn", "train"), hands=[], fonts=[])
    trainer = Trainer(tmp_path, recipe, SMALL, ALPHABET)
    trainer.run(BatchPlan(sources, recipe, ALPHABET), every=5)
    curve = (tmp_path / "curve.jsonl").read_text()
    losses = [json.loads(row)["loss"] for row in curve.splitlines()]
    assert losses[-1] < 0.7 * losses[0]
