"""Precision by class and by the size of the action object, from kept records (Rosenfeld and Ullman 2016, Figure 2, and
ours). Chapter 01.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stillact_lib.evidence.bootstrap import Interval, map_estimate
from stillact_lib.evidence.records import RunRecord
from stillact_lib.evidence.worlds import world_of
from stillact_lib.papers.fra.data import FRA

SIZE = f"{FRA}/object/size"
#: test images of each class are sorted by the size of their object into so many equal parts
SIZE_BINS = 5


def size_bins(sizes: np.ndarray, positives: np.ndarray, bins: int) -> np.ndarray:
    """Which of equally full bins each image's object falls into by its size among those of its own class, int [N]; -1
    where none shows. So every bin holds the classes in equal shares, whichever has the smallest things."""
    found = np.full(len(sizes), -1)
    for column in positives.T > 0:
        own = np.flatnonzero(column & np.isfinite(sizes))
        found[own[np.argsort(sizes[own], kind="stable")]] = np.arange(len(own)) * bins // max(1, len(own))
    return found


def mean_sizes(records: Sequence[RunRecord], bins: int) -> list[float]:
    """The mean size of the objects in each of `size_bins` that holds any, in % of the image's side."""
    held = _holding(records, [SIZE])
    if not held:
        return []
    sizes, places = _joined(held, SIZE), _places(held, bins)
    return [float(sizes[places == k].mean()) for k in np.unique(places[places >= 0])]


def of_each_class(dataset: str, arm: str, records: Sequence[RunRecord]) -> dict[str, Interval]:
    """Average precision in % of each class, by the name that its photographs have, with intervals over photographs,
    seeds and worlds."""
    held = _holding(records, [name := f"{dataset}/{arm}/class_scores"])
    if not held:
        return {}
    scores, shown, drawn = _joined(held, name), _joined(held, f"{dataset}/positives"), _drawn(held, dataset)
    found = {}
    for column in np.flatnonzero(shown.any(axis=0)):
        own = shown[:, [column]]
        one = Path(drawn["clusters"][own[:, 0] > 0][0]).stem.rpartition("_")[0]
        found[one] = map_estimate(scores[:, [column]], own, **drawn).interval()
    return found


def map_by_size(records: Sequence[RunRecord], arm: str, bins: int, against: str | None = None) -> list[Interval]:
    """mAP in % of an arm over the test images of each of `size_bins` that holds any, or what it has over another, with
    intervals over images, seeds and worlds; [] where no record holds the arms."""
    names = [f"{FRA}/{one}/class_scores" for one in (arm, against) if one is not None]
    held = _holding(records, [*names, SIZE])
    if not held:
        return []
    shown, drawn, places = _joined(held, f"{FRA}/positives"), _drawn(held, FRA), _places(held, bins)
    found = []
    for rows in (np.flatnonzero(places == k) for k in np.unique(places[places >= 0])):
        of_rows = {name: values[rows] for name, values in drawn.items()}
        each = [map_estimate(_joined(held, name)[rows], shown[rows], **of_rows) for name in names]
        found.append((each[0] if against is None else each[0] - each[1]).interval())
    return found


def _holding(records: Sequence[RunRecord], names: Sequence[str]) -> list[RunRecord]:
    return [record for record in records if set(names) <= set(record.scores())]


def _joined(held: Sequence[RunRecord], name: str) -> np.ndarray:
    return np.concatenate([record.scores()[name] for record in held])


def _drawn(held: Sequence[RunRecord], dataset: str) -> dict[str, np.ndarray]:
    """What an interval goes over: photographs, runs and worlds, [N] each."""
    clips = [record.scores()[f"{dataset}/clip"] for record in held]
    of_run = {"runs": [record.seed for record in held], "worlds": [world_of(record) for record in held]}
    lengths = [len(own) for own in clips]
    return {"clusters": np.concatenate(clips), **{name: np.repeat(of, lengths) for name, of in of_run.items()}}


def _places(held: Sequence[RunRecord], bins: int) -> np.ndarray:
    own = [record.scores() for record in held]
    return np.concatenate([size_bins(scores[SIZE], scores[f"{FRA}/positives"], bins) for scores in own])
