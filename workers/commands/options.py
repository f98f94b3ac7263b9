"""What several commands take."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Argument(
        exists=True, help="Folder of data sets, or a zip (CONTRIBUTING.md tells which)."
    ),
]
