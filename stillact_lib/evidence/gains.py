"""What one arm gains on another, read from records: pooled over seeds, or class by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stillact_lib.evidence.bootstrap import Interval, mean_estimate
from stillact_lib.evidence.records import CLIP, GROUP, RunRecord


class Scored(NamedTuple):
    """Item scores [N] of one test set, the clip (or group) of each item, and the run that scored it."""

    values: np.ndarray
    clusters: np.ndarray
    runs: np.ndarray


def class_gains(
    records: Sequence[RunRecord],
    stills: str,
    classes: Sequence[str],
    arm: str,
    against: str,
) -> dict[str, Interval]:
    """Gain in accuracy of `arm` over `against`, in points, class by class over the records that hold both; empty where
    none does."""
    first, second, clips, runs, shown = [], [], [], [], []
    for record in records:
        scores = record.scores()
        if f"{stills}/{arm}/accuracy" in scores and f"{stills}/{against}/accuracy" in scores:
            first.append(scores[f"{stills}/{arm}/accuracy"])
            second.append(scores[f"{stills}/{against}/accuracy"])
            clips.append(scores.get(f"{stills}/group", scores[f"{stills}/clip"]))
            shown.append(scores[f"{stills}/positives"])
            runs.append(np.full(len(first[-1]), record.seed))
    if not runs:
        return {}
    a, b, clip, run = (np.concatenate(parts) for parts in (first, second, clips, runs))
    positive = np.concatenate(shown) > 0
    return {
        name: mean_estimate(a[rows], b[rows], clusters=clip[rows], runs=run[rows]).interval()
        for k, name in enumerate(classes)
        if (rows := positive[:, k]).any()
    }


def gains_of(records: Sequence[RunRecord], dataset: str, arm: str, metric: str = "gain") -> Scored | None:
    """Item scores of an arm over the records that hold it, one a seed (the last); None where none does."""
    name = f"{dataset}/{arm}/{metric}"
    of_seed = {record.seed: scores for record in records if name in (scores := record.scores())}
    if not of_seed:
        return None
    values = [scores[name] for scores in of_seed.values()]
    clips = [scores.get(f"{dataset}/{GROUP}", scores[f"{dataset}/{CLIP}"]) for scores in of_seed.values()]
    runs = np.repeat(list(of_seed), [len(one) for one in values])
    return Scored(np.concatenate(values).astype(float), np.concatenate(clips), runs)
