"""Fixtures that several unit test modules share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from document_files import require_poppler
from stage_bench import Stages, open_stages


@pytest.fixture(scope="session")
def poppler() -> None:
    """Poppler on this machine; fails in CI and is skipped elsewhere without it."""
    require_poppler()


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[Stages]:
    """The stages on an empty database and an empty folder, called one by one."""
    with open_stages(tmp_path, page_deadline_s=20.0) as stages:
        yield stages
