"""The one training loop: plain PyTorch, resumable bit for bit, the same on a laptop's CPU and on a GPU.

Everything random in a step comes from (seed, step): which items, which augmentation, which units dropout leaves out. So
there is no loader state to save, and a run that was killed and resumed ends in the same weights, bit for bit, as one
that was not (same machine, same thread count); what follows a training does not depend on whether it was resumed.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from stillact_lib.errors import StillactError
from stillact_lib.paths import is_kept, sweep, written_whole
from stillact_lib.training.batch_workers import batches_ahead
from stillact_lib.training.devices import Device, training_device
from stillact_lib.training.ending import asked_to_end
from stillact_lib.training.progress import progress, told
from stillact_lib.training.rehearsal import Stopwatch
from stillact_lib.version import code_digest

#: a step's items and augmentation -> a batch; the generator is the only source of randomness it may use
MakeBatch = Callable[[np.ndarray, np.random.Generator], Any]
#: the batch, on its device -> the loss to descend, and the figures to log
StepLoss = Callable[[Any], tuple[Tensor, dict[str, Tensor]]]


def seed_everything(seed: int) -> None:
    """Seeds torch (first weights); what is random in training is seeded by step."""
    torch.manual_seed(seed)


class StepBatches(Dataset):
    """Batch number `step` of a run, as a function of (seed, step) alone.

    Items are drawn without replacement epoch by epoch. Being an ordinary Dataset whose item is a whole batch, it is
    prefetched by a `DataLoader`'s workers and may start at any step.
    """

    def __init__(self, count: int, batch_size: int, make_batch: MakeBatch, seed: int):
        if count == 0:
            raise StillactError("training set: it holds no item; check the data root and the class selection")
        self.count, self.batch_size, self.make_batch, self.seed = count, batch_size, make_batch, seed
        self._orders: dict[int, np.ndarray] = {}

    def items(self, step: int) -> np.ndarray:
        """Indices int64 [batch_size] of one step."""
        positions = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, within = np.divmod(positions, self.count)
        return np.concatenate([self._order(int(epoch))[within[epochs == epoch]] for epoch in np.unique(epochs)])

    def _order(self, epoch: int) -> np.ndarray:
        """The order of all items in one epoch; that of the last two is kept, as drawing it takes a large set's time."""
        if epoch not in self._orders:
            drawn = np.random.default_rng((self.seed, 0, epoch)).permutation(self.count)
            self._orders = {e: order for e, order in self._orders.items() if e == epoch - 1} | {epoch: drawn}
        return self._orders[epoch]

    def __getitem__(self, step: int) -> Any:
        return self.make_batch(self.items(step), np.random.default_rng((self.seed, 1, step)))

    def __len__(self) -> int:
        return sys.maxsize

    def __reduce__(self):
        """For workers that are spawned, as on macOS: a function inside a function is none that plain pickle takes."""
        return _unpacked, (cloudpickle.dumps((self.count, self.batch_size, self.make_batch, self.seed)),)


def _unpacked(batches: bytes) -> StepBatches:
    return StepBatches(*pickle.loads(batches))


@dataclass
class History:
    """What was logged: one row every `log_every` steps, and the seconds spent (over all sessions of a resumed run)."""

    rows: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0

    def series(self, name: str) -> tuple[list[float], list[float]]:
        """(steps, values) of one logged figure, for a curve."""
        rows = [row for row in self.rows if name in row]
        return [row["step"] for row in rows], [row[name] for row in rows]


class Watch(NamedTuple):
    """Figures of the network in training, in evaluation mode, every so many steps and at the end."""

    every: int
    figures: Callable[[], dict[str, float]]


