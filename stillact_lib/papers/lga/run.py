"""One run of chapter 02: what it needs, every arm trained and tested, and what its record keeps (Liu, Tan, You 2018,
§4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from stillact_lib.evidence.tuning import curve_to_keep
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature.context_layout import MISLEADING
from stillact_lib.networks.guided_activation import GuidedActivation
from stillact_lib.networks.guided_backbones import Backbone, BackboneName, backbone
from stillact_lib.notebook.preflight import GIB, Need
from stillact_lib.papers.lga.arms import (
    Arm,
    backbone_of,
    backbones_of,
    checkpoint_of,
    network_of,
    pretrained,
    train_arm,
    training_batches,
)
from stillact_lib.papers.lga.attribution import attributed
from stillact_lib.papers.lga.data import SPORTS, STANFORD40, TESTED, PlacedPhotographs, datasets_of, origin_of
from stillact_lib.papers.lga.measures import Asked, Seen, answers, by_context, common_measures, look, measures, right
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.paths import workspace
from stillact_lib.training.devices import Device
from stillact_lib.training.loop import History, Watch, evenly_spaced
from stillact_lib.training.pretraining import ClassQuality
from stillact_lib.vision.photographs import Photographs

#: test photographs at most that a curve looks at
WATCHED = 500
#: disk for the networks of a run at full size (eleven of 45 to 80 million weights, one with its optimiser's state), and
#: for the large miniatures, GiB
NETWORKS_GIB, LARGE_MINIATURES_GIB = 4, 1


def needs(settings: LgaSettings) -> list[Need]:
    """What a run takes, to be looked at before anything trains."""
    roots = datasets_of(settings)
    wanted = [Need.dataset(name, root) for name, root in roots.items()]
    if settings.pretraining != "own":
        wanted += [
            Need.loads(f"{name}'s weights", partial(backbone, name, imagenet=True)) for name in backbones_of(settings)
        ]
    room = NETWORKS_GIB if settings.full_architectures and settings.keep_checkpoints else 0
    room += LARGE_MINIATURES_GIB if settings.miniature_size == "gpu" else 0
    memory = 0
    if settings.profile == "paper":  # all photographs as bytes; the larger training part once more, under its masks
        counts = [(load_manifest(name).splits[0].counts, TESTED[name]) for name in roots]
        photographs = sum(count[part] for count, tested in counts for part in ("train", *tested))
        lesson = max(count["train"] for count, _ in counts)
        memory = (3 * photographs + 4 * lesson) * settings.image_size**2 / GIB
    return [*wanted, Need.disk(room, workspace()), Need.memory(round(memory))]


class Tested(NamedTuple):
    """An arm after training: its network, what was logged, what it says of the test photographs, its scores of them
    without something, by what that is, and what each of their pixels is worth to it, [N, S, S]."""

    arm: Arm
    network: GuidedActivation
    history: History
    seen: Seen
    changed: dict[str, np.ndarray]
    attribution: torch.Tensor | None


@dataclass
class GuidedRun:
    """A run; opened: dataset -> its photographs; imagenet: those that backbones learn from, if they do. `tested`: the
    arms by the dataset that they are tested on and their names."""

    opened: dict[str, PlacedPhotographs]
    imagenet: Photographs | None
    settings: LgaSettings
    device: Device
    starts: dict[BackboneName, Backbone] = field(default_factory=dict)
    tested: dict[str, dict[str, Tested]] = field(default_factory=dict)
    asked_of: dict[str, Asked] = field(default_factory=dict)

    def asked(self, dataset: str) -> Asked:
        """The test photographs of a dataset."""
        if dataset not in self.asked_of:
            self.asked_of[dataset] = Asked(self.opened[dataset])
        return self.asked_of[dataset]

    def pretrain(self) -> dict[BackboneName, ClassQuality]:
        """Gets every backbone that arms start from; how well those name things that are trained here."""
        qualities = {}
        for name in backbones_of(self.settings):
            self.starts[name], quality = pretrained(name, self.settings, self.imagenet, self.device)
            qualities |= {name: quality} if quality else {}
        return qualities

    def train_and_test(self, arms: Sequence[Arm]) -> None:
        """Trains and tests some arms; those whose photographs are not there are left out."""
        for arm in arms:
            if (data := self.opened.get(arm.trained_on)) is None:
                continue
            start = self.starts[backbone_of(arm, self.settings)]
            network = network_of(arm, start, len(data.photographs.classes), self.settings)
            learnt = [origin_of(one) for one in (data.photographs, self.imagenet) if one is not None]
            asked = self.asked(arm.tested_on)
            history = train_arm(
                arm,
                network,
                training_batches(arm, data, self.settings),
                self.settings,
                self.device,
                checkpoint_of(arm, self.settings, learnt),
                Watch(self.settings.score_every, partial(self._share_right, network, asked)),
            )
            seen = look(network, asked.images, self.device, right=asked.labels, misled=asked.misled)
            changed, attribution = {}, None
            if arm.trained_on in (STANFORD40, SPORTS) and not arm.short and not self.settings.full_architectures:
                changed = {name: answers(network, of, self.device) for name, (of, _) in asked.changed.items()}
                attribution = attributed(network, asked.images, asked.labels, self.device)
            done = Tested(arm, network, history, seen, changed, attribution)
            self.tested.setdefault(arm.tested_on, {})[arm.name] = done

    def _share_right(self, network: GuidedActivation, asked: Asked) -> dict[str, float]:
        """How many of the watched test photographs a network names rightly, in %."""
        some = evenly_spaced(len(asked.rows), WATCHED)
        images = asked.data.photographs.images[torch.from_numpy(asked.rows[some])]
        return {"tested_right": float(right(answers(network, images, self.device), asked.positives[some]).mean())}

    def right(self, dataset: str, arm: str) -> np.ndarray:
        """100 where an arm's likeliest class is shown, else 0, [N]."""
        return right(self.tested[dataset][arm].seen.scores, self.asked(dataset).positives)

    def turned(self, dataset: str, arm: str, against: str) -> tuple[np.ndarray, np.ndarray]:
        """Test photographs that `against` gets wrong and `arm` right, and those the other way round, as numbers within
        the test part, the first of each class; where it is known what misleads, of the misleading ones alone."""
        right, other = self.right(dataset, arm) > 0, self.right(dataset, against) > 0
        asked = self.asked(dataset)
        among = np.ones(len(right), bool) if asked.context is None else asked.context["context"] == MISLEADING
        labels = asked.labels.numpy()

        def one_a_class(chosen: np.ndarray) -> np.ndarray:
            rows = np.flatnonzero(among & chosen)
            return np.sort(rows[np.unique(labels[rows], return_index=True)[1]])

        return one_a_class(right & ~other), one_a_class(~right & other)

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        """Every score of a test photograph that the arms tested so far have."""
        kept: dict[str, np.ndarray] = {}
        for dataset, arms in self.tested.items():
            asked = self.asked(dataset)
            heatmaps = (of.seen.heatmap for of in arms.values() if of.seen.heatmap is not None)
            own = common_measures(asked, next(heatmaps, None))
            for arm, tested in arms.items():
                found = measures(tested.arm, tested.seen, asked, tested.changed, tested.attribution)
                own |= {f"{arm}/{name}": values for name, values in found.items()}
            kept |= {f"{dataset}/{name}": values for name, values in own.items()}
            if asked.context is not None:
                kept |= by_context(own, asked.context["context"].to_numpy(str))
        return kept

    def curves_to_keep(self) -> dict[str, float]:
        """What a record keeps of watched trainings: "stanford40/resnet_with/right@500" is the figure at step 500."""
        return {
            name: value
            for dataset, arms in self.tested.items()
            for arm, tested in arms.items()
            for name, value in curve_to_keep(tested.history, f"{dataset}/{arm}", {"tested_right": "right"}).items()
        }
