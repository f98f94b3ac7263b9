"""Processes that start while their database cannot be reached."""

from pathlib import Path

import pytest
from running import hwr

from workers.processes import free_port


@pytest.mark.parametrize("command", ["api", "worker split", "worker read"])
def test_they_end_with_a_line_that_names_it_without_its_password(
    tmp_path: Path, command: str
) -> None:
    server = f"127.0.0.1:{free_port()}/hwr"
    url = f"postgresql+psycopg://bank:secret@{server}?password=secret"
    done = hwr(*command.split(), cwd=tmp_path, HWR_DATABASE_URL=url)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    address = f"postgresql+psycopg://bank:***@{server}"
    assert line.startswith(f"DatabaseUnavailable: The database {address} cannot be used (")
    assert "HWR_DATABASE_URL" in line
    assert "secret" not in line
