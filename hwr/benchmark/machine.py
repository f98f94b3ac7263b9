"""What a run was made on."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

import hwr

_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Enough to judge whether two runs can be compared."""

    processor: str
    #: Cores that this process may use.
    cores: int
    #: Empty without one.
    gpu: str
    python: str
    hwr: str
    torch: str
    #: When the run began, ISO 8601.
    at: str


def this_machine() -> Machine:
    """The one that runs this."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _all_cores(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        python=platform.python_version(),
        hwr=hwr.__version__,
        torch=torch.__version__,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _all_cores() -> int:
    return os.cpu_count() or 1


def _processor() -> str:
    if _CPU_INFO.exists():
        for row in _CPU_INFO.read_text("utf-8", "replace").splitlines():
            if row.startswith("model name"):
                return row.partition(":")[2].strip()
    return platform.processor() or platform.machine()
