"""What the records of chapter 02 say beyond tables: what classes gain in average precision, accuracy by context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stillact_lib.evaluation.bootstrap import Interval
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
