"""Ctrl-C while the command line is loaded: no traceback, and the exit code that shells know."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PRESSED = """
import os, signal, sys

pressed_at = sys.argv.pop(1)

class CtrlC:
    def find_spec(self, name, *_):
        if name == pressed_at:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
from workers.__main__ import main
main()
"""


def heed() -> None:
    """As in a terminal; what starts tests in the background may have it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def press(
    module: str, file: Path, before: Callable[[], object] = heed
) -> subprocess.CompletedProcess[str]:
    """`hwr read FILE`, with Ctrl-C when it comes to import this module."""
    command = [sys.executable, "-c", PRESSED, module, "read", str(file)]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=before)


@pytest.mark.parametrize("module", ["workers.cli", "workers.commands.jobs", "hwr.reader"])
def test_an_interrupted_start_says_nothing(tmp_path: Path, module: str) -> None:
    (tmp_path / "scan.pdf").touch()
    done = press(module, tmp_path / "scan.pdf")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    done = press("workers.cli", Path("nothing.pdf"), ignore)
    assert done.returncode == 2
    assert "nothing.pdf" in done.stderr
