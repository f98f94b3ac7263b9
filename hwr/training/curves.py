"""The curves of a run: curve.jsonl in its folder, and TensorBoard's where that is installed."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class Curves:
    """Writes the curves of the run in `folder`, which goes on after `step`."""

    def __init__(self, folder: Path, step: int = 0) -> None:
        self._file = folder / "curve.jsonl"
        self._board = _open_board(folder / "tensorboard", step)

    def training(self, step: int, values: Mapping[str, float]) -> None:
        """Points of the training itself: for TensorBoard alone."""
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(f"training/{name}", value, step)

    def validation(self, step: int, hours: float, loss: float, scores: Mapping[str, float]) -> None:
        """Points of a validation: the character error rate of each set."""
        entry = {"step": step, "hours": round(hours, 3), "loss": round(loss, 4), **scores}
        log.info("%s", entry)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        if self._board:
            for name, value in scores.items():
                self._board.add_scalar(f"cer/{name}", value, step)
            self._board.flush()

    def close(self) -> None:
        """Write what TensorBoard has not been given yet."""
        if self._board:
            self._board.close()


def _open_board(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        log.info("No TensorBoard curves: pip install 'hwr[train]' for them.")
        return None
    # What a stopped run wrote after its last checkpoint is drawn anew.
    return SummaryWriter(folder, purge_step=step + 1)
