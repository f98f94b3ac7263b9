"""The loop that trains the layout network.

A run that stops and goes on from its checkpoint ends with the very weights of one that never
stopped: a batch is a function of the step, and everything else is in the checkpoint.
"""

import copy
import logging
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import nn

from hwr.training.averaging import update_average
from hwr.training.checkpoints import going_on, save_checkpoint
from hwr.training.compute import Compute, without_denormals
from hwr.training.interruption import Interruption, stopped
from hwr.training.layout.batches import Batch, Views
from hwr.training.layout.loss import loss_of
from hwr.training.layout.network import LayoutNetwork, deterministic
from hwr.training.layout.recipe import LayoutRecipe
from hwr.training.layout.weights import WEIGHTS, save_weights
from hwr.training.schedule import rate_at

log = logging.getLogger(__name__)

#: Steps between two lines in the log.
_LOG_EVERY = 50


class LayoutTrainer:
    """One run in one folder: checkpoint.pt to go on from, layout.safetensors to use."""

    def __init__(
        self, folder: Path, recipe: LayoutRecipe, start: LayoutNetwork | None = None
    ) -> None:
        """A run in ``folder``; a new one starts from the weights of ``start``, if given.

        Raises:
            TrainingDataError: the folder holds a checkpoint of no such run, or of other views.
        """
        self._folder, self._recipe = folder, recipe
        network = copy.deepcopy(start) if start else deterministic(recipe.seed)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average: LayoutNetwork = copy.deepcopy(self.network).eval()
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay
        )
        self._step = 0
        self._losses: list[float] = []
        self._resume()

    def run(self, views: Views, *, until: int | None = None, every: int = 250) -> None:
        """Train to step ``until`` (default: the last); save each ``every`` steps.

        Raises:
            TrainingStopped: Ctrl-C or SIGTERM came; the checkpoint is of the step after it.
        """
        last = min(until or self._recipe.steps, self._recipe.steps)
        with without_denormals(), Interruption() as interruption:
            while self._step < last:
                self._losses.append(self._train(views.batch(self._step)))
                self._step += 1
                self._after_step(last, every)
                if interruption.asked and self._step < last:
                    self._save()
                    raise stopped(self._step)

    def _after_step(self, last: int, every: int) -> None:
        if self._step % _LOG_EVERY == 0:
            log.info("step %d loss %.4f", self._step, fmean(self._losses[-_LOG_EVERY:]))
        if self._step % every == 0 or self._step == last:
            self._save()

    def _train(self, batch: Batch) -> float:
        self.network.train()
        for group in self._optimiser.param_groups:
            group["lr"] = rate_at(self._recipe, self._step)
        ink = batch.ink.contiguous(memory_format=torch.channels_last)
        with Compute(torch.device("cpu")).autocast():
            marks, heights = self.network(ink)
        loss = loss_of(marks, heights, batch, self._recipe)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self._recipe.clip)
        self._optimiser.step()
        update_average(self.average, self.network, self._recipe.average, self._step)
        return float(loss.detach())

    def _save(self) -> None:
        save_weights(self._folder / WEIGHTS, self.average)
        state = {
            "step": self._step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "recipe": self._recipe.to_json(),
        }
        save_checkpoint(self._folder / "checkpoint.pt", state)

    def _resume(self) -> None:
        path = self._folder / "checkpoint.pt"
        self._folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return
        with going_on(path, WEIGHTS):
            self._restore(torch.load(path, weights_only=True))
        log.info("resumed at step %d", self._step)

    def _restore(self, state: dict[str, Any]) -> None:
        self._recipe.check_goes_on(state["recipe"])
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step = int(state["step"])
