"""What README and the guides say of settings and commands is what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from workers.cli import app
from workers.settings import Settings

ROOT = Path(__file__).parents[2]
GUIDES = {
    path.name: path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
}
README = GUIDES["README.md"]
#: Variables of the command line, which names a service that runs elsewhere, and of Compose.
OTHERS = {"HWR_URL", "HWR_KEY"} | set(
    re.findall(r"^(HWR_\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
)


def commands_in(guide: str) -> list[str]:
    """What is shown after `hwr `, in blocks and within lines, without comments."""
    parts = re.split(r"^ *```.*$", guide, flags=re.MULTILINE)
    code = [line for block in parts[1::2] for line in block.splitlines()]
    code += [span for prose in parts[::2] for span in re.findall(r"`([^`\n]+)`", prose)]
    found = (re.search(r"(?<![\w/.-])hwr (-?[a-z][^#]*)", text) for text in code)
    return [match[1].strip() for match in found if match]


SHOWN = [(name, shown) for name, guide in GUIDES.items() for shown in commands_in(guide)]


def parse(shown: str) -> None:
    """Find the command and its options; a usage error where there is no such thing."""
    command: Any = typer.main.get_command(app)
    arguments = shown.split()
    context = command.context_class(command)
    while arguments and hasattr(command, "commands"):
        _, command, arguments = command.resolve_command(context, arguments)
        context = command.context_class(command)
    # Not the whole command: DATA and FILE need not exist.
    command.make_parser(context).parse_args(arguments)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_has_its_row(name: str) -> None:
    description = Settings.model_fields[name].description
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `HWR_{name.upper()}`")]
    assert row.endswith(f"| {description} |")


def test_no_row_is_left_of_a_setting_that_is_gone() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `HWR_")]
    assert len(rows) == len(Settings.model_fields)


@pytest.mark.parametrize("name", GUIDES)
def test_every_setting_that_is_named_exists(name: str) -> None:
    settings = {f"HWR_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"\bHWR_[A-Z_]+\b", GUIDES[name])) <= settings | OTHERS


@pytest.mark.parametrize(("guide", "shown"), SHOWN)
def test_every_command_that_is_shown_exists(guide: str, shown: str) -> None:
    parse(shown)


def test_commands_are_collected_from_blocks_and_lines() -> None:
    guide = (
        "See `A=1 hwr read F --format text`.\n```sh\nhwr up   # runs\npip install hwr\n```\nhwr is."
    )
    assert commands_in(guide) == ["up", "read F --format text"]


@pytest.mark.parametrize("wrong", ["reed F", "read --formt text F", "models drop x", "read --out"])
def test_what_does_not_exist_is_noticed(wrong: str) -> None:
    with pytest.raises(Exception, match=r"No such|requires an argument"):
        parse(wrong)
