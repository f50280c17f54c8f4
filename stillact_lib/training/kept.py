"""What a run takes from a file of an earlier session rather than computing it again, and the line that says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from stillact_lib.errors import StillactError
from stillact_lib.paths import is_kept, sweep, written_whole
from stillact_lib.training.progress import told

#: the array that says how long the others took to make
SECONDS = "made in seconds"


def kept(path: Path | None, make: Callable[[], Mapping[str, np.ndarray]], label: str = "") -> dict[str, np.ndarray]:
    """The arrays that `make` returns, by name: made once, kept at `path` (.npz, no pickle) and read from there.

    path: None keeps nothing; it has to name all that the arrays depend on. Whether they are made or read, torch's
    random state stays as it was, so that what follows is the same. label: read arrays say with it that they were.
    Raises StillactError, naming the file, where it cannot be read.
    """
    if path is not None and is_kept(path):
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except Exception as error:
            raise StillactError(f"{path}: not readable ({error}); delete it to have it made anew") from None
        seconds = float(arrays.pop(SECONDS, 0))
        if label:
            told(f"{label}: taken from {path.name}, made in {seconds:,.0f} s")
        return arrays
    began = time.perf_counter()
    with torch.random.fork_rng([torch.cuda.current_device()] if torch.cuda.is_initialized() else []):
        arrays = {name: np.asarray(values) for name, values in make().items()}
    if pickled := [name for name, values in arrays.items() if values.dtype.hasobject]:
        raise StillactError(f"{label or path}: {', '.join(pickled)} would need a pickle; keep plain arrays")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays, **{SECONDS: np.array(time.perf_counter() - began)})
    return arrays
