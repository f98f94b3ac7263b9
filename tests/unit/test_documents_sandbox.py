"""The limits of a split process, set in a process of its own."""

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux keeps them")

GIB = 2**30


def run(code: str) -> str:
    head = "import resource, subprocess, sys\nfrom hwr.documents.sandbox import limit_process\n"
    done = subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_memory_of_the_process_and_its_children() -> None:
    grab = "bytearray(3 << 30)"
    code = f"""
limit_process({2 * GIB}, child_cpu_s=60)
try:
    {grab}
except MemoryError:
    print("refused")
child = subprocess.run([sys.executable, "-c", "{grab}"], capture_output=True)
print(b"MemoryError" in child.stderr)
"""
    assert run(code).split() == ["refused", "True"]


def test_cpu_kills_children_but_not_the_process() -> None:
    code = """
import time
limit_process(1 << 33, child_cpu_s=1)
child = subprocess.run([sys.executable, "-c", "while True: pass"])
while time.process_time() < 1.2:
    pass
print(child.returncode)
"""
    assert run(code) == str(-signal.SIGXCPU)


def test_no_core_files() -> None:
    code = """
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
limit_process(1 << 33, child_cpu_s=60)
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""
    assert run(code) == "0"


@pytest.mark.parametrize(("deadline_s", "cpu_s"), [("1", "60"), ("90.5", "91")])
def test_poppler_may_work_as_long_as_a_page_may_take(
    monkeypatch: pytest.MonkeyPatch, deadline_s: str, cpu_s: str
) -> None:
    monkeypatch.setenv("HWR_PAGE_DEADLINE_S", deadline_s)
    code = """
from workers.celery_worker import _bound_process
_bound_process()
print(resource.getrlimit(resource.RLIMIT_CPU)[0])
"""
    assert run(code) == cpu_s
