"""One run of chapter 02: every arm taught and tested, and what a record keeps of it (Liu, Tan, You 2018, §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from stillact_lib.evaluation.average_precision import mean_average_precision
from stillact_lib.evidence.bootstrap import Interval, mean_estimate
from stillact_lib.evidence.estimates import measured
from stillact_lib.evidence.gains import gains_of
from stillact_lib.evidence.published import Published
from stillact_lib.evidence.records import RunRecord
from stillact_lib.miniature.context_layout import CONTEXTS, MISLEADING
from stillact_lib.networks.guided_activation import GuidedActivation
from stillact_lib.networks.guided_backbones import Backbone, BackboneName
from stillact_lib.papers.lga.arms import (
    FAIR_ARMS,
    MPII_ARMS,
    STANFORD40_ARMS,
    Arm,
    Seen,
    backbone_name,
    look,
    taught_masks,
    teach,
)
from stillact_lib.papers.lga.data import FAIR, STANFORD40, PlacedPhotographs
from stillact_lib.papers.lga.human_mask_loss import share_inside, squared_errors
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.training.loop import Device, History

#: gain arms: what the mask's loss adds to being right, by what the training photographs' context says
GAINS = {
    "biased_gain": ("resnet_with", "resnet_without"),
    "fair_gain": ("fair_with", "fair_without"),
    "biased_gain_elsewhere": ("resnet_elsewhere", "resnet_without"),
    "fair_gain_elsewhere": ("fair_elsewhere", "fair_without"),
    "biased_place": ("resnet_with", "resnet_elsewhere"),
    "fair_place": ("fair_with", "fair_elsewhere"),
    "longer_gain": ("longer_with", "longer_without"),
    "longer_gain_elsewhere": ("longer_elsewhere", "longer_without"),
    "longer_fair_gain": ("longer_fair_with", "longer_fair_without"),
}


def tested_on(dataset: str) -> str:
    """Where arms taught on `dataset` are tested: those of the fair copy on the biased one's photographs."""
    return STANFORD40 if dataset == FAIR else dataset


