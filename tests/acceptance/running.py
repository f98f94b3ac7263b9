"""The program as a user runs it: commands as processes, and `hwr up` until it is told to end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.address import address_file
from workers.processes import free_port, kill, spawn, tail

HWR = [sys.executable, "-m", "workers"]

#: Seconds after which something that did not happen never will.
PATIENCE_S = 60.0

#: The same of a command; one that trains starts several processes, which load PyTorch each.
_COMMAND_S = 150.0


def hwr(
    *arguments: str | Path,
    model: str | Path | None = None,
    cwd: str | Path | None = None,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = os.environ | variables | ({"HWR_MODEL": str(model)} if model else {})
    command = [*HWR, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=_COMMAND_S
    )


def wait_for(condition: Callable[[], object], said: Callable[[], str] = str) -> None:
    """Wait until the condition is true; fail with what was said if it never is."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, said()
        time.sleep(0.05)


@dataclass(frozen=True, kw_only=True)
class Up:
    """A `hwr up`."""

    process: subprocess.Popen[bytes]
    #: Its data folder.
    data: Path
    #: Where its API is.
    url: str
    #: What it says.
    log: Path

    def processes(self) -> dict[int, str]:
        """Every process that belongs to it, by the data folder in its environment or folder."""
        return {pid: name for pid, name in _processes() if _belongs(pid, self.data)}

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE_S)

    def logs(self) -> str:
        """What it and its parts said last."""
        logs = [self.log, *self.data.glob("*.log")]
        return "\n".join(f"{log.name}:\n{tail(log, 20)}" for log in logs)


def start_up(folder: Path, model: Path, **variables: str) -> Up:
    """Start `hwr up` with its data in a folder; it may not be ready yet."""
    data, port, log = folder / "data", free_port(), folder / "up.log"
    command = [*HWR, "up", "--data", str(data), "--port", str(port)]
    process = spawn(command, log=log, environment={"HWR_MODEL": str(model), **variables})
    return Up(process=process, data=data, url=f"http://127.0.0.1:{port}", log=log)


@contextmanager
def run_up(folder: Path, model: Path, **variables: str) -> Iterator[Up]:
    """A service that is ready; killed at the end if it still runs."""
    up = start_up(folder, model, **variables)
    try:
        wait_for(lambda: address_file(up.data).exists() or up.process.poll() is not None, up.logs)
        assert up.process.poll() is None, up.logs()
        assert json.loads(address_file(up.data).read_text())["url"] == up.url
        yield up
    finally:
        up.process.terminate()
        try:
            up.wait()
        except subprocess.TimeoutExpired:
            kill(up.process)


def _processes() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        try:
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            if state != "Z":
                yield int(entry.name), (entry / "cmdline").read_text().replace("\0", " ")
        except (OSError, ValueError, IndexError):  # no process, or gone by now
            continue


def _belongs(pid: int, data: Path) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        folder = Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return False
    return str(data).encode() in environment + command or folder.is_relative_to(data)
