"""Where training runs, and in which arithmetic."""

from pathlib import Path

import pytest
import torch

from hwr.training.compute import Compute

CPU_FLAGS = Path("/proc/cpuinfo")


@pytest.mark.parametrize(("fast", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_cpu_trains_in_bfloat16_only_where_that_is_fast(
    monkeypatch: pytest.MonkeyPatch, fast: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: fast)
    with Compute(torch.device("cpu")).autocast():
        assert torch.nn.functional.linear(torch.ones(1, 2), torch.ones(3, 2)).dtype == dtype


@pytest.mark.skipif(not CPU_FLAGS.exists(), reason="asks Linux for the CPU's instructions")
def test_bfloat16_takes_a_cpu_with_instructions_for_it() -> None:
    flags = CPU_FLAGS.read_text("ascii", "replace")
    if "avx512_bf16" not in flags and "amx_bf16" not in flags and "avx_ne_convert" not in flags:
        assert not Compute(torch.device("cpu")).bfloat16


def test_without_a_gpu_the_cpu_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Compute.best().device == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert Compute.best().device == torch.device("cuda", 3)
