"""From records to estimates: what an arm scores, or has over another, over all runs that scored both.

Arms may come from different runs, a method and its ablation: runs of one world and seed are joined item by item. What
counts as one draw is a group of clips where the record names groups, as clips of one group are alike, else a clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stillact_lib.errors import StillactError
from stillact_lib.evidence.bootstrap import Estimate, Interval, map_estimate, mean_estimate
from stillact_lib.evidence.claims import Gain
from stillact_lib.evidence.published import Measure, Statistic
from stillact_lib.evidence.records import (
    CLASS_GROUPS,
    CLASS_SCORES,
    CLIP,
    GROUP,
    POSITIVES,
    RunRecord,
)
from stillact_lib.evidence.worlds import comparable, is_fold, world_of


class Run(NamedTuple):
    """What tells runs of one kind apart."""

    world: str
    seed: int


class Pool:
    """Item scores of the runs of one profile, arm by arm; what was computed is kept for the next question."""

    def __init__(self, records: Sequence[RunRecord]) -> None:
        profiles = sorted({record.profile for record in records})
        if len(profiles) > 1:
            raise StillactError(
                f"records of several profiles ({', '.join(profiles)}) give no joint verdict; select one"
            )
        self.records = list(records)
        self.profile = "".join(profiles)
        self._holding: dict[str, dict[Run, RunRecord]] = {}
        self._estimates: dict[tuple, Estimate] = {}

    def holding(self, name: str) -> dict[Run, RunRecord]:
        """The runs that hold an array of scores; they may differ in nothing but world and seed (and the code)."""
        if name not in self._holding:
            found: dict[Run, RunRecord] = {}
            for record in self.records:
                if name not in record.scores():
                    continue
                run = Run(world_of(record), record.seed)
                if run in found or not all(comparable(record, other) for other in found.values()):
                    other = found.get(run) or next(iter(found.values()))
                    raise StillactError(
                        f"records {other.run_id} and {record.run_id} both hold {name} and differ in more than world "
                        "and seed, or in nothing; keep one kind of run, each once"
                    )
                found[run] = record
            self._holding[name] = dict(sorted(found.items()))
        return self._holding[name]

    def runs(self, gains: Sequence[Gain], kinds: Sequence[str]) -> list[Run]:
        """Those that scored every arm of some comparisons; `kinds`: what each one's arrays are called."""
        names = [f"{gain.dataset}/{arm}/{kind}" for gain, kind in zip(gains, kinds, strict=True) for arm in gain.arms]
        return sorted(set.intersection(*(set(self.holding(name)) for name in names)))

    def gain(self, measure: Measure, gain: Gain, runs: Sequence[Run]) -> Estimate | None:
        """What an arm has over the other one, or over a number; None where the data has no class of the group."""
        if isinstance(gain.against, float):
            alone = self.arm(measure, gain.dataset, gain.arm, runs)
            return alone and alone._replace(value=alone.value - gain.against)
        self._check_items(measure, gain, runs)
        if measure.statistic == "mean":
            return self._cached(measure, gain.dataset, gain.arms, runs)
        ours, theirs = (self.arm(measure, gain.dataset, arm, runs) for arm in gain.arms)
        return ours and ours - theirs

    def arm(self, measure: Measure, dataset: str, arm: str, runs: Sequence[Run]) -> Estimate | None:
        """An arm's mean, or its mAP in %."""
        return self._cached(measure, dataset, [arm], runs)

    def measured(
        self, measure: Measure, dataset: str, arm: str, level: float, against: str | None = None
    ) -> Interval | None:
        """An arm's figure with its interval, or what it has over another; None where no run holds it."""
        gain = Gain(dataset, measure.metric, arm, 0.0 if against is None else against)
        runs = self.runs([gain], [kind_of(measure)])
        found = self.gain(measure, gain, runs) if runs else None
        return found and found.interval(level)

    def _cached(self, measure: Measure, dataset: str, arms: list[str], runs: Sequence[Run]) -> Estimate | None:
        key = measure, dataset, *arms, *runs
        if key not in self._estimates:
            found = self._estimate(measure, dataset, arms, runs)
            self._estimates[key] = found and found._replace(folds=any(map(is_fold, self.records)))
        return self._estimates[key]

    def _estimate(self, measure: Measure, dataset: str, arms: list[str], runs: Sequence[Run]) -> Estimate | None:
        names = [f"{dataset}/{arm}/{kind_of(measure)}" for arm in arms]
        found = [[self.holding(name)[run].scores() for run in runs] for name in names]
        clusters = [of.get(f"{dataset}/{GROUP}", of[f"{dataset}/{CLIP}"]) for of in found[0]]
        lengths = [len(of) for of in clusters]
        drawn = {"clusters": np.concatenate(clusters), "runs": np.repeat([run.seed for run in runs], lengths)}
        drawn |= {"worlds": np.repeat([run.world for run in runs], lengths), "test_set": dataset}
        if measure.statistic == "mean":
            return mean_estimate(*(_joined(of, name) for of, name in zip(found, names, strict=True)), **drawn)
        scores, shown = _joined(found[0], names[0]), _joined(found[0], f"{dataset}/{POSITIVES}")
        if measure.class_group is not None:
            chosen = found[0][0][f"{dataset}/{CLASS_GROUPS}"] == measure.class_group
            scores, shown = scores[:, chosen], shown[:, chosen]
        return map_estimate(scores, shown, **drawn) if shown.any() else None

    def _check_items(self, measure: Measure, gain: Gain, runs: Sequence[Run]) -> None:
        """Both arms were scored on the same items, run by run."""
        holding = [self.holding(f"{gain.dataset}/{arm}/{kind_of(measure)}") for arm in gain.arms]
        for name in [CLIP, POSITIVES] if measure.statistic == "map" else [CLIP]:
            for run in runs:
                one, other = (held[run].scores()[f"{gain.dataset}/{name}"] for held in holding)
                if one is not other and not np.array_equal(one, other):
                    raise StillactError(
                        f"seed {run.seed}: the {gain.dataset} {name if name == POSITIVES else 'clips'} of "
                        f"{' and '.join(gain.arms)} differ; run them on the same data"
                    )


def measured(
    dataset: str,
    arm: str,
    metric: str,
    records: Sequence[RunRecord],
    *,
    against: str | None = None,
    level: float = 0.95,
    statistic: Statistic = "mean",
    class_group: str | None = None,
) -> Interval | None:
    """An arm's mean over items, runs and worlds with its interval, or its mAP in % (over the classes of `class_group`,
    where one is given), or what it has `against` another; None where no run has it."""
    return Pool(records).measured(Measure(metric, statistic, class_group), dataset, arm, level, against)


def kind_of(measure: Measure) -> str:
    """What the arrays behind a measure are called in records."""
    return CLASS_SCORES if measure.statistic == "map" else measure.metric


def _joined(found: Sequence[dict[str, np.ndarray]], name: str) -> np.ndarray:
    if len({of[name].shape[1:] for of in found}) > 1:
        raise StillactError(f"{name}: the classes of several runs differ; run them on the same data")
    return np.concatenate([of[name] for of in found])
