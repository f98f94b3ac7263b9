"""What is told of a child process that ended."""

from pathlib import Path

from workers.processes import tail


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
