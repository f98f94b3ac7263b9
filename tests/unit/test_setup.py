"""What set-up says and does before it installs anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "setup.sh"

#: Runs Python, but only writes down that it was to make an environment.
STAND_IN = f"""#!/usr/bin/env bash
if [ "$1" != -m ]; then exec {sys.executable} "$@"; fi
echo "$@" >> made
mkdir -p .venv/bin
printf '#!/bin/sh\nexit 0\n' > .venv/bin/python
chmod +x .venv/bin/python
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script and programs that stand for Python and poppler."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    for name in ("pdftoppm", "pdfinfo"):
        program(tmp_path / "bin" / name, "#!/bin/sh\n")
    program(tmp_path / "bin" / "python", STAND_IN)
    return tmp_path


def setup(checkout: Path, python: str = "python") -> subprocess.CompletedProcess[str]:
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "scripts/setup.sh"],
        cwd=checkout,
        env={**os.environ, "PATH": path, "PYTHON": python},
        capture_output=True,
        text=True,
    )


def test_an_interpreter_that_is_found_and_does_not_run_is_told(checkout: Path) -> None:
    program(checkout / "bin" / "python3.12", "#!/bin/sh\necho no such version >&2\nexit 127\n")
    done = setup(checkout, "python3.12")
    assert done.returncode == 1
    assert "no such version\nsetup: python3.12 does not run" in done.stderr
    assert "make setup PYTHON=" in done.stderr
    assert not (checkout / ".venv").exists()


def test_an_environment_of_another_python_is_made_anew(checkout: Path) -> None:
    program(checkout / ".venv" / "bin" / "python", "#!/bin/sh\necho /opt/other\n")
    assert "is made anew" in setup(checkout).stdout
    assert (checkout / "made").read_text() == "-m venv --clear .venv\n"


def test_an_environment_of_the_same_python_is_gone_on_with(checkout: Path) -> None:
    program(checkout / ".venv" / "bin" / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    setup(checkout)
    assert (checkout / "made").read_text() == "-m venv .venv\n"
