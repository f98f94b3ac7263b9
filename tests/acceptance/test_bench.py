"""`hwr bench` on a machine where nothing but hwr is installed."""

import json
from pathlib import Path
from xml.etree import ElementTree

from running import hwr


def test_one_command_measures_and_leaves_table_json_and_plot(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = hwr("bench", "--quick", "--engine", "onnx", "--out", out)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == (out / "bench.md").read_text(encoding="utf-8")
    figures = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    (engine,) = figures["engines"]
    assert engine["lines_per_s"]["median"] > 0
    assert [latency["load"] for latency in engine["latencies"]] == [0.5, 0.9]
    assert 50 < engine["memory_mib"] < 4000
    assert 0 < engine["peak_share"] < 1
    policies = {policy["name"]: policy for policy in figures["policies"]}
    assert policies["single"]["padding"] == 0 < policies["arrival"]["padding"]
    assert policies["hwr"]["padding"] < policies["arrival"]["padding"]
    assert [cost["name"] for cost in figures["pages"]] == ["PDF", "PNG", "TIF"]
    assert ElementTree.parse(out / "bench.svg").getroot().tag.endswith("svg")
    names = [row["name"] for row in figures["peers"] + figures["skipped"]]
    assert set(names) == {
        "hwr onnx, best-path",
        "hwr onnx, auto",
        "hwr onnx, thorough",
        "rapidocr",
        "tesseract",
    }


def test_an_unknown_engine_is_refused_by_name(tmp_path: Path) -> None:
    ran = hwr("bench", "--quick", "--engine", "abacus", "--out", tmp_path / "out")
    assert ran.returncode == 1
    assert "There is no engine 'abacus'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_language_model_of_the_settings_is_measured(tmp_path: Path) -> None:
    gone = tmp_path / "gone.safetensors"
    ran = hwr("bench", "--quick", "--out", tmp_path / "out", HWR_LANGUAGE_MODEL=str(gone))
    assert ran.returncode == 1
    assert f"{gone}" in ran.stderr
    assert "Traceback" not in ran.stderr
