"""What the records of chapter 02 say beyond tables: what classes gain in average precision, accuracy by context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from stillact_lib.evaluation.bootstrap import Interval, mean_estimate
from stillact_lib.gains import gains_of
from stillact_lib.miniature.context_layout import CONTEXTS
from stillact_lib.published import Claim, Published
from stillact_lib.records import RunRecord
from stillact_lib.verdicts import measured, verdict

#: Figure "accuracy by context": the arms of each panel
PANELS = {
    "taught on biased context": {
        "without": "resnet_without",
        "right place": "resnet_with",
        "wrong place": "resnet_elsewhere",
    },
    "taught on fair context": {"without": "fair_without", "right place": "fair_with", "wrong place": "fair_elsewhere"},
}


def precision_changes(
    published: Published, records: Sequence[RunRecord], dataset: str, arm: str, against: str, classes: Sequence[str]
) -> dict[str, Interval]:
    """Figure 4: how much higher the average precision of each class is in `arm` than in `against`, in points, with
    intervals over photographs and seeds; empty where no record holds both."""
    found = {}
    for name in classes:
        claim = Claim("figure4", dataset, "map", arm, against, "higher", published.rule, "map", name)
        change = verdict(claim, records)
        if change.label != "not attempted":
            found[name] = Interval(change.difference, *change.interval, change.n_clips, change.n_seeds)
    return found


def accuracy_by_context(records: Sequence[RunRecord]) -> Mapping[str, Mapping[str, Mapping[str, Interval]]]:
    """Panel -> arm -> context -> accuracy in % with its interval; panels without records are left out."""
    panels = {}
    for title, arms in PANELS.items():
        rows = {
            label: {context: measured(context, arm, "right", records) for context in CONTEXTS}
            for label, arm in arms.items()
        }
        if all(found is not None for row in rows.values() for found in row.values()):
            panels[title] = rows
    return panels


def confusions(
    records: Sequence[RunRecord], dataset: str, arms: Mapping[str, str], pair: tuple[str, str]
) -> pd.DataFrame:
    """How many of the test photographs of each class of a pair are taken for the other, in %, mean over seeds; arms:
    label -> arm, a column each."""
    found: dict[str, dict[str, list[float]]] = {}
    for scores in (record.scores() for record in records):
        classes = scores.get(f"{dataset}/class_groups", np.array([], str)).tolist()
        if not set(pair) <= set(classes):
            continue
        for label, arm in arms.items():
            if (of_arm := scores.get(f"{dataset}/{arm}/class_scores")) is None:
                continue
            for shown, other in (pair, pair[::-1]):
                rows = scores[f"{dataset}/positives"][:, classes.index(shown)] > 0
                taken = of_arm[rows].argmax(1) == classes.index(other)
                name = f"{shown} taken for {other}".replace("_", " ")
                found.setdefault(label, {}).setdefault(name, []).append(100 * float(taken.mean()))
    return pd.DataFrame({label: {name: np.mean(of) for name, of in rows.items()} for label, rows in found.items()})


def gain_by_move(records: Sequence[RunRecord], dataset: str, arm: str, against: str) -> dict[str, Interval]:
    """What `arm` gains in accuracy over `against`, in points, where its PAM lies more inside people's boxes than the
    other's, and where it lies less; photographs of which either has no PAM or no box are left out."""
    asked = [(one, what) for what in ("right", "pam_inside") for one in (arm, against)]
    holding = [r for r in records if {f"{dataset}/{one}/{what}" for one, what in asked} <= r.scores().keys()]
    if not holding:
        return {}
    right, other, inside, other_inside = (gains_of(holding, dataset, one, what) for one, what in asked)
    gain, move = right.values - other.values, inside.values - other_inside.values
    halves = {"its map moved to people": move > 0, "its map moved away": move < 0}
    return {
        name: mean_estimate(gain[of], clusters=right.clusters[of], runs=right.runs[of]).interval()
        for name, of in halves.items()
    }
