"""What README says of settings and commands is what there is."""

from pathlib import Path

import pytest

from workers.cli import COMMANDS
from workers.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_has_its_row(name: str) -> None:
    description = Settings.model_fields[name].description
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `HWR_{name.upper()}`")]
    assert row.endswith(f"| {description} |")


def test_no_row_is_left_of_a_setting_that_is_gone() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `HWR_")]
    assert len(rows) == len(Settings.model_fields)


@pytest.mark.parametrize("command", ["up", "submit", "status", "results", "cancel", "read"])
def test_the_commands_it_shows_exist(command: str) -> None:
    names = {function.__name__ for group in COMMANDS.values() for function in group}
    assert f"hwr {command}" in README
    assert command in names
