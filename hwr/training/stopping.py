"""Early stopping: which weights are the best so far, and when to look for better ones no more."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any


class EarlyStopping:
    """Follows the mean of the sets' character error rates over the validations of a run."""

    def __init__(self, *, patience: int) -> None:
        """Ends a run after `patience` validations without a better one; 0: never."""
        self._patience = patience
        self._best: float | None = None
        self._waited = 0

    @property
    def due(self) -> bool:
        """Whether the run should end."""
        return 0 < self._patience <= self._waited

    def improved(self, scores: Mapping[str, float]) -> bool:
        """Take note of a validation; whether it is the best. Without sets the last is."""
        if not scores:
            return True
        mean = fmean(scores.values())
        if self._best is None or mean < self._best:
            self._best, self._waited = mean, 0
            return True
        self._waited += 1
        return False

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as plain values."""
        return {"best": self._best, "waited": self._waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was; an older checkpoint has none."""
        self._best, self._waited = state.get("best"), state.get("waited", 0)
