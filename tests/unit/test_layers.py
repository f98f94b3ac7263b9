"""Who may import whom: the rules of the house (CONTRIBUTING.md), as far as they are about that."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What reads, without what makes and measures models.
READING = ("batching", "decoding", "documents", "engines", "forms", "layout", "model", "profiles")


def imported(path: Path) -> Iterator[str]:
    """All that a module names in an import, also within its functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    ("room", "others"),
    [
        ("hwr", ("workers", "celery", "redis", "sqlalchemy", "fastapi", "boto3")),
        ("hwr/layout", ("torch",)),
        ("hwr/profiles", ("numpy", "cv2", "torch")),
        ("workers/models", ("workers.stages",)),
        ("workers/api", ("torch", "cv2", "numpy", "hwr.model")),
        *((f"hwr/{room}", ("hwr.reader", "hwr.training", "hwr.benchmark")) for room in READING),
    ],
)
def test_a_room_does_not_import_what_is_not_for_it(room: str, others: tuple[str, ...]) -> None:
    forbidden = tuple(f"{other}." for other in others)
    modules = list((ROOT / room).rglob("*.py"))
    assert modules
    for path in modules:
        wrong = {name for name in imported(path) if f"{name}.".startswith(forbidden)}
        assert not wrong, path


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {"hwr", *(name_of(re.split(r"[^\w.-]", one)[0]) for one in wanted)}
    installed = packages_distributions()
    for path in chain.from_iterable(
        (ROOT / room).rglob("*.py") for room in ("hwr", "workers", "tests")
    ):
        for module in {name.partition(".")[0] for name in imported(path)} & installed.keys():
            assert {name_of(package) for package in installed[module]} & declared, (path, module)


def name_of(package: str) -> str:
    """Its name as all spellings of it have in common."""
    return re.sub(r"[-_.]+", "-", package).lower()


def test_those_who_use_hwr_see_its_types() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "py.typed" in setup["package-data"]["hwr"]
    assert (ROOT / "hwr" / "py.typed").is_file()
