"""What one arm gains on another, read from records: pooled over seeds, or class by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stillact_lib.evidence.bootstrap import Interval, mean_estimate
from stillact_lib.evidence.records import CLASS_SCORES, CLIP, GROUP, RunRecord
from stillact_lib.evidence.worlds import is_fold, world_of


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
    metric: str = "accuracy",
) -> dict[str, Interval]:
    """Gain in accuracy of `arm` over `against`, in points, class by class over the records that hold both; empty where
    none does. Clips of one name in two worlds are two clips, and seeds lie within their worlds."""
    first, second, clips, runs, worlds, shown = [], [], [], [], [], []
    for record in records:
        scores = record.scores()
        if f"{stills}/{arm}/{metric}" in scores and f"{stills}/{against}/{metric}" in scores:
            first.append(scores[f"{stills}/{arm}/{metric}"])
            second.append(scores[f"{stills}/{against}/{metric}"])
            of_world = scores.get(f"{stills}/group", scores[f"{stills}/clip"])
            clips.append(np.char.add(f"{world_of(record)} ", of_world.astype(str)))
            shown.append(scores[f"{stills}/positives"])
            runs.append(np.full(len(first[-1]), record.seed))
            worlds.append(np.full(len(first[-1]), world_of(record)))
    if not runs:
        return {}
    a, b, clip, run, world = (np.concatenate(parts) for parts in (first, second, clips, runs, worlds))
    positive, folds = np.concatenate(shown) > 0, any(map(is_fold, records))

    def gain(rows: np.ndarray) -> Interval:
        drawn = {"clusters": clip[rows], "runs": run[rows], "worlds": world[rows]}
        return mean_estimate(a[rows], b[rows], **drawn)._replace(folds=folds).interval()

    return {name: gain(rows) for k, name in enumerate(classes) if (rows := positive[:, k]).any()}


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


def decisions_changed(
    records: Sequence[RunRecord], stills: str, arms: Sequence[str], against: str = "appearance"
) -> pd.DataFrame:
    """How often a second stream changes the best class of the first: a row an arm that some records hold beside
    `against`, with the mean over these of the share of images in % whose best class differs, of those it corrects and
    those it spoils, and of the first stream's weight."""
    rows = {}
    for arm in arms:
        each = [found for record in records if (found := _changes(record, stills, arm, against))]
        if each:
            rows[arm] = {**pd.DataFrame(each).mean(), "runs": len(each)}
    return pd.DataFrame.from_dict(rows, orient="index")


def _changes(record: RunRecord, stills: str, arm: str, against: str) -> dict[str, float]:
    scores, names = record.scores(), [f"{stills}/{one}" for one in (arm, against)]
    if not all(f"{name}/{CLASS_SCORES}" in scores for name in names):
        return {}
    after, before = (scores[f"{name}/{CLASS_SCORES}"].argmax(1) for name in names)
    right = [scores[f"{name}/accuracy"] > 0 for name in names]
    shares = {
        "changed": after != before,
        "corrected": right[0] & ~right[1],
        "spoilt": right[1] & ~right[0],
    }
    of_shares = {name: 100 * float(which.mean()) for name, which in shares.items()}
    return of_shares | {"weight": _weight(record, stills, arm, against)}


def _weight(record: RunRecord, stills: str, arm: str, against: str) -> float:
    """The first stream's weight in what is fused of both: as kept, else solved for from the class scores of all three,
    which are kept of every second stream that stands alone in a table; NaN where they are not."""
    if (kept := record.metrics.get(f"{stills}/{arm}/weight")) is not None:
        return kept
    scores, second = record.scores(), arm.removeprefix(f"{against}_")
    names = [f"{stills}/{one}/{CLASS_SCORES}" for one in (arm, against, second)]
    if second == against or not all(name in scores for name in names):
        return np.nan
    fused, first, other = (scores[name].astype(float) for name in names)
    apart = first - other
    return round(float((apart * (fused - other)).sum() / max(np.square(apart).sum(), 1e-12)), 3)
