"""Where `hwr up` runs: a small file in its data folder that tells the other commands."""

import json
import os
from pathlib import Path

#: Where `hwr up` keeps everything unless told otherwise.
DEFAULT_DATA = Path(".hwr")

#: Where the service is looked for when nothing says otherwise.
DEFAULT_URL = "http://127.0.0.1:8080"


def address_file(data: Path) -> Path:
    """The file in a data folder."""
    return data / "service.json"


def write_address(data: Path, url: str) -> None:
    """Say that this process serves the folder at the URL."""
    part = data / ".service.json"
    part.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    part.replace(address_file(data))


def find_url(given: str | None, data: Path = DEFAULT_DATA) -> str:
    """The URL given, else that of the `hwr up` in this folder, else the default."""
    if given is not None:
        return given
    try:
        url = json.loads(address_file(data).read_text())["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT_URL
    return str(url)
