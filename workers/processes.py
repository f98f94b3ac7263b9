"""Child processes that never outlive us."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

#: Bytes of a log that its last lines are looked for in: a log that grows for months is long.
_TAIL_BYTES = 2**14

#: Bytes of a log that is put aside: weeks of work, and searched in no time.
LOG_BYTES = 2**26

#: Runs before the program itself: has the kernel kill it when its parent dies, however that
#: happens. It ends at once if the parent died before it could ask for that.
_TIED = f"""
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, {signal.SIGKILL.value}, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> subprocess.Popen[bytes]:
    """Start a program that is killed when we die, in a session of its own.

    The session keeps a Ctrl-C in the terminal away from it: we say when it ends. Call this from
    a thread that lives as long as the program should, because Linux ties it to the thread.

    Args:
        command: Absolute path of the program, and its arguments.
        log: File its output is appended to.
        environment: Variables in addition to ours.
        stdin: What it finds on its standard input.
    """
    tied = [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *map(str, command)]
    with log.open("ab") as output, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        return subprocess.Popen(  # noqa: S603 (callers name programs of ours by their full path)
            tied,
            stdin=given,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(environment or {}),
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], *, patience_s: float) -> None:
    """Ask a process to end; kill it and all of its session when it takes too long."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all of its session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for the message that says why a process ended."""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def last_words(log: Path) -> str:
    """How a log ends, and what to do about it: the rest of a message that a process has failed."""
    return (
        f"{log} ends:\n{tail(log)}\n"
        "Correct what it names and start again. Where it names nothing, free memory: what is killed"
        " for want of it says nothing."
    )


def put_aside(log: Path, limit: int = LOG_BYTES) -> None:
    """Make a log of more than `limit` bytes NAME.1, in place of the one before, and begin anew.

    A full disk costs the old lines: it would be asked for room again and again.
    """
    if log.exists() and log.stat().st_size > limit:
        with suppress(OSError):
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)  # the program holds it open, and appends
