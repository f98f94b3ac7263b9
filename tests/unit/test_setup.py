"""What set-up says and does before it installs anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "setup.sh"

#: Runs Python, but only writes down that it was to make an environment.
STAND_IN = f"""#!/usr/bin/env bash
if [ "$1" != -m ]; then exec {sys.executable} "$@"; fi
echo "$@" >> made
mkdir -p .venv/bin
printf '#!/bin/sh\nexit 0\n' > .venv/bin/python
chmod +x .venv/bin/python
"""

SAME_PYTHON = f'#!/bin/sh\nexec {sys.executable} "$@"\n'


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
    program(checkout / ".venv" / "bin" / "python", SAME_PYTHON)
    setup(checkout)
    assert (checkout / "made").read_text() == "-m venv .venv\n"


@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_leads_to_is_left_alone(checkout: Path, there: bool) -> None:
    if there:
        program(checkout / "shared" / "bin" / "python", "#!/bin/sh\necho /opt/other\n")
    (checkout / ".venv").symlink_to("shared")
    done = setup(checkout)
    assert done.returncode == 1
    assert "setup: .venv is a link" in done.stderr
    assert "Remove the link" in done.stderr
    assert not (checkout / "made").exists()


def test_a_link_to_an_environment_of_the_same_python_is_gone_on_with(checkout: Path) -> None:
    program(checkout / "shared" / "bin" / "python", SAME_PYTHON)
    (checkout / ".venv").symlink_to("shared")
    setup(checkout)
    assert (checkout / "made").read_text() == "-m venv .venv\n"


def test_no_array_is_used_that_bash_3_takes_for_unbound_when_it_is_empty() -> None:
    assert "[@]" not in SCRIPT.read_text()


@pytest.mark.parametrize(
    ("there", "told"),
    [(sys.executable, ".venv/bin/python"), ("/gone", "python3"), (None, "python3")],
)
def test_make_goes_on_with_the_python_of_the_environment(
    tmp_path: Path, there: str | None, told: str
) -> None:
    program(tmp_path / "scripts" / "setup.sh", 'echo "$PYTHON"\n')
    for name in ("Makefile", "pyproject.toml", "deploy/constraints.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    if there is not None:
        (tmp_path / ".venv" / "bin" / "python").symlink_to(there)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    made = subprocess.run(
        ["make", "--silent", "setup"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (made.stdout, made.returncode) == (f"{told}\n", 0)
