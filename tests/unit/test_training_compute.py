"""Where training runs, and in which arithmetic."""

from pathlib import Path

import pytest
import torch

from hwr.model import processor
from hwr.training.compute import Compute


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ("flags : fpu avx512f avx512_bf16", torch.bfloat16),
        ("Features : fp asimd bf16", torch.bfloat16),
        ("flags : fpu avx2 avx512f avx512_vnni", torch.float32),
        (None, torch.float32),
    ],
)
def test_a_cpu_trains_in_bfloat16_only_where_it_has_instructions_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str | None, dtype: torch.dtype
) -> None:
    info = tmp_path / "cpuinfo"
    if flags:
        info.write_text(flags, encoding="utf-8")
    monkeypatch.setattr(processor, "_CPU_INFO", info)
    with Compute(torch.device("cpu")).autocast():
        assert torch.nn.functional.linear(torch.ones(1, 2), torch.ones(3, 2)).dtype == dtype


def test_without_a_gpu_the_cpu_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Compute.best().device == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert Compute.best().device == torch.device("cuda", 3)
