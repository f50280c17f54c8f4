"""Where a run's data comes from, the real dataset or its miniature; what its record says of it; where its networks are
kept. Used by every chapter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stillact_lib.configuration import Configuration
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.miniature import write
from stillact_lib.miniature.writing import identity_of
from stillact_lib.paths import workspace
from stillact_lib.training.loop import Checkpoint

if TYPE_CHECKING:
    import pandas as pd

#: one checkpoint every so many steps
CHECKPOINT_EVERY = 1000


class DrawnFrom(Protocol):
    """The settings of any chapter that say which miniature a run draws."""

    @property
    def miniature_size(self) -> str: ...

    @property
    def miniature_seed(self) -> int: ...


def miniature_or_real(
    dataset: str, real_root: Path | None, settings: DrawnFrom, classes: tuple[str, ...] | None = None
) -> Path:
    """The root of a dataset: the real one where a root is given, else its miniature, written on first use.

    classes: those that the miniature has (None: its size's own).
    """
    if real_root is not None:
        return real_root
    return write(
        dataset,
        workspace() / "miniature" / f"{dataset}-{miniature_of(dataset, settings, classes)}",
        seed=settings.miniature_seed,
        size=settings.miniature_size,
        classes=classes,
        progress=False,
    )


def miniature_of(dataset: str, settings: DrawnFrom, classes: tuple[str, ...] | None = None) -> str:
    """Which miniature of a dataset a run draws, as "mini-seed1-5e99f947": size, seed and identity."""
    drawn = identity_of(dataset, settings.miniature_seed, settings.miniature_size, classes)[:8]
    return f"{settings.miniature_size}-seed{settings.miniature_seed}-{drawn}"


def origin_of(root: Path, name: str, real: bool) -> DataOrigin:
    """What a record says of the data below `root`: real, or which miniature (size, seed and identity)."""
    if real:
        return DataOrigin(name=name, kind="real")
    return DataOrigin(name=name, kind="miniature", detail="-".join(root.name.split("-")[-3:]))


def grouped(table: pd.DataFrame) -> np.ndarray:
    """Class and group of each row, str [N]: clips of one group are cut from one source and share person and scene, so
    an interval over new people has to draw groups, not clips."""
    return (table["class_name"].astype(str) + "/" + table["group"].astype(str)).to_numpy(str)


def checkpoint_for(
    chapter: str, network: str, settings: Configuration, depends_on: Collection[str] | None = None
) -> Checkpoint | None:
    """Where a network of this run keeps its state, if the run keeps any; runs of other settings have other files.

    depends_on: the settings that matter to this network; None: all.
    """
    if not settings.keep_checkpoints:
        return None
    described = settings.model_dump(include=set(depends_on) if depends_on else None, exclude={"keep_checkpoints"})
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:10]
    path = workspace() / "checkpoints" / f"{chapter}-{settings.profile}-{digest}-{network}.pt"
    return Checkpoint(path, every=CHECKPOINT_EVERY, settings=described)
