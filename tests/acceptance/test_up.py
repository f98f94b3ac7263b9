"""`hwr up` for real: jobs over HTTP, and every way to end."""

import json
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest
from pipeline import draw_lines, tiff
from running import Up, hwr, run_up, start_up, wait_for

from workers.address import address_file
from workers.client import Client


def test_cancel_stops_a_running_job(up: Up, tmp_path: Path) -> None:
    (tmp_path / "long.tif").write_bytes(tiff([draw_lines(2)] * 150))
    with Client(up.url) as client:
        job_id = client.submit([tmp_path / "long.tif"])["id"]
        wait_for(lambda: client.job(job_id)["pages_done"] > 0, up.logs)
        assert client.results(job_id)["complete"] is False
        assert client.cancel(job_id)["state"] == "cancelled"
        results = client.results(job_id)
    assert results["complete"] is True
    assert 0 < len(results["documents"][0]["pages"]) < 150


def test_a_second_one_on_the_same_folder_is_named(up: Up) -> None:
    done = hwr("up", "--data", up.data, "--port", "1")
    assert done.returncode == 1
    assert done.stderr.startswith("ServiceRunning: ")
    assert up.url in done.stderr
    assert httpx.get(f"{up.url}/readyz").is_success


def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = hwr("up", "--data", tmp_path / "data", "--port", port)
    assert done.returncode == 1
    assert done.stderr.startswith("PortTaken: ")
    assert "--port" in done.stderr


def test_ctrl_c_drains_and_leaves_nothing(tmp_path: Path, model: Path) -> None:
    """What is held is finished, the rest waits for the next start; no process stays."""
    (tmp_path / "long.tif").write_bytes(tiff([draw_lines(2)] * 40))
    with run_up(tmp_path, model) as up, Client(up.url) as client:
        job_id = client.submit([tmp_path / "long.tif"])["id"]
        wait_for(lambda: client.job(job_id)["pages_done"] > 0, up.logs)
        assert len(up.processes()) >= 6  # up, API, Redis, read, split and its child
        up.tell(signal.SIGINT)
        assert up.wait() == 0, up.logs()
        assert up.processes() == {}
        assert not address_file(up.data).exists()
    with run_up(tmp_path, model) as up, Client(up.url) as client:
        job = list(client.follow(job_id))[-1]
        [document] = client.results(job_id)["documents"]
    assert (job["state"], job["pages_done"]) == ("done", 40)
    assert [len(page["lines"]) for page in document["pages"]] == [2] * 40


def test_what_is_killed_is_started_again_and_all_die_with_up(tmp_path: Path, model: Path) -> None:
    with run_up(tmp_path, model) as up:
        for name in ("-m workers api", "valkey-server"):
            [pid] = [pid for pid, command in up.processes().items() if name in command]
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: "api was killed by signal 9" in up.log.read_text(), up.logs)
        wait_for(lambda: is_ready(up), up.logs)
        assert "redis ended" in up.log.read_text()
        up.tell(signal.SIGKILL)
        up.wait()
        wait_for(lambda: not up.processes(), lambda: str(up.processes()))


def is_ready(up: Up) -> bool:
    try:
        return httpx.get(f"{up.url}/readyz").is_success
    except httpx.TransportError:
        return False


def test_a_part_that_cannot_start_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What lies in the user's folder must not be taken for a module by any part.
    (tmp_path / "celery.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    up = start_up(tmp_path, tmp_path / "absent.safetensors")
    assert up.wait() == 1
    said = up.log.read_text()
    assert "ServerFailed: read cannot start" in said
    assert "ModelError: " in said
    assert up.processes() == {}


def test_the_address_file_says_who_and_where(up: Up) -> None:
    told = json.loads(address_file(up.data).read_text())
    assert told == {"url": up.url, "pid": up.process.pid}


def test_no_secret_is_in_a_command_line(up: Up) -> None:
    commands = up.processes().values()
    assert any("valkey-server" in command for command in commands)
    assert not any("requirepass" in command or "redis://" in command for command in commands)
