"""What the records of chapter 01 say beyond tables: average precision against the size of the action object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stillact_lib.evaluation.bootstrap import Interval, map_estimate
from stillact_lib.papers.fra_data import FRA
from stillact_lib.records import RunRecord

SIZE = f"{FRA}/object/size"


def size_bins(sizes: np.ndarray, positives: np.ndarray, bins: int) -> np.ndarray:
    """Which of equally full bins each image's object falls into by its size among those of its own class, int [N]; -1
    where none shows. So every bin holds the classes in equal shares, whichever has the smallest things."""
    found = np.full(len(sizes), -1)
    for column in positives.T > 0:
        own = np.flatnonzero(column & np.isfinite(sizes))
        found[own[np.argsort(sizes[own], kind="stable")]] = np.arange(len(own)) * bins // max(1, len(own))
    return found


def mean_sizes(records: Sequence[RunRecord], bins: int) -> list[float]:
    """The mean size of the objects in each bin, in % of the image's side."""
    for record in records:
        if SIZE in (scores := record.scores()):
            places = size_bins(scores[SIZE], scores[f"{FRA}/positives"], bins)
            return [float(scores[SIZE][places == k].mean()) for k in range(bins)]
    return []


def of_each_class(dataset: str, arm: str, classes: Sequence[str], records: Sequence[RunRecord]) -> dict[str, Interval]:
    """Average precision in % of each class, with intervals over images and seeds."""
    name = f"{dataset}/{arm}/class_scores"
    pooled = _pooled(records, [name], dataset)
    return {
        one: map_estimate(pooled.scores[0][:, [k]], pooled.shown[:, [k]], **pooled.drawn).interval()
        for k, one in enumerate(classes)
        if pooled is not None
    }


def map_by_size(records: Sequence[RunRecord], arm: str, bins: int) -> list[Interval]:
    """mAP in % over the test images of each of `size_bins`, with intervals over images and seeds; [] where no record
    holds the arm."""
    return _by_size(records, [arm], bins)


def gain_by_size(records: Sequence[RunRecord], arm: str, against: str, bins: int) -> list[Interval]:
    """The same of how far an arm's mAP exceeds another's."""
    return _by_size(records, [arm, against], bins)


def _by_size(records: Sequence[RunRecord], arms: Sequence[str], bins: int) -> list[Interval]:
    pooled = _pooled(records, [f"{FRA}/{arm}/class_scores" for arm in arms], FRA)
    if pooled is None:
        return []
    places = np.concatenate(
        [size_bins(pooled.sizes[own], pooled.shown[own], bins) for own in _rows_of_runs(pooled.drawn["runs"])]
    )
    found = []
    for rows in (np.flatnonzero(places == k) for k in range(bins)):
        drawn = {name: values[rows] for name, values in pooled.drawn.items()}
        each = [map_estimate(scores[rows], pooled.shown[rows], **drawn) for scores in pooled.scores]
        found.append((each[0] if len(arms) == 1 else each[0] - each[1]).interval())
    return found


def _rows_of_runs(runs: np.ndarray) -> list[np.ndarray]:
    """Rows of each run; runs int [N], one after the other."""
    return np.split(np.arange(len(runs)), np.flatnonzero(np.diff(runs)) + 1)


class _Pooled(NamedTuple):
    """Class scores [N, C] of some arms over all records that hold them, what the items show, their objects' sizes, and
    what is drawn: clusters and runs, [N] each."""

    scores: list[np.ndarray]
    shown: np.ndarray
    sizes: np.ndarray
    drawn: dict[str, np.ndarray]


def _pooled(records: Sequence[RunRecord], names: Sequence[str], dataset: str) -> _Pooled | None:
    wanted = {*names, SIZE} if dataset == FRA else {*names}
    held = [(record.seed, scores) for record in records if wanted <= set(scores := record.scores())]
    if not held:
        return None

    def joined(key: str) -> np.ndarray:
        return np.concatenate([found[key] for _, found in held])

    runs = np.concatenate([np.full(len(found[names[0]]), seed) for seed, found in held])
    sizes = joined(SIZE) if dataset == FRA else np.full(len(runs), np.nan)
    drawn = {"clusters": joined(f"{dataset}/clip"), "runs": runs}
    return _Pooled([joined(name) for name in names], joined(f"{dataset}/positives"), sizes, drawn)
