"""The training loop: `hwr train`, alone or as several processes under torchrun.

Everything that chance decides is a function of (seed, rank, step or pool), so a run that stops and
goes on from its checkpoint ends with the very weights of one that never stopped.
"""

import copy
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from hwr.errors import TrainingDataError, TrainingDiverged
from hwr.model.alphabet import Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn
from hwr.model.weights import save_model
from hwr.training.agreement import disagreement
from hwr.training.averaging import update_average
from hwr.training.batches import Batch, BatchPlan, Position
from hwr.training.checkpoints import going_on, named, save_checkpoint
from hwr.training.compute import Compute, without_denormals
from hwr.training.curves import Curves
from hwr.training.growth import start_from
from hwr.training.interruption import Interruption, stopped
from hwr.training.loaders import batches_of
from hwr.training.progress import ProgressBar
from hwr.training.recipe import Recipe
from hwr.training.samples import ink
from hwr.training.schedule import rate_at
from hwr.training.stopping import EarlyStopping

log = logging.getLogger(__name__)

#: Steps between two lines in the log.
_LOG_EVERY = 100
#: The best weights of a run.
_MODEL = "model.safetensors"

Validate = Callable[[Crnn], dict[str, float]]


class Trainer:
    """One run in one folder: checkpoint.pt to go on from, model.safetensors (the best), curves."""

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        network: NetworkConfig,
        alphabet: Alphabet,
        validate: Validate | None = None,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        """A run in `folder`; a new one starts from the weights `start`, if given.

        These may be of a smaller network, and lack the head that only training needs.

        Raises:
            TrainingDataError: the folder holds a checkpoint of no such run.
        """
        self._folder = folder
        self._recipe = recipe
        self._alphabet = alphabet
        self._validate = validate
        self._rank = dist.get_rank() if dist.is_initialized() else 0
        self._world = dist.get_world_size() if dist.is_initialized() else 1
        self._compute = Compute.best()
        torch.manual_seed(recipe.seed)
        self.network = _start(network, start).to(self._compute.device)
        self.network.backbone.requires_grad_(not recipe.frozen)
        self._share(self.network.state_dict())
        self._average = copy.deepcopy(self.network).eval()
        self._learning = [p for p in self.network.parameters() if p.requires_grad]
        self._optimiser = torch.optim.AdamW(
            self._learning, lr=recipe.rate, weight_decay=recipe.weight_decay
        )
        self._step = 0
        self._seconds = 0.0
        self._position: Position = (0, 0)
        self._losses: deque[float] = deque(maxlen=_LOG_EVERY)
        self._stopping = EarlyStopping(patience=recipe.patience)
        self._resume()

    def run(
        self, plan: BatchPlan, *, until: int | None = None, every: int = 500, loaders: int = 0
    ) -> None:
        """Train to step `until` (default: the last); save and validate each `every` steps.

        Ends earlier where validation has not become better for as long as the recipe allows.
        `loaders` processes make batches ahead; the run is the same with any number of them.

        Raises:
            TrainingStopped: Ctrl-C or SIGTERM came; the checkpoint is of the step after it.
        """
        last = min(until or self._recipe.steps, self._recipe.steps)
        curves = Curves(self._folder, self._step) if self._rank == 0 else None
        with (
            without_denormals(),
            ProgressBar(self._step, last, shown=self._rank == 0) as bar,
            closing(batches_of(plan, self._position, loaders)) as batches,
            Interruption() as interruption,
        ):
            self._steps(batches, last, every, bar, curves, interruption)
        if curves:
            curves.close()

    def _steps(
        self,
        batches: Iterator[tuple[Position, Batch]],
        last: int,
        every: int,
        bar: ProgressBar,
        curves: Curves | None,
        interruption: Interruption,
    ) -> None:
        started = time.monotonic() - self._seconds
        while self._step < last and not self._stopping.due:
            self._position, batch = next(batches)
            self._losses.append(self._train(batch))
            self._step += 1
            self._seconds = time.monotonic() - started
            bar.advance(len(batch.target_lengths), self._losses[-1])
            if curves and self._step % _LOG_EVERY == 0:
                self._report(curves, bar)
            if self._step % every == 0 or self._step == last:
                self._checkpoint(curves)
            elif self._any(interruption.asked):
                self._save(self._share_state())
                raise stopped(self._step)

    def _train(self, batch: Batch) -> float:
        torch.manual_seed((self._recipe.seed * 1_000_003 + self._step) * 1_009 + self._rank)
        self.network.train()
        if self._recipe.frozen:
            self.network.backbone.eval()
        for group in self._optimiser.param_groups:
            group["lr"] = rate_at(self._recipe, self._step)
        loss = self._loss(batch)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._average_gradients()
        norm = nn.utils.clip_grad_norm_(self._learning, self._recipe.clip)
        if not torch.isfinite(norm):
            raise TrainingDiverged(
                f"The gradients of step {self._step} are no numbers. The same command goes on from"
                " the last checkpoint; if that ends here again, lower --rate."
            )
        self._optimiser.step()
        update_average(self._average, self.network, self._recipe.average, self._step)
        return float(loss.detach())

    def _loss(self, batch: Batch) -> Tensor:
        lines = ink(batch.lines, self._compute.device)  # (B, 1, 64, W)
        with self._compute.autocast():
            logits, shortcut = self.network.forward_training(
                lines.contiguous(memory_format=torch.channels_last)
            )  # (B, T, C) both
        loss = _ctc(logits, batch) + self._recipe.shortcut * _ctc(shortcut, batch)
        if self._recipe.agreement:
            loss += self._recipe.agreement * disagreement(logits, batch.target_lengths)
        return loss

    def _average_gradients(self) -> None:
        if self._world == 1:
            return
        gradients = [p.grad for p in self._learning if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= self._world
        pieces = torch.split(flat, [g.numel() for g in gradients])
        for gradient, piece in zip(gradients, pieces, strict=True):
            gradient.copy_(piece.view_as(gradient))

    def _report(self, curves: Curves, bar: ProgressBar) -> None:
        left = self._seconds / self._step * (self._recipe.steps - self._step) / 60
        loss, rate = fmean(self._losses), rate_at(self._recipe, self._step)
        log.info("step %d loss %.3f, %.0f minutes left", self._step, loss, left)
        curves.training(self._step, {"loss": loss, "rate": rate, "lines_s": bar.lines_s})

    def _checkpoint(self, curves: Curves | None) -> None:
        positions = self._share_state()
        if curves:
            scores = self._validate(self._average) if self._validate else {}
            curves.validation(self._step, self._seconds / 3600, fmean(self._losses), scores)
            if self._stopping.improved(scores):
                save_model(self._folder / _MODEL, self._average, self._alphabet)
        self._save(positions)
        self._share_stopping()

    def _any(self, asked: bool) -> bool:
        """Whether one of the processes was asked: all have to end after the same step."""
        if self._world == 1:
            return asked
        told = torch.tensor(float(asked), device=self._compute.device)
        dist.all_reduce(told)
        return bool(told)

    def _share_stopping(self) -> None:
        """Let every process end where rank 0 does."""
        if self._world > 1:
            told: list[Any] = [self._stopping.state()]
            dist.broadcast_object_list(told, 0)
            self._stopping.restore(told[0])

    def _share(self, tensors: Mapping[str, Tensor]) -> None:
        """Give every process rank 0's values."""
        if self._world > 1:
            for tensor in tensors.values():
                dist.broadcast(tensor, 0)

    def _share_state(self) -> list[Position]:
        """Give every process rank 0's running statistics: a resumed run starts from them."""
        if self._world == 1:
            return [self._position]
        for model in (self.network, self._average):
            self._share(dict(model.named_buffers()))
        positions: list[Any] = [None] * self._world
        dist.all_gather_object(positions, self._position)
        return positions

    def _save(self, positions: list[Position]) -> None:
        if self._rank:
            return
        state = {
            "config": self.network.config.to_json(),
            "step": self._step,
            "seconds": self._seconds,
            "positions": positions,
            "network": self.network.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "recipe": self._recipe.to_json(),
            "stopping": self._stopping.state(),
            "losses": list(self._losses),
        }
        save_checkpoint(self._folder / "checkpoint.pt", state)

    def _resume(self) -> None:
        path = self._folder / "checkpoint.pt"
        self._folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return
        with going_on(path, _MODEL):
            self._restore(torch.load(path, "cpu", weights_only=True))
        log.info("resumed at step %d", self._step)

    def _restore(self, state: dict[str, Any]) -> None:
        # Networks that differ in their time steps have weights of the same shapes.
        if (config := NetworkConfig.from_json(state["config"])) != self.network.config:
            raise ValueError(f"it is of {config}")
        self._recipe.check_goes_on(state["recipe"])
        self.network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step, self._seconds = state["step"], state["seconds"]
        self._stopping.restore(state.get("stopping", {}))
        self._losses.extend(state.get("losses", ()))  # which an older checkpoint has not
        # A process more than before joins at the first one's pool, with lines of its own.
        positions = dict(enumerate(state["positions"]))
        self._position = tuple(positions.get(self._rank, (positions[0][0], 0)))


def _ctc(logits: Tensor, batch: Batch) -> Tensor:
    log_probs = logits.float().log_softmax(2).transpose(0, 1)  # (T, B, C)
    lengths = torch.full((logits.shape[0],), logits.shape[1], dtype=torch.int64)
    return nn.functional.ctc_loss(
        log_probs,
        torch.from_numpy(batch.targets).to(logits.device),
        lengths,
        torch.from_numpy(batch.target_lengths),
        zero_infinity=True,
    )


def _start(config: NetworkConfig, weights: Mapping[str, Tensor] | None) -> Crnn:
    """A new network; with `weights`, of one that is as large or smaller, it reads as that did."""
    network = Crnn(config)
    if weights is not None:
        try:
            start_from(network, weights)
        except ValueError as error:
            raise _other_layers(config) from error
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _other_layers(config: NetworkConfig) -> TrainingDataError:
    return TrainingDataError(
        f"The weights to start from do not fit into {config}. Name a run of this network or of a"
        " smaller one of its kind, or start without one."
    )


def load_averaged(folder: Path) -> Crnn:
    """The averaged network of the run in `folder`, shortcut head and all, on the CPU.

    Raises:
        TrainingDataError: there is no checkpoint of a run.
    """
    path = folder / "checkpoint.pt"
    with named(path):
        state = torch.load(path, "cpu", weights_only=True)
        network = Crnn(NetworkConfig.from_json(state["config"]))
        network.load_state_dict(state["average"])
    return network.eval()
