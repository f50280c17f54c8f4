"""Where a run's data comes from, the real dataset or its miniature; what its record says of it; where its networks are
kept. Used by every chapter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stillact_lib.configuration import CARRYING_OUT, PLACES, Configuration
from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.miniature import write
from stillact_lib.miniature.writing import identity_of, stamp_in
from stillact_lib.paths import workspace
from stillact_lib.training.loop import Checkpoint

if TYPE_CHECKING:
    import pandas as pd


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


def origin_of(root: Path, name: str) -> DataOrigin:
    """What a record says of the data below `root`: which miniature (size, seed and identity), whoever gave it as a
    root, or that it is real."""
    if (stamp := stamp_in(root)) is None:
        return DataOrigin(name=name, kind="real")
    detail = f"{stamp['size']}-seed{stamp['seed']}-{stamp['identity'][:8]}"
    return DataOrigin(name=name, kind="miniature", detail=detail)


def grouped(table: pd.DataFrame) -> np.ndarray:
    """Class and group of each row, str [N]: clips of one group are cut from one source and share person and scene, so
    an interval over new people has to draw groups, not clips."""
    return (table["class_name"].astype(str) + "/" + table["group"].astype(str)).to_numpy(str)


def checkpoint_for(
    chapter: str,
    network: str,
    settings: Configuration,
    depends_on: Collection[str] | None = None,
    data: Sequence[DataOrigin] = (),
) -> Checkpoint | None:
    """Where a network of this run keeps its state, if the run keeps any: a file of its own for all that changes it.

    depends_on: the settings that do (None: all); the seed always does. How a run is carried out, its profile's name and
    where its data lies never do: of a root named here counts which miniature lies there, if one is given. data: what
    the network learns from; without it, name `miniature_size` and `miniature_seed`.
    Raises StillactError for a name that is no setting.
    """
    described = _identity(settings, depends_on, data)
    path = _place(chapter, network, settings, described, ".pt")
    return None if path is None else Checkpoint(path, settings=described)


def arrays_for(
    chapter: str,
    name: str,
    settings: Configuration,
    depends_on: Collection[str] | None = None,
    data: Sequence[DataOrigin] = (),
) -> Path | None:
    """The same for what is no network: the file in which `kept` keeps arrays that take a while (scores of support
    vector machines, clusters, features), or None where the run keeps nothing."""
    return _place(chapter, name, settings, _identity(settings, depends_on, data), ".npz")


def _identity(
    settings: Configuration, depends_on: Collection[str] | None, data: Sequence[DataOrigin]
) -> dict[str, object]:
    known = type(settings).model_fields
    named = set(known if depends_on is None else depends_on) | {"seed"}
    if unknown := sorted(named - set(known)):
        raise StillactError(f"depends_on: {type(settings).__name__} has no {', '.join(map(repr, unknown))}")
    described = settings.model_dump(include=named, exclude={"profile", *CARRYING_OUT})
    for name in (name for name in described if name.endswith(PLACES) and described[name]):
        stamp = stamp_in(Path(described[name]))
        described[name] = stamp["identity"] if stamp else "real"
    return described | ({"data": [list(origin.identity) for origin in data]} if data else {})


def _place(chapter: str, name: str, settings: Configuration, described: dict[str, object], ending: str) -> Path | None:
    if not settings.keep_checkpoints:
        return None
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:10]
    return workspace() / "checkpoints" / f"{chapter}-{name}-{digest}{ending}"
