"""What was tried before anything was decided: runs of the profile `tuning`, what each changes, and its curves.

Records hold a watched training as metrics named "ucf101/im2flow/epe_all@500", the figure on the held-out items at step
500 (`curve_to_keep`). Such runs choose settings and decide nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import isfinite

import pandas as pd

from stillact_lib.configuration import deciding
from stillact_lib.evidence.bootstrap import Interval, mean_estimate
from stillact_lib.evidence.records import CLIP, GROUP, RunRecord
from stillact_lib.training.loop import History

CHOSEN = "as chosen"
WATCHED = re.compile(r"(?P<dataset>[^/]+)/(?P<arm>[^/]+)/(?P<metric>[^/@]+)@(?P<step>\d+)")
#: parameters that say where a run looks and how much is kept of it, not what is tried
NOT_TRIED = ("seed", "profile", "miniature_seed", "fold", "tested", "score_every")
NOT_TRIED += ("baselines", "stills", "curve", "controls", "arms", "transfer")
#: and what stands in for ImageNet, of which no kept run tries more or less
NOT_TRIED += ("pretraining_photographs", "pretraining_steps")


def curve_to_keep(history: History, arm: str, figures: Mapping[str, str] | None = None) -> dict[str, float]:
    """What a record keeps of a watched training of `arm`, "ucf101/im2flow": its figures by step, named as above, less
    those that are no number. `figures`: the name in the record of each that is kept (None: all, by their own)."""
    watched = [row for row in history.rows if "loss" not in row]
    return {
        f"{arm}/{name}@{row['step']}": row[figure]
        for row in watched
        for figure, name in (figures or {figure: figure for figure in row if figure != "step"}).items()
        if isfinite(row[figure])
    }


def tried(records: Sequence[RunRecord], profile: Mapping[str, object], *, whole: bool = False) -> pd.DataFrame:
    """The watched figures of all runs: what each changes ("as chosen"), dataset, arm, metric, step, value.

    profile: the parameters that the file of the profile gives; of others the commonest value is no change. Arms are
    named by their first word, "im2flow" of "im2flow_scratch", since what they change has a column; or by all of it.
    """
    rows = []
    usual = _usual(records) | deciding(profile)
    for record in records:
        change = change_of(record, usual)
        for name, value in record.metrics.items():
            if found := WATCHED.fullmatch(name):
                arm = found["arm"] if whole else found["arm"].partition("_")[0]
                rows.append((change, found["dataset"], arm, found["metric"], int(found["step"]), value))
    return pd.DataFrame(rows, columns=["change", "dataset", "arm", "metric", "step", "value"])


def at_the_end(figures: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Of `tried`, each run's figures after its last step: a row a change and arm, a column a metric; runs that change
    nothing first."""
    last = figures[figures["step"] == figures.groupby(["change", "arm"])["step"].transform("max")]
    table = last[last["metric"].isin(metrics)].pivot(index=["change", "arm", "step"], columns="metric", values="value")
    return table[list(metrics)].sort_index(key=_least_changed_first)


def in_the_end(records: Sequence[RunRecord], profile: Mapping[str, object], metrics: Sequence[str]) -> pd.DataFrame:
    """Figures of trainings that were not watched: a row a run that has all of some named metrics, such as
    "stanford10/appearance/accuracy", named by what it changes or "as chosen"; runs that change least first."""
    usual, rows = _usual(records) | profile, {}
    for record in records:
        if all(metric in record.metrics for metric in metrics):
            rows[change_of(record, usual)] = [record.metrics[metric] for metric in metrics]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(metrics)).rename_axis("change")
    return table.sort_index(key=_least_changed_first)


