"""Training and measuring a model from the command line, on lines that are drawn here."""

import json
import lzma
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from running import hwr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder: one pack of lines and one transcribed page."""
    (tmp_path / "lines").mkdir()
    (tmp_path / "pages").mkdir()
    rows = ["path\ttext\twriter\tsplit"]
    with zipfile.ZipFile(tmp_path / "lines" / "drawn.zip", "w") as archive:
        for index in range(8):
            image = np.full((64, 260), 255, np.uint8)
            _write(image, f"line {index}", 44)
            archive.writestr(f"{index}.jpg", cv2.imencode(".jpg", image)[1].tobytes())
            rows.append(f"{index}.jpg\tline {index}\tw{index}\t{'val' if index > 5 else 'train'}")
    (tmp_path / "lines" / "drawn.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    _draw_page(tmp_path / "pages")
    session = {"writer": "w", "split": "train", "words": [["ill", 1, [[0, 0, 0, 90]], 1.0]]}
    (tmp_path / "strokes").mkdir()
    with lzma.open(tmp_path / "strokes" / "writepad.jsonl.xz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(session) + "\n")
    return tmp_path


def test_lines_of_ones_own_are_measured(tmp_path: Path) -> None:
    image = np.full((64, 260), 255, np.uint8)
    _write(image, "Dear Sir", 44)
    assert cv2.imwrite(str(tmp_path / "one.png"), image)
    (tmp_path / "labels.tsv").write_text("path\ttext\none.png\tDear Sir\n", encoding="utf-8")
    measured = hwr("evaluate", tmp_path, "--split", "all", "--decoder", "best-path")
    assert measured.returncode == 0, measured.stderr
    assert f"{tmp_path.name}  " in measured.stdout
    empty = hwr("evaluate", tmp_path, "--decoder", "best-path")
    assert empty.returncode == 1
    assert "no line of the split val. Take --split train (1 lines) or --split all" in empty.stderr
    assert "Traceback" not in empty.stderr


def test_a_version_is_not_quantised(data: Path) -> None:
    done = hwr("quantise", data, model=Path("cheques@v1"))
    assert done.returncode == 1
    assert done.stderr.startswith("ModelError: HWR_MODEL is cheques@v1, and versions never change")


@pytest.mark.parametrize("named", ["a.safetensors", "a.safetensors=0", "a.safetensors=nan", "=1"])
def test_a_model_without_a_share_is_not_averaged(named: str, tmp_path: Path) -> None:
    done = hwr("average", tmp_path / "mean.safetensors", named)
    assert done.returncode == 2
    assert "FILE=SHARE" in done.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.timeout(400)
def test_a_model_is_trained_and_measured(data: Path) -> None:
    run, figures, sheet = data / "run", data / "figures.json", data / "worst.png"
    trained = hwr("train", data, "--out", run, "--steps", "2", "--no-draw-fonts")
    assert trained.returncode == 0, trained.stderr
    model = run / "model.safetensors"
    refused = hwr("train", data, "--out", data / "none", "--recombined", "0.5", "--no-draw-fonts")
    assert refused.returncode == 1
    assert "Name one with --after" in refused.stderr
    options: tuple[str | Path, ...]
    options = ("--steps", "1", "--no-draw-fonts", "--freeze", "--loaders", "1")
    options += ("--recombined", "0.5", "--agreement", "0.2", "--rate", "0.0003", "--cooldown", "1")
    tuned = hwr("train", data, "--out", data / "tuned", "--after", model, *options)
    assert tuned.returncode == 0, tuned.stderr
    assert list((data / "tuned").glob("hands-train-*")), "the model's file cuts recorded words"
    assert list((data / "tuned").glob("words-*")), "and finds the words of real lines"
    state = torch.load(data / "tuned" / "checkpoint.pt", weights_only=True)
    assert (state["recipe"]["rate"], state["recipe"]["cooldown"]) == (0.0003, 1.0)

    mean = data / "mean.safetensors"
    after = data / "tuned" / "model.safetensors"
    averaged = hwr("average", mean, f"{model}=0.6", f"{after}=0.4")
    assert averaged.returncode == 0, averaged.stderr
    assert averaged.stdout.startswith(f"{mean} ")

    options = ("--engine", "torch", "--json", figures, "--worst", sheet)
    measured = hwr("evaluate", data, *options, model=model)
    assert measured.returncode == 0, measured.stderr
    assert "drawn" in measured.stdout
    told = json.loads(figures.read_text())
    assert told["reader"]["engine"].startswith("torch")
    rates = told["sets"]["drawn"]["raw"]["rates"]
    assert rates["lines"] == 2
    assert rates["cer"] > 0.5, "two steps cannot have taught it"
    assert sheet.read_bytes().startswith(b"\x89PNG")

    quantised = hwr("quantise", data, "--allow", "100", model=model)
    assert quantised.returncode == 0, quantised.stderr
    assert f"{model.with_suffix('.int8.json')}" in quantised.stdout

    plot = data / "confidence.svg"
    options = ("--decoder", "best-path", "--plot", plot)
    calibrated = hwr("calibrate", model, data, *options)
    assert calibrated.returncode == 0, calibrated.stderr
    assert "all sets" in calibrated.stdout
    assert plot.read_text().startswith("<svg")
    (scales,) = run.glob("*.confidence.json")
    assert "best-path" in json.loads(scales.read_text())["decoders"]

    pages = hwr("evaluate", data, "--pages", "--json", figures, "--worst", sheet, model=model)
    assert pages.returncode == 0, pages.stderr
    assert "cpu int8" in pages.stderr
    lines = json.loads(figures.read_text())["sets"]["all"]["lines"]
    assert (lines["true"], lines["found"], lines["order_errors"]) == (3, 3, 0)
    assert "true crops" in pages.stdout
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_a_half_without_pages_is_named(data: Path) -> None:
    measured = hwr("evaluate", data, "--pages", "--half", "held-out")
    assert measured.returncode == 1
    assert "no transcribed page of this half" in measured.stderr


def test_a_folder_without_pages_is_named(tmp_path: Path) -> None:
    measured = hwr("evaluate", tmp_path, "--pages")
    assert measured.returncode == 1
    assert "holds no transcribed page" in measured.stderr


def test_a_folder_without_lines_is_named(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    done = hwr("train", tmp_path, "--out", tmp_path / "run", "--no-draw-fonts")
    assert done.returncode == 1
    assert "TrainingDataError" in done.stderr
    assert "Traceback" not in done.stderr


def _draw_page(folder: Path) -> None:
    image = np.full((700, 900), 255, np.uint8)
    lines = []
    for order in range(3):
        base = 200 + 120 * order
        _write(image, "some words", base)
        box = [[40, base - 50], [400, base - 50], [400, base + 30], [40, base + 30]]
        lines.append({"order": order, "text": "some words", "polygon": box})
    cv2.imwrite(str(folder / "page.jpg"), image)
    (folder / "page.json").write_text(json.dumps({"lines": lines}))


def _write(image: np.ndarray, text: str, base: int) -> None:
    cv2.putText(image, text, (50, base), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.5, 0, 2, cv2.LINE_AA)
