"""Worker processes that prepare a training's batches ahead: as many as their shared memory holds."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from stillact_lib.errors import StillactError
from stillact_lib.training.progress import told

#: batches that each worker prepares ahead
PREFETCHED = 2
#: where workers lay batches, on Linux; containers may have little of it (Docker: 64 MB), and a worker that finds none
#: left dies or waits for ever
SHARED_MEMORY = Path("/dev/shm")


def batches_ahead(batches: Dataset, steps: range, workers: int, label: str) -> Iterator[Any]:
    """Items `steps` of `batches`, each a whole batch, prepared by `workers` processes (0: in this one); fewer, with a
    line that says so, where there is no room for more. Raises `StillactError` where they cannot be handed over."""
    if workers and SHARED_MEMORY.is_dir():
        # those that each has ready, the one that is computed on, and the one that is being handed over
        room = shutil.disk_usage(SHARED_MEMORY).free / max(1, _bytes(batches[steps.start]))
        fit = max(0, int((room - 2) / PREFETCHED))
        if fit < workers:
            told(f"{label}: {SHARED_MEMORY} holds the batches of {fit} of {workers} workers (Docker: --shm-size=8g)")
        workers = min(workers, fit)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        prefetch_factor=PREFETCHED if workers else None,
        generator=torch.Generator(),  # else it draws from torch's global one when it starts
    )
    try:
        return iter(loader)
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        raise StillactError(
            f"{label}: its batches cannot be handed to worker processes here ({error}); set workers to 0"
        ) from error


def _bytes(batch: Any) -> int:
    """Bytes of a tensor or array, or of those in tuples, lists and dicts."""
    if isinstance(batch, dict):
        return sum(map(_bytes, batch.values()))
    return batch.nbytes if isinstance(batch, Tensor | np.ndarray) else sum(map(_bytes, batch))
