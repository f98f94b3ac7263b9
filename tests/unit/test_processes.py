"""What is told of a child process that ended."""

import sys
import time
from pathlib import Path

from workers.processes import put_aside, spawn, tail


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "read.log"
    log.write_text("".join(f"{number}\n" for number in range(9)))
    assert tail(log, 2) == "7\n8"


def test_of_a_long_log_only_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "read.log"
    log.write_bytes(b"x" * 2**20 + b"\nModelError: no weights\n")
    *earlier, last = tail(log).splitlines()
    assert last == "ModelError: no weights"
    assert len("".join(earlier)) < 2**15


#: Says one thing, and another when the file beside it appears.
_WRITER = """
import pathlib, sys, time
print("before", flush=True)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.01)
print("after", flush=True)
"""


def test_a_long_log_is_put_aside_while_its_program_writes(tmp_path: Path) -> None:
    log, go_on = tmp_path / "read.log", tmp_path / "go on"
    process = spawn([sys.executable, "-c", _WRITER, go_on], log=log)
    while not log.read_text():
        time.sleep(0.01)
    put_aside(log, limit=3)
    go_on.touch()
    process.wait(30)
    assert (tmp_path / "read.log.1").read_text() == "before\n"
    assert log.read_text() == "after\n"


def test_a_short_log_stays(tmp_path: Path) -> None:
    log = tmp_path / "read.log"
    log.write_text("before\n")
    put_aside(log)
    assert log.read_text() == "before\n"


def test_a_log_for_which_there_is_no_room_is_emptied(tmp_path: Path) -> None:
    log = tmp_path / "read.log"
    log.write_text("before\n")
    (tmp_path / "read.log.1").mkdir()  # nothing can be copied there
    put_aside(log, limit=3)
    assert log.read_text() == ""


def test_a_log_that_somebody_has_deleted_is_no_trouble(tmp_path: Path) -> None:
    put_aside(tmp_path / "read.log", limit=3)
    assert not list(tmp_path.iterdir())
