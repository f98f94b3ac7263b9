"""The demo as a newcomer runs it, on a small model."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Up, wait_for

from workers.address import address_file
from workers.processes import kill, spawn

DEMO = [sys.executable, "-m", "workers.demo"]


def test_own_files_are_read_and_what_fails_is_told(
    model: Path, scans: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "letter.pdf"
    bad.write_bytes(b"Dear sir, this is text.")
    out = tmp_path / "out put"
    log = tmp_path / "demo.log"
    command: list[str | Path] = [*DEMO, scans / "two-pages.tif", bad, "--out", out]
    process = spawn(command, log=log, environment={"HWR_MODEL": str(model)})
    assert process.wait(120) == 1
    said = log.read_text()
    assert "two-pages.tif: done, 2 of 2 pages" in said
    assert "letter.pdf: UnsupportedFormat" in said
    assert "pages/s" in said
    assert "\x1b" not in said
    results = {path.name: json.loads(path.read_text()) for path in (out / "results").iterdir()}
    assert results["letter.pdf.json"]["error"]["code"] == "UnsupportedFormat"
    assert [len(page["lines"]) for page in results["two-pages.tif.json"]["pages"]] == [2, 1]
    pictures = sorted(path.name for path in (out / "pictures").iterdir())
    assert pictures == ["two-pages.tif-1.png", "two-pages.tif-2.png"]


@pytest.fixture
def heeded() -> Iterator[None]:
    """SIGINT as a terminal has it: children of a shell's background job would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_stops_everything(model: Path, scans: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "demo.log"
    # Enough pages that it is still at work when the signal comes.
    pages = [shutil.copy(scans / "page.png", tmp_path / f"{n}.png") for n in range(40)]
    demo = spawn([*DEMO, *pages, "--out", out], log=log, environment={"HWR_MODEL": str(model)})
    try:
        wait_for(lambda: address_file(out / "service").exists() or demo.poll() is not None)
        demo.send_signal(signal.SIGINT)
        # Python may end by the signal itself when it came at a bad time; shells call both 130.
        assert demo.wait(60) in {130, -signal.SIGINT}, log.read_text()
    except (AssertionError, subprocess.TimeoutExpired):
        kill(demo)
        raise
    assert log.read_text().endswith("Stopped.\n")
    assert not Up(process=demo, data=out / "service", url="", log=log).processes()