@dataclass
class GuidedRun:
    """A run; opened: dataset -> its photographs. `seen`: what each arm says of the test photographs, by the dataset
    they are tested on; `taught`: those arms."""

    opened: dict[str, PlacedPhotographs | None]
    settings: LgaSettings
    device: Device
    networks: dict[tuple[str, str], GuidedActivation] = field(default_factory=dict)
    histories: dict[tuple[str, str], History] = field(default_factory=dict)
    seen: dict[str, dict[str, Seen]] = field(default_factory=dict)
    taught: dict[tuple[str, str], Arm] = field(default_factory=dict)

    @property
    def arms(self) -> list[Arm]:
        """Those whose photographs are there."""
        return [arm for arm in (*STANFORD40_ARMS, *FAIR_ARMS, *MPII_ARMS) if self.opened.get(arm.taught_on)]

    def backbones(self) -> set[BackboneName]:
        return {backbone_name(arm.family, arm.taught_on, self.settings) for arm in self.arms}

    def tested(self, dataset: str) -> PlacedPhotographs:
        """The photographs that arms taught on `dataset` are tested on."""
        return self.opened[tested_on(dataset)]

    def teach(self, arms: Sequence[Arm], starts: dict[BackboneName, Backbone]) -> None:
        """Trains and tests some arms; those whose photographs are not there are left out."""
        for arm in arms:
            if (data := self.opened.get(arm.taught_on)) is None:
                continue
            start = starts[backbone_name(arm.family, arm.taught_on, self.settings)]
            network, history = teach(arm, start, data, self.settings, self.device)
            self.networks[arm.taught_on, arm.name], self.histories[arm.taught_on, arm.name] = network, history
            tested = self.tested(arm.taught_on)
            seen = look(network, tested.photographs.images[torch.from_numpy(tested.test)], self.device)
            self.seen.setdefault(tested_on(arm.taught_on), {})[arm.name] = seen
            self.taught[tested_on(arm.taught_on), arm.name] = arm

    def precision(self, dataset: str, arm: str) -> float:
        """An arm's mAP in % over the test photographs."""
        tested = self.opened[dataset]
        positives = tested.photographs.positives[tested.test]
        return 100 * mean_average_precision(self.seen[dataset][arm].scores, positives)

    def right(self, dataset: str, arm: str) -> np.ndarray:
        """100 where an arm's likeliest class is shown, else 0, [N]."""
        tested = self.opened[dataset]
        positives = tested.photographs.positives[tested.test]
        answers = self.seen[dataset][arm].scores.argmax(1)
        return 100.0 * positives[np.arange(len(answers)), answers]

    def turned(self, dataset: str, arm: str, against: str) -> tuple[np.ndarray, np.ndarray]:
        """Test photographs that `against` gets wrong and `arm` right, and those the other way round, as numbers within
        the test part; where it is known what misleads, of the misleading ones alone."""
        right, other = self.right(dataset, arm) > 0, self.right(dataset, against) > 0
        tested = self.opened[dataset]
        among = np.ones(len(right), bool)
        if tested.context is not None:
            among = tested.context["context"].to_numpy(str)[tested.test] == MISLEADING
        return np.flatnonzero(among & right & ~other), np.flatnonzero(among & ~right & other)

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        kept: dict[str, np.ndarray] = {}
        for dataset, arms in self.seen.items():
            tested = self.opened[dataset]
            rows, photographs = tested.test, tested.photographs
            masks, known = tested.masks(rows)
            own = {
                "clip": photographs.names[rows],
                "positives": photographs.positives[rows].astype(np.float32),
                "class_groups": np.array(photographs.classes),
            }
            cells = next((seen.heatmap.shape[-2:] for seen in arms.values() if seen.heatmap is not None), None)
            if cells is not None:
                # what one would draw without looking: the mean mask of the training part
                usual, placed = tested.masks(tested.train)
                drawn = F.adaptive_avg_pool2d(usual[placed].mean(dim=0), cells)
                own["mean_mask/heatmap_error"] = _error(drawn.expand(len(rows), -1, -1), masks, known)
            if tested.context is not None:
                own["group"] = tested.context["scene"].to_numpy(str)[rows]
            for arm, seen in arms.items():
                own[f"{arm}/class_scores"] = seen.scores
                own[f"{arm}/right"] = self.right(dataset, arm)
                if seen.heatmap is not None:
                    asked = taught_masks(self.taught[dataset, arm], masks)
                    own[f"{arm}/heatmap_error"] = _error(seen.heatmap, asked, known)
                for name, maps in {"sam": seen.sam, "pam": seen.pam}.items():
                    inside = 100 * share_inside(maps, masks)
                    own[f"{arm}/{name}_inside"] = inside.where(known, torch.nan).numpy()
            own |= {
                f"{gain}/gain": own[f"{arm}/right"] - own[f"{against}/right"]
                for gain, (arm, against) in GAINS.items()
                if arm in arms and against in arms
            }
            kept |= {f"{dataset}/{name}": values for name, values in own.items()}
            if tested.context is not None:
                contexts = tested.context["context"].to_numpy(str)[rows]
                kept |= _by_context(own, contexts)
        return kept


def _error(heatmap: Tensor, masks: Tensor, known: Tensor) -> np.ndarray:
    """Mean squared error over the cells, times 100, of heatmaps [N, h, w] for masks [N, 1, S, S]: [N], NaN where no
    person's place is known."""
    return (100 * squared_errors(heatmap[:, None], masks).mean(dim=1)).where(known, torch.nan).numpy()


def _by_context(own: dict[str, np.ndarray], contexts: np.ndarray) -> dict[str, np.ndarray]:
    """The same measures over the photographs of each context alone, as datasets of their own."""
    kept = {}
    for context in CONTEXTS:
        rows = contexts == context
        for name, values in own.items():
            if not name.endswith(("class_scores", "positives", "class_groups")):
                kept[f"{context}/{name}"] = values[rows]
    return kept


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
        of_class = {"statistic": "map", "class_group": name, "level": published.rule.level}
        if (change := measured(dataset, arm, "map", records, against=against, **of_class)) is not None:
            found[name] = change
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
