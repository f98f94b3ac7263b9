"""Ctrl-C while the command line is loaded: no traceback, and the exit code that shells know."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PRESSED = """
import importlib, os, signal, sys

program, pressed_at = sys.argv.pop(1), sys.argv.pop(1)

class CtrlC:
    def find_spec(self, name, *_):
        if name == pressed_at:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
importlib.import_module(program).main()
"""


def heed() -> None:
    """As in a terminal; what starts tests in the background may have it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def press(
    program: str, module: str, *words: str, before: Callable[[], object] = heed
) -> subprocess.CompletedProcess[str]:
    """The program with these words behind it, with Ctrl-C when it comes to import the module."""
    command = [sys.executable, "-c", PRESSED, program, module, *words]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=before)


@pytest.mark.parametrize(
    ("program", "module", "words"),
    [
        ("workers.__main__", "workers.cli", ["read", "scan.pdf"]),
        ("workers.__main__", "workers.commands.jobs", ["read", "scan.pdf"]),
        ("workers.__main__", "hwr.reader", ["read", "scan.pdf"]),
        ("workers.demo", "pydantic", []),
        ("workers.worker", "pydantic", ["split"]),
        ("workers.worker", "celery", ["split"]),
    ],
)
def test_an_interrupted_start_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, module: str, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scan.pdf").touch()
    done = press(program, module, *words)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    done = press("workers.__main__", "workers.cli", "read", "nothing.pdf", before=ignore)
    assert done.returncode == 2
    assert "nothing.pdf" in done.stderr
