"""One real `hwr up` on a small model for all tests that only need a running service."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline import draw_lines, png, small_model, tiff
from running import Up, run_up


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads nonsense, but always the same, and fast."""
    return small_model(tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Up]:
    """A running service."""
    with run_up(tmp_path_factory.mktemp("up"), model) as running:
        yield running


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good documents: page.png and two-pages.tif."""
    folder = tmp_path_factory.mktemp("scans")
    (folder / "page.png").write_bytes(png(draw_lines(3, seed=1)))
    (folder / "two-pages.tif").write_bytes(tiff([draw_lines(2, seed=2), draw_lines(1, seed=3)]))
    return folder
