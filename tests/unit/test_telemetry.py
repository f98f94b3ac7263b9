"""Nothing that hwr loads may report to anybody."""

import os
import subprocess
import sys
from pathlib import Path

#: What keeps ONNX Runtime silent even without us: a test under these would prove nothing.
_SILENT_ANYWAY = (
    "ORT_DISABLE_TELEMETRY",
    "ORT_RUNNING_UNIT_TESTS",
    "CI",
    "GITHUB_ACTIONS",
    "TF_BUILD",
)

_LOAD_NETWORK = """
from hwr.layout.maps import _session
_session()
"""


def test_onnx_runtime_keeps_no_record_of_what_we_do(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in _SILENT_ANYWAY}
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        environment[name] = str(tmp_path)
    subprocess.run(
        [sys.executable, "-c", _LOAD_NETWORK], env=environment, check=True, cwd=Path.cwd()
    )

    assert list(tmp_path.rglob("*")) == []
