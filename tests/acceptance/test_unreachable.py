"""Processes that start while their database cannot be reached, or with settings that cannot be."""

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


@pytest.mark.parametrize("command", ["api", "worker split"])
def test_they_end_with_a_line_that_names_a_setting(tmp_path: Path, command: str) -> None:
    done = hwr(*command.split(), cwd=tmp_path, HWR_LEASE_S="nan")
    assert done.returncode == 1
    assert done.stderr.startswith("ServiceError: HWR_LEASE_S: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_worker_that_cannot_start_is_not_ready(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.touch()  # left by the process before
    url = f"postgresql+psycopg://127.0.0.1:{free_port()}/hwr"
    hwr("worker", "read", cwd=tmp_path, HWR_DATABASE_URL=url, HWR_READY_FILE=str(ready))
    assert not ready.exists()
