"""Other programs are asked in their own way; tables and plots hold every figure."""

import stat
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from hwr.benchmark import peers
from hwr.benchmark.arrivals import Latency
from hwr.benchmark.figures import DecoderFigures, EngineFigures, Figures, PeerFigures, PolicyFigures
from hwr.benchmark.machine import this_machine
from hwr.benchmark.markdown import as_markdown
from hwr.benchmark.peak import Peak
from hwr.benchmark.plot import as_svg
from hwr.benchmark.policies import Policy
from hwr.benchmark.spread import Spread
from hwr.benchmark.stages import PageCost
from hwr.benchmark.subject import Skipped
from hwr.errors import HwrError

CROPS = [np.full((40, 100), 255, np.uint8)] * 2

TESSERACT = """#!/bin/sh
if [ "$1" = --version ]; then echo "tesseract 9.9.9"; exit; fi
[ "$OMP_THREAD_LIMIT" = 1 ] || exit 3
printf 'level\\tpage_num\\ttext\\n' > "$2.tsv"
if [ "$(wc -l < "$1")" = 1 ]; then printf '1\\t1\\t\\n' >> "$2.tsv"; exit; fi
printf '%b' '{rows}' >> "$2.tsv"
"""

RAPIDOCR = """
class Found:
    def __init__(self, txts):
        self.txts = txts

class RapidOCR:
    def __init__(self, params):
        assert params["EngineConfig.onnxruntime.intra_op_num_threads"] == 1

    def __call__(self, picture, use_det, use_cls, use_rec):
        assert (picture.shape[2], use_det, use_cls, use_rec) == (3, False, False, True)
        return Found(None if picture.min() == 255 else ("ink",))
"""


def install_tesseract(folder: Path, rows: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "tesseract"
    program.write_text(TESSERACT.format(rows=rows), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def find(name: str) -> peers.Peer:
    return next(peer for peer in peers.find_peers()[0] if peer.name == name)


def test_tesseract_reads_all_crops_in_one_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "1\\t1\\t\\n5\\t1\\ttwo\\n5\\t1\\twords\\n1\\t2\\t\\n"
    install_tesseract(tmp_path, rows, monkeypatch)
    peer = find("tesseract")
    assert peer.identity == "9.9.9, eng"
    assert peer.read(CROPS) == ["two words", ""]


def test_a_line_that_tesseract_lost_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_tesseract(tmp_path, "1\\t1\\t\\n", monkeypatch)
    with pytest.raises(HwrError, match="1 of 2 lines"):
        find("tesseract").read(CROPS)


def test_a_program_that_does_not_work_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tesseract").write_text("#!/bin/sh\necho tesseract 9.9.9; exit 1\n")
    (tmp_path / "tesseract").chmod(0o755)
    (tmp_path / "rapidocr.py").write_text("import no_such_runtime\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "rapidocr", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found, skipped = peers.find_peers()
    assert found == []
    assert {name.name for name in skipped} == {"rapidocr", "tesseract"}
    assert all("does not work" in name.reason for name in skipped)


def test_rapidocr_is_asked_for_recognition_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rapidocr.py").write_text(RAPIDOCR, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "rapidocr", raising=False)
    monkeypatch.setattr(peers, "version", lambda _: "9.9")
    inked = CROPS[0].copy()
    inked[20] = 0
    assert find("rapidocr").read([CROPS[0], inked]) == ["", "ink"]


def test_what_is_not_installed_is_named_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "/nowhere")
    found, skipped = peers.find_peers()
    assert found == []
    assert {name.name for name in skipped} == {"rapidocr", "tesseract"}
    assert all("install" in name.reason for name in skipped)


def spread(middle: float) -> Spread:
    return Spread(median=middle, low=middle - 1, high=middle + 1, rounds=3)


def some_figures() -> Figures:
    latency = Latency(load=0.9, offered=7.5, lines=99, p50_ms=11.2, p95_ms=22.2, p99_ms=33.4)
    engine = EngineFigures(
        name="swift <1>",
        identity="swift 1 cpu int8",
        dtype="int8",
        lines_per_s=spread(123.4),
        lines_per_cpu_s=125.6,
        peak_share=0.42,
        padding=0.034,
        cer=0.0567,
        pages_per_s=None,
        latencies=(latency,),
        memory_mib=None,
    )
    policies = tuple(
        PolicyFigures(
            name=policy.value,
            engine="swift <1>",
            lines_per_s=spread(50),
            against_ours=spread(2),
            padding=0.5,
            batches=7,
        )
        for policy in Policy
    )
    cost = PageCost(
        name="PDF", pages=2, lines=9.5, render_s=0.1, find_s=0.2, cut_s=0.3, read_s=0.4, wall_s=2
    )
    return Figures(
        machine=this_machine(),
        threads=1,
        rounds=3,
        material="drawn",
        lines=64,
        mean_width=700.0,
        model="0123",
        flops_per_line=3e9,
        peaks=(Peak(device="cpu", dtype="int8", flops_per_s=8.3e11),),
        engines=(engine,),
        fastest="swift <1>",
        policies=policies,
        decoders=(
            DecoderFigures(
                name="best-path",
                identity="best-path",
                lines_per_s=spread(44),
                lines_per_cpu_s=45.0,
                cer=0.06,
            ),
        ),
        pages=(cost,),
        peers=(PeerFigures(name="peer", identity="9", lines_per_s=spread(6), cer=0.3),),
        skipped=(Skipped(name="absent", reason="no driver"),),
        seconds=77.0,
    )


def test_the_table_holds_every_figure_and_every_row_its_columns() -> None:
    table = as_markdown(some_figures())
    for told in ("123.4 (122.4–124.4)", "42% of int8", "5.67%", "| 33 |", "int8 830", "30.0%"):
        assert told in table
    assert "| PDF | 2 | 9.5 | 0.100 | 0.200 | 0.300 | 0.600 | 0.400 | 1.000 |" in table
    assert "Not measured: absent (no driver)" in table
    for section in table.split("### ")[1:]:
        columns = {row.count("|") for row in section.splitlines() if row.startswith("|")}
        assert len(columns) == 1


def test_the_plot_is_a_picture_with_a_bar_for_every_speed() -> None:
    root = ElementTree.fromstring(as_svg(some_figures()))
    bars = [shape for shape in root if shape.tag.endswith("rect")][1:]
    assert len(bars) == 1 + len(Policy) + 1
    assert all(float(bar.attrib["width"]) > 0 for bar in bars)
    assert "swift <1>" in [shape.text for shape in root]
