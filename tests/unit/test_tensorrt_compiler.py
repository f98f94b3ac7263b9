"""What is asked of Torch-TensorRT, against a stand-in with the names of its 2.13 documentation."""

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tensorrt_doubles import small_network

from hwr.engines import tensorrt_compiler
from hwr.engines.tensorrt_buckets import BUCKETS
from hwr.engines.tensorrt_compiler import TorchTensorRt
from hwr.engines.tensorrt_parts import parts_of
from hwr.errors import EngineError
from hwr.model.network import fold_norms

DRIVER = """\
NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build  (root@builder)
GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)
"""


class Library:
    """Torch-TensorRT as far as it is used; it remembers what it was asked."""

    __version__ = "2.13.0"
    __spec__ = ModuleSpec("torch_tensorrt", None)

    def __init__(self) -> None:
        self.graphs: list[bool] = []
        self.conversions: list[dict[str, Any]] = []
        self.runtime = SimpleNamespace(set_cudagraphs_mode=self.graphs.append)
        self.dynamo = SimpleNamespace(
            convert_exported_program_to_serialized_trt_engine=self._convert,
            runtime=SimpleNamespace(TorchTensorRTModule=self._module),
        )

    def Input(self, **fields: Any) -> dict[str, Any]:  # noqa: N802
        return fields

    def _convert(self, program: torch.export.ExportedProgram, **options: Any) -> bytes:
        assert Path(options["timing_cache_path"]).parent.is_dir()
        names = [spec.arg.name for spec in program.graph_signature.input_specs]
        self.conversions.append({"names": names, **options})
        return b"engine"

    def _module(self, engine: bytes, **names: Any) -> Callable[[], Any]:
        return lambda: (engine, names)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    driver = tmp_path / "version"
    driver.write_text(DRIVER)
    tensorrt = SimpleNamespace(__version__="11.0.0", __spec__=ModuleSpec("tensorrt", None))
    monkeypatch.setitem(sys.modules, "torch_tensorrt", library)
    monkeypatch.setitem(sys.modules, "tensorrt", tensorrt)
    monkeypatch.setattr(tensorrt_compiler, "_DRIVER", driver)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H100 80GB HBM3")
    return library


def test_a_build_hands_over_the_graph_and_the_ranges_of_its_inputs(library: Library) -> None:
    backbone, head = parts_of(fold_norms(small_network()).half(), BUCKETS[1])
    compiler = TorchTensorRt()
    assert [compiler.build(part) for part in (backbone, head)] == [b"engine", b"engine"]
    ink, widths = library.conversions[0]["arg_inputs"]
    assert ink == {
        "name": "ink",
        "dtype": torch.float16,
        "min_shape": (1, 1, 64, 264),
        "opt_shape": (32, 1, 64, 512),
        "max_shape": (62, 1, 64, 512),
    }
    assert widths["dtype"] == torch.int64
    assert [widths[f"{which}_shape"] for which in ("min", "opt", "max")] == [(1,), (32,), (62,)]
    (sequence,) = library.conversions[1]["arg_inputs"]
    assert sequence["max_shape"] == (62, 128, 10)
    # Bindings are named after the graph's own inputs, so the two must agree.
    assert library.conversions[0]["names"][-2:] == ["ink", "widths"]
    assert library.conversions[1]["names"][-1:] == ["sequence"]


def test_an_engine_is_bound_by_the_names_of_its_inputs(library: Library) -> None:
    backbone, _ = parts_of(fold_norms(small_network()), BUCKETS[0])
    engine, names = TorchTensorRt().load(backbone, b"engine")()
    assert engine == b"engine"
    assert names["input_binding_names"] == ["ink", "widths"]
    assert names["output_binding_names"] == ["output0"]


def test_each_call_records_graphs_or_not_as_its_engine_wants(library: Library) -> None:
    backbone, _ = parts_of(fold_norms(small_network()), BUCKETS[0])
    plain, recorded = (TorchTensorRt(graphs).load(backbone, b"") for graphs in (False, True))
    for run in (plain, recorded, plain):
        run()
    assert library.graphs == [False, True, False]


def test_the_platform_names_every_version_and_the_gpu(library: Library) -> None:
    assert TorchTensorRt().platform == {
        "torch": torch.__version__,
        "torch_tensorrt": "2.13.0",
        "tensorrt": "11.0.0",
        "driver": "580.82.07",
        "gpu": "NVIDIA H100 80GB HBM3 9.0",
    }


def test_a_driver_that_says_nothing_is_unknown(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorrt_compiler, "_DRIVER", Path("/proc/no/such/file"))
    assert TorchTensorRt().platform["driver"] == "unknown"


def test_a_machine_without_a_gpu_is_named(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="found no NVIDIA GPU"):
        TorchTensorRt()


@pytest.mark.parametrize("error", ["RuntimeError", "AssertionError", "OSError", "Exception"])
def test_whatever_the_import_raises_is_named_with_its_remedy(
    error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch_tensorrt.py").write_text(f"raise {error}('no driver')")
    monkeypatch.delitem(sys.modules, "torch_tensorrt", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        EngineError, match=rf"{error}: no driver.*hwr\[tensorrt\].*HWR_ENGINE=torch"
    ):
        TorchTensorRt()
