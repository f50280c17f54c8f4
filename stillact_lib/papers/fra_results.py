"""What the records of chapter 01 say beyond tables: average precision against the size of the action object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stillact_lib.evaluation.bootstrap import Interval, bootstrap_map
from stillact_lib.papers.fra_data import FRA
from stillact_lib.records import RunRecord

SIZE = f"{FRA}/object/size"


def size_edges(records: Sequence[RunRecord], bins: int) -> np.ndarray:
    """Edges [bins + 1] between which equally many test images lie, by the size of their object."""
    sizes = np.concatenate([record.scores()[SIZE] for record in records if SIZE in record.scores()])
    return np.nanquantile(sizes, np.linspace(0, 1, bins + 1))


def of_each_class(dataset: str, arm: str, classes: Sequence[str], records: Sequence[RunRecord]) -> dict[str, Interval]:
    """Average precision in % of each class, with intervals over images and seeds."""
    name = f"{dataset}/{arm}/class_scores"
    pooled = _pooled(records, [name], dataset)
    return {
        one: bootstrap_map(pooled.scores[0][:, [k]], pooled.shown[:, [k]], **pooled.drawn)
        for k, one in enumerate(classes)
        if pooled is not None
    }


def map_by_size(records: Sequence[RunRecord], arm: str, edges: np.ndarray) -> list[Interval]:
    """mAP in % over the test images whose object's size lies between each two edges (the last edge counts in), with
    intervals over images and seeds; [] where no record holds the arm."""
    return _by_size(records, [arm], edges)


def gain_by_size(records: Sequence[RunRecord], arm: str, against: str, edges: np.ndarray) -> list[Interval]:
    """The same of how far an arm's mAP exceeds another's."""
    return _by_size(records, [arm, against], edges)


def _by_size(records: Sequence[RunRecord], arms: Sequence[str], edges: np.ndarray) -> list[Interval]:
    pooled = _pooled(records, [f"{FRA}/{arm}/class_scores" for arm in arms], FRA)
    if pooled is None:
        return []
    places = np.clip(np.digitize(pooled.sizes, edges) - 1, 0, len(edges) - 2)
    bins = [np.flatnonzero((places == k) & np.isfinite(pooled.sizes)) for k in range(len(edges) - 1)]
    return [
        bootstrap_map(
            pooled.scores[0][rows],
            pooled.shown[rows],
            pooled.scores[1][rows] if len(arms) > 1 else None,
            **{name: values[rows] for name, values in pooled.drawn.items()},
        )
        for rows in bins
    ]


class _Pooled(NamedTuple):
    """Class scores [N, C] of some arms over all records that hold them, what the items show, their objects' sizes, and
    what is drawn: clusters and runs, [N] each."""

    scores: list[np.ndarray]
    shown: np.ndarray
    sizes: np.ndarray
    drawn: dict[str, np.ndarray]


def _pooled(records: Sequence[RunRecord], names: Sequence[str], dataset: str) -> _Pooled | None:
    held = [(record.seed, scores) for record in records if set(names) <= set(scores := record.scores())]
    if not held:
        return None

    def joined(key: str) -> np.ndarray:
        return np.concatenate([found[key] for _, found in held])

    runs = np.concatenate([np.full(len(found[names[0]]), seed) for seed, found in held])
    sizes = joined(SIZE) if dataset == FRA else np.full(len(runs), np.nan)
    drawn = {"clusters": joined(f"{dataset}/clip"), "runs": runs}
    return _Pooled([joined(name) for name in names], joined(f"{dataset}/positives"), sizes, drawn)