def evenly_spaced(count: int, most: int) -> np.ndarray:
    """Rows for a `Watch` to look at: at most `most` of `count`, evenly spaced."""
    return np.arange(0, count, max(1, -(-count // most)))


@dataclass(frozen=True)
class Checkpoint:
    """Where a run keeps its state, written every `seconds`, and every `every` steps where that is given, under a
    temporary name and then renamed.

    `settings` identifies the run: a checkpoint of other settings is refused rather than resumed.
    """

    path: Path
    every: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: float = 30.0

    def is_due(self, step: int, since: float) -> bool:
        """Whether to save after so many steps, `since` being the time.perf_counter() of the last save."""
        return time.perf_counter() - since >= self.seconds or (self.every is not None and step % self.every == 0)

    def save(self, step: int, model: nn.Module, optimiser: torch.optim.Optimizer | None, history: History) -> None:
        """`optimiser`: None when the run is complete, and only its network is wanted from now on."""
        state = {
            "step": step,
            "settings": self._described(),
            "code": code_digest(),
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict() if optimiser is not None else None,
            "history": {"rows": history.rows, "seconds": history.seconds},
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        sweep(self.path.parent)
        with written_whole(self.path) as temporary:
            torch.save(state, temporary)

    def resume(
        self, model: nn.Module, optimiser: torch.optim.Optimizer, history: History, device: Device, steps: int
    ) -> tuple[int, str]:
        """Loads the state if there is one; returns the step to go on from (0 without), and a remark on its code."""
        if not is_kept(self.path):
            return 0, ""
        try:
            state = torch.load(self.path, map_location=device.torch_device, weights_only=True)
        except Exception as error:
            raise StillactError(f"{self.path}: not a readable checkpoint ({error}); delete it to start anew") from None
        if state["settings"] != self._described():
            raise StillactError(f"{self.path}: belongs to a run with other settings; delete it or name another")
        if state["step"] > steps or (state["step"] < steps and state["optimiser"] is None):
            raise StillactError(
                f"{self.path}: was trained for {state['step']:,} steps, not {steps:,}; what tells them apart belongs "
                "to its identity (depends_on)"
            )
        try:
            model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise StillactError(
                f"{self.path}: holds a network of other layers ({str(error).splitlines()[-1].strip()}); delete it"
            ) from None
        if state["optimiser"] is not None:
            optimiser.load_state_dict(state["optimiser"])
        history.rows, history.seconds = state["history"]["rows"], state["history"]["seconds"]
        return state["step"], "" if state.get("code") == code_digest() else ", by another version of the library"

    def _described(self) -> str:
        return json.dumps(self.settings, sort_keys=True, default=str)


def to_device(batch: Any, device: torch.device) -> Any:
    """Moves a tensor, or tensors in tuples, lists and dicts; images go channels-last, as convolutions like them."""
    if isinstance(batch, Tensor):
        layout = torch.channels_last if batch.ndim == 4 else torch.preserve_format
        return batch.to(device, non_blocking=True, memory_format=layout)
    if isinstance(batch, dict):
        return {name: to_device(part, device) for name, part in batch.items()}
    return type(batch)(to_device(part, device) for part in batch)


def _seed_step(seed: int, step: int, device: torch.device) -> None:
    """Seeds what is random in a step beside its batch, such as dropout; torch.manual_seed takes fifty times as long."""
    drawn = int(np.random.SeedSequence((seed, 2, step)).generate_state(1, np.uint64)[0])
    torch.default_generator.manual_seed(drawn)
    if device.type == "cuda":
        torch.cuda.manual_seed(drawn)


def train(
    model: nn.Module,
    batches: StepBatches,
    step_loss: StepLoss,
    optimiser: torch.optim.Optimizer,
    steps: int,
    device: Device,
    *,
    label: str = "training",
    schedule: Callable[[int], float] | None = None,
    checkpoint: Checkpoint | None = None,
    log_every: int = 10,
    workers: int = 0,
    watch: Watch | None = None,
) -> History:
    """Trains `model` in place for `steps` steps and returns what was logged; torch's random state stays as it was. On a
    processor in float32 where `training_device` says so.

    schedule: step -> factor of the optimiser's initial learning rates (None: constant).
    checkpoint: saved as it says and at the end; if one exists, the run goes on from it, and one
    that is complete is taken as it is.
    workers: processes that prepare batches ahead (0: in this one); the result does not depend on it.
    watch: figures for a curve; the result does not depend on them.
    In a rehearsal (`training.rehearsal`) it ends after a few steps.
    Raises `StillactError` when the loss stops being finite, naming the step; the last checkpoint is kept. Asked to
    terminate, it saves, and raises `StillactError` too.
    """
    device = training_device(model, device)
    stopwatch = Stopwatch(label, steps)
    steps = stopwatch.steps
    model.train().to(device.torch_device, memory_format=torch.channels_last)
    history = History()
    initial_rates = [group.setdefault("initial_lr", group["lr"]) for group in optimiser.param_groups]
    start, remark = checkpoint.resume(model, optimiser, history, device, steps) if checkpoint else (0, "")
    if start == steps:
        told(f"{label}: taken from its checkpoint, {steps:,} steps, trained in {history.seconds:,.0f} s{remark}")
        return history
    if start:
        told(f"{label}: goes on from its checkpoint at step {start:,} of {steps:,}{remark}")
    ahead = batches_ahead(batches, range(start, steps), workers, label)
    began, earlier = time.perf_counter(), history.seconds
    saved = began
    with torch.random.fork_rng([device.torch_device] * device.is_cuda), asked_to_end() as end:
        for step, batch in zip(progress(start, steps, label), ahead, strict=False):
            _seed_step(batches.seed, step, device.torch_device)
            if schedule is not None:
                for group, rate in zip(optimiser.param_groups, initial_rates, strict=True):
                    group["lr"] = rate * schedule(step)
            with device.autocasting():
                loss, figures = step_loss(to_device(batch, device.torch_device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            stopwatch.step_ended()
            if (step + 1) % log_every == 0 or step + 1 == steps:
                row = {"step": step + 1, "loss": float(loss.detach())}
                row |= {name: float(value.detach()) for name, value in figures.items()}
                if not np.isfinite(row["loss"]):
                    at = f"{row['loss']} at step {step + 1}"
                    raise StillactError(f"{label}: the loss is {at}; lower the learning rate")
                history.rows.append(row)
            if watch and watch.every and ((step + 1) % watch.every == 0 or step + 1 == steps):
                asked = time.perf_counter()
                history.rows.append({"step": step + 1, **watch.figures()})
                model.train()
                began += time.perf_counter() - asked  # a look is no training
            history.seconds = earlier + time.perf_counter() - began
            ending = end.is_set()
            if checkpoint and (ending or step + 1 == steps or checkpoint.is_due(step + 1, saved)):
                checkpoint.save(step + 1, model, optimiser if step + 1 < steps else None, history)
                saved = time.perf_counter()
            if ending:
                kept = f"saved in {checkpoint.path}" if checkpoint else "it has no checkpoint"
                raise StillactError(f"{label}: asked to terminate after step {step + 1:,} of {steps:,}; {kept}")
    optimiser.zero_grad(set_to_none=True)  # as large as the network, and of no use to a trained one
    return history


def classification_loss(network: nn.Module) -> StepLoss:
    """The step of a classifier: batch (inputs, labels int64 [B]) -> (cross entropy, {"accuracy"})."""

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        inputs, wanted = batch
        scores = network(inputs).float()
        return functional.cross_entropy(scores, wanted), {"accuracy": (scores.argmax(1) == wanted).float().mean()}

    return step_loss


def warm_up_then_cosine(steps: int, warm_up: int = 50) -> Callable[[int], float]:
    """Learning-rate factor: linear to 1 over `warm_up` steps, then a half cosine to 0 at `steps`."""

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        return 0.5 * (1 + float(np.cos(np.pi * (step - warm_up) / max(1, steps - warm_up))))

    return factor
