"""What reading a run's checkpoint may come to."""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from hwr.errors import TrainingDataError
from hwr.model.files import replacing


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write `state` to `path`, replacing what is there in one step.

    Raises:
        OSError: the disk is full, say. PyTorch, writing there itself, would not tell.
    """
    packed = io.BytesIO()
    torch.save(dict(state), packed)
    with replacing(path) as temporary:
        temporary.write_bytes(packed.getbuffer())


@contextmanager
def going_on(path: Path, weights: str) -> Iterator[None]:
    """As `named`, for the checkpoint of the run's own folder, which keeps its best as `weights`.

    Raises:
        TrainingDataError: reading the file at `path` failed, however it did.
    """
    try:
        yield
    except Exception as error:
        raise TrainingDataError(
            f"The run in {path.parent} cannot go on from {path.name} ({_first(error)}). Begin one"
            f" in another folder; --after {path.parent / weights} starts with what this one"
            " kept, if it is there."
        ) from error


def _first(error: Exception) -> str:
    """The first sentence of an error: PyTorch adds paragraphs about its own functions."""
    return str(error).strip().partition("\n")[0].partition(". ")[0]


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Whatever a damaged or another's checkpoint raises, by the name of its file.

    Raises:
        TrainingDataError: reading the file at `path` failed, however it did.
    """
    try:
        yield
    except Exception as error:  # loading raises whatever the damaged bytes lead to
        raise TrainingDataError(
            f"{path} is no checkpoint of such a run ({_first(error)}). Name the folder of a run."
        ) from error


def check_same(names: Iterable[str], own: Mapping[str, Any], earlier: Mapping[str, Any]) -> None:
    """See that two recipes agree in these names, as far as the earlier one has them.

    Raises:
        ValueError: they differ.
    """
    for name in names:
        if name in earlier and earlier[name] != own[name]:
            raise ValueError(
                f"its {name} is {earlier[name]}, not {own[name]}: go on with that, by the"
                " options that it began with, --after among them"
            )
