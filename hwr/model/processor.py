"""What the processor can do, as Linux tells it; elsewhere nothing is known of it."""

from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
#: Instructions that multiply bfloat16, on x86 and on ARM.
_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def cpu_flags() -> frozenset[str]:
    """Names of the processor's instruction sets, in small letters."""
    try:
        return frozenset(_CPU_INFO.read_text("ascii", "replace").lower().split())
    except OSError:
        return frozenset()


def multiplies_bfloat16() -> bool:
    """Whether bfloat16 is fast: PyTorch computes without these instructions too, but slower."""
    return not _BFLOAT16.isdisjoint(cpu_flags())