def effects_of_changes(
    records: Sequence[RunRecord],
    profile: Mapping[str, object],
    test_set: str,
    arm: str,
    metrics: Sequence[str],
    in_pixels: Collection[str] = (),
) -> dict[str, dict[str, Interval]]:
    """Metric -> change -> what the change adds to an arm (named by its first word), over the same clips of the run that
    changes nothing: the mean over clips of their frames' means, with its interval over groups of clips, of one training
    each. Metrics `in_pixels` are left out of runs whose images have another size. Empty without a run as chosen."""
    usual = _usual(records) | deciding(profile)
    of_change = {}
    for record in records:
        figures = _of_clips(record, test_set, arm)
        if len(figures):
            of_change[change_of(record, usual)] = figures, record.parameters.get("image_size")
    if CHOSEN not in of_change:
        return {}
    (chosen, size), found = of_change.pop(CHOSEN), {}
    for metric in metrics:
        for change, (figures, other_size) in of_change.items():
            if metric in figures and metric in chosen and (other_size == size or metric not in in_pixels):
                found.setdefault(metric, {})[change] = _difference(figures, chosen, metric)
    return found


def between_seeds(
    records: Sequence[RunRecord], profile: Mapping[str, object], test_set: str, arm: str, metrics: Sequence[str]
) -> dict[str, dict[str, Interval]]:
    """Metric -> "fold 2, seed 1" -> how far that run of an arm lies from the same fold's first seed: by how much
    trainings differ of which nothing was changed, which an interval over groups alone does not show. Runs that change
    more of the `profile` than the fold are left out."""
    usual = _usual(records) | deciding(profile)
    of_run = {
        (one.parameters.get("fold"), one.seed): figures
        for one in records
        if change_of(one, usual) == CHOSEN and len(figures := _of_clips(one, test_set, arm))
    }
    found: dict[str, dict[str, Interval]] = {metric: {} for metric in metrics}
    for (fold, seed), figures in sorted(of_run.items()):
        first = min(other for of_fold, other in of_run if of_fold == fold)
        for metric in metrics if seed != first else ():
            found[metric][f"fold {fold}, seed {seed}"] = _difference(figures, of_run[fold, first], metric)
    return found


def _difference(figures: pd.DataFrame, others: pd.DataFrame, metric: str) -> Interval:
    """What one run's clips have over the same clips of another run, over groups."""
    both = figures.join(others[metric].rename(CHOSEN), how="inner")
    return mean_estimate(*(both[of].to_numpy() for of in (metric, CHOSEN)), clusters=both[GROUP].array).interval()


def _of_clips(record: RunRecord, test_set: str, arm: str) -> pd.DataFrame:
    """An arm's scores, a row a clip with its group; empty where the record has none."""
    scores = record.scores()
    named = {name: f"{test_set}/{name}" for name in (CLIP, GROUP)}
    begins = f"{test_set}/{arm}"
    of_arm = {
        name.rpartition("/")[2]: values
        for name, values in scores.items()
        if name.rpartition("/")[0].partition("_")[0] == begins
    }
    if not of_arm or not all(name in scores for name in named.values()):
        return pd.DataFrame()
    table = pd.DataFrame(of_arm | {name: scores[where] for name, where in named.items()})
    return table.groupby(CLIP).agg({name: "first" if name == GROUP else "mean" for name in [GROUP, *of_arm]})


def change_of(record: RunRecord, usual: Mapping[str, object]) -> str:
    """What a run changes of the `usual` parameters, in words; "as chosen" where nothing."""
    changes = {name: value for name, value in _told(record).items() if value != usual.get(name)}
    return ", ".join(f"{name} {value}" for name, value in changes.items()) or CHOSEN


def _least_changed_first(names: pd.Index) -> pd.Index:
    """How the changes of an index sort; its other levels as they are."""
    if names.name != "change":
        return names
    return pd.Index([f"{(change != CHOSEN) * (1 + change.count(','))} {change}" for change in names])


def _told(record: RunRecord) -> dict[str, object]:
    return {name: value for name, value in deciding(record.parameters).items() if name not in NOT_TRIED}


def _usual(records: Sequence[RunRecord]) -> dict[str, object]:
    """The commonest value of each parameter: runs change one or two."""
    counted: dict[str, Counter] = {}
    for record in records:
        for name, value in _told(record).items():
            counted.setdefault(name, Counter())[value] += 1
    return {name: values.most_common(1)[0][0] for name, values in counted.items()}
