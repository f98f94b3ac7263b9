"""What `hwr bench` measures with is right where it can be known beforehand."""

import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from memory_models import model_of
from numpy.typing import NDArray

from hwr.benchmark import peak, run, subject
from hwr.benchmark.arrivals import arrival_times, measure_latency
from hwr.benchmark.clock import Clock
from hwr.benchmark.material import BenchLine, Material, folder_material
from hwr.benchmark.policies import Policy, read_all
from hwr.benchmark.spread import Spread, rounds
from hwr.benchmark.subject import Subject, start_all
from hwr.decoding.reading import LineReading
from hwr.engines import Engine, LineBatch, Logits
from hwr.errors import EngineError, TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn

Grey = NDArray[np.uint8]


def line(number: int, width: int, page: int = 0) -> BenchLine:
    """A line whose first pixel tells its number."""
    image = np.full((64, width), 255, np.uint8)
    image[0, 0] = number
    return BenchLine(crop=image, image=image, text=str(number), page=page)


def say_numbers(images: Sequence[Grey]) -> list[LineReading]:
    return [LineReading(text=str(image[0, 0]), confidence=1.0) for image in images]


widths = st.lists(st.integers(1, 300).map(lambda w: 8 * w), min_size=1, max_size=60)


class TestPolicies:
    @given(widths, st.sampled_from(Policy))
    def test_every_policy_reads_every_line_once(self, widths: list[int], policy: Policy) -> None:
        lines = [line(n, width, n // 7) for n, width in enumerate(widths)]
        done = read_all(say_numbers, lines, policy)
        assert done.texts == tuple(str(n) for n in range(len(lines)))
        assert 0 <= done.padding < 1
        assert 1 <= done.batches <= len(lines)

    def test_only_lines_of_one_page_are_sorted_together(self) -> None:
        seen: list[list[int]] = []

        def work(images: Sequence[Grey]) -> list[LineReading]:
            seen.append([image.shape[1] for image in images])
            return say_numbers(images)

        read_all(work, [line(0, 80), line(1, 40), line(2, 64, 1)], Policy.PAGE_WIDTH)
        assert seen == [[40, 80], [64]]

    def test_padding_is_counted_by_area(self) -> None:
        lines = [line(0, 100), line(1, 300), line(2, 100), line(3, 300)]
        assert read_all(say_numbers, lines, Policy.ARRIVAL).padding == pytest.approx(1 / 3)
        assert read_all(say_numbers, lines, Policy.SINGLE).padding == 0
        assert read_all(say_numbers, lines, Policy.SINGLE).batches == 4


class TestLatency:
    @given(st.floats(0.5, 500), st.floats(0.1, 5), st.integers(0, 9))
    def test_lines_arrive_in_order_and_in_time(self, rate: float, end: float, seed: int) -> None:
        times = arrival_times(rate, end, np.random.default_rng(seed))
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] < end

    def test_as_many_arrive_as_were_asked_for(self) -> None:
        count = len(arrival_times(1000, 20, np.random.default_rng(1)))
        assert abs(count - 20_000) < 5 * 20_000**0.5

    def test_a_queue_shows_in_the_times(self) -> None:
        def slow(images: Sequence[Grey]) -> list[LineReading]:
            time.sleep(0.02 * len(images))
            return say_numbers(images)

        # Four times as many lines arrive as can be read: the last ones wait for all before them.
        found = measure_latency(slow, [line(0, 64)], capacity=50, load=4.0, duration_s=0.4)
        assert found.lines > 40
        assert 20 <= found.p50_ms < found.p95_ms <= found.p99_ms
        assert found.p99_ms > 300


class TestMeasures:
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
    def test_the_peak_is_the_arithmetic_of_a_product_by_its_time(
        self, dtype: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(peak, "_SIDES", {"cpu": 64})
        monkeypatch.setattr(peak, "_fastest", lambda product, device: (product(), 0.5)[1])
        assert peak.measure_peak("cpu", dtype).flops_per_s == 2 * 64**3 / 0.5

    def test_eight_bits_are_not_measured_by_a_plain_loop(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(peak, "_SIDES", {"cpu": 64})
        monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False)
        monkeypatch.delattr(torch, "_int_mm")
        assert peak.measure_peak("cpu", "int8").flops_per_s > 0

    def test_a_clock_counts_children_and_adds_up(self) -> None:
        clock = Clock()
        for _ in range(2):
            with clock.running():
                subprocess.run([sys.executable, "-Ic", "sum(range(300_000))"], check=True)
        assert clock.cpu_s > 0
        assert clock.wall_s > 0

    def test_rounds_begin_with_another_each_time(self) -> None:
        assert "".join(rounds("abc", 3)) == "abcbcacab"
        assert list(rounds([], 2)) == []

    def test_a_spread_has_its_middle_and_its_ends(self) -> None:
        assert Spread.of([3, 1, 9]) == Spread(median=3, low=1, high=9, rounds=3)


class FakeEngine:
    """Claims to be what it is told to."""

    columns = 16_384

    def __init__(self, identity: str) -> None:
        self.identity = identity

    def logits(self, batch: LineBatch) -> Logits:
        raise NotImplementedError

    def warm_up(self) -> None:
        pass


class TestSubjects:
    @pytest.mark.parametrize(
        ("identity", "dtype", "device"),
        [
            ("onnxruntime 1.31 cpu int8 0123", "int8", "cpu"),
            ("torch 2.13 cpu bfloat16", "bfloat16", "cpu"),
            ("torch 2.13 cuda float32", "float32", "cuda"),
            ("tensorrt 10 float16", "float16", "cuda"),
        ],
    )
    def test_arithmetic_and_device_are_in_the_identity(
        self, identity: str, dtype: str, device: str
    ) -> None:
        made = Subject(name="it", identity=identity, engine=FakeEngine(identity), work=say_numbers)
        assert (made.dtype, made.device) == (dtype, device)

    def test_an_engine_that_does_not_serve_is_not_measured_as_if_it_did(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> Engine:
            raise EngineError("no such device")

        made = {
            "good": lambda *_: FakeEngine("good 1"),
            "other": lambda *_: FakeEngine("eager in place of other (EngineError)"),
            "broken": broken,
        }
        monkeypatch.setattr(subject, "open_engine", lambda name, *_: made[name]())
        model = model_of(Crnn(NetworkConfig(classes=len(DEFAULT_CHARACTERS) + 1)))
        subjects, skipped = start_all(list(made), model, 1)
        assert [found.name for found in subjects] == ["good"]
        assert [found.name for found in skipped] == ["other", "broken"]
        assert "no such device" in skipped[1].reason


def test_an_engine_whose_memory_cannot_be_measured_is_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measure(name: str, *_: object) -> float:
        if name == "broken":
            raise EngineError("it failed in a process of its own.")
        return 70.0

    monkeypatch.setattr(run, "measure_memory", measure)
    table = run._Table(
        plan=run.QUICK,
        material=Material(said="none", lines=(), documents=()),
        model=model_of(Crnn(NetworkConfig(classes=len(DEFAULT_CHARACTERS) + 1))),
        decoders={},
        say=lambda text: None,
    )
    engine = FakeEngine("")
    subjects = [
        Subject(name=name, identity="", engine=engine, work=say_numbers)
        for name in ("broken", "good")
    ]
    peaks, (failed,) = run._measure_memory(table, subjects)
    assert peaks == {"good": 70.0}
    assert failed.name == "broken, memory"
    assert "process of its own" in failed.reason


def jpeg(width: int) -> bytes:
    return cv2.imencode(".jpg", np.full((64, width), 255, np.uint8))[1].tobytes()


def test_lines_of_any_data_set_are_read_and_a_broken_one_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "1.jpg").write_bytes(jpeg(80))
    rows = "path\ttext\twriter\tsplit\n1.jpg\tone\tw\tval\n"
    (tmp_path / "table" / "t.tsv").write_text(rows, encoding="utf-8")
    rows = "path\ttext\twriter\tsplit\n2.jpg\ttwo\tw\tval\n3.jpg\tthree\tw\tval\n"
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "pack.tsv").write_text(rows, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "notes" / "pack.zip", "w") as archive:
        archive.writestr("2.jpg", jpeg(120))
        archive.writestr("3.jpg", jpeg(120)[:200])
    found = folder_material(tmp_path, pages=1, lines=8)
    assert [(line.text, line.page) for line in found.lines] == [("two", 0), ("one", 1)]
    assert "pack: 3.jpg left out" in caplog.text


def test_a_folder_without_validation_lines_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    with pytest.raises(TrainingDataError, match="no line pack"):
        folder_material(tmp_path, pages=1, lines=4)
