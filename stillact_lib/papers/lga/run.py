"""One run of chapter 02: what it needs, every arm trained and tested, and what its record keeps (Liu, Tan, You 2018,
§4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stillact_lib.manifests import load_manifest
from stillact_lib.miniature.context_layout import CONTEXTS, MISLEADING
from stillact_lib.networks.guided_activation import GuidedActivation
from stillact_lib.networks.guided_backbones import Backbone, BackboneName, backbone
from stillact_lib.notebook.preflight import GIB, Need
from stillact_lib.papers.lga.arms import (
    AT_ONCE,
    Arm,
    backbone_of,
    backbones_of,
    checkpoint_of,
    masks_to_find,
    network_of,
    pretrained,
    train_arm,
    training_batches,
)
from stillact_lib.papers.lga.data import TESTED, PlacedPhotographs, datasets_of, origin_of
from stillact_lib.papers.lga.human_mask_loss import (
    predicting_activation_map,
    share_inside,
    squared_errors,
    sum_of_activation_maps,
)
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.paths import workspace
from stillact_lib.training.loop import Device, History
from stillact_lib.training.pretraining import ClassQuality
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.photographs import Photographs

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
    number = [0]
    if settings.profile == "paper":  # whole datasets: kept as bytes, the last one twice while it is put together
        official = {name: load_manifest(name).splits[0].counts for name in roots}
        number += [sum(counts[part] for part in ("train", *TESTED[name])) for name, counts in official.items()]
    memory = (sum(number) + max(number)) * 3 * settings.image_size**2 / GIB
    return [*wanted, Need.disk(room, workspace()), Need.memory(round(memory))]


class Seen(NamedTuple):
    """What a network says of N images: softmax scores [N, C]; SAM and the PAM of its own answer [N, h, w]; the heatmap
    [N, h, w], or None where it has no such branch."""

    scores: np.ndarray
    sam: Tensor
    pam: Tensor
    heatmap: Tensor | None


@torch.inference_mode()
def look(network: GuidedActivation, images: Tensor, device: Device, classes: Tensor | None = None) -> Seen:
    """A network's answers to images uint8 [N, 3, S, S]; classes int64 [N]: of which PAM is the map, its answer unless
    given."""
    network.eval().to(device.torch_device, memory_format=torch.channels_last)
    weights = network.classifier.weight.float().cpu()
    parts: list[tuple[Tensor, ...]] = []
    for rows in torch.arange(len(images)).split(AT_ONCE):
        with device.autocasting():
            found = network(as_network_input(images[rows].to(device.torch_device)))
        scores, maps = found.scores.float().cpu(), found.maps.float().cpu()
        of = scores.argmax(1) if classes is None else classes[rows]
        sums = (sum_of_activation_maps(maps), predicting_activation_map(maps, weights, of))
        placed = () if found.heatmap is None else (found.heatmap.float().cpu()[:, 0],)
        parts.append((scores.softmax(1), *sums, *placed))
    joined = [torch.cat(part) for part in zip(*parts, strict=True)]
    return Seen(joined[0].numpy(), joined[1], joined[2], joined[3] if len(joined) > 3 else None)


class Tested(NamedTuple):
    """An arm after training: its network, what was logged, and what it says of the test photographs."""

    arm: Arm
    network: GuidedActivation
    history: History
    seen: Seen


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
            history = train_arm(
                arm,
                network,
                training_batches(arm, data, self.settings),
                self.settings,
                self.device,
                checkpoint_of(arm, self.settings, learnt),
            )
            asked = self.opened[arm.tested_on]
            seen = look(network, asked.photographs.images[torch.from_numpy(asked.test)], self.device)
            self.tested.setdefault(arm.tested_on, {})[arm.name] = Tested(arm, network, history, seen)

    def right(self, dataset: str, arm: str) -> np.ndarray:
        """100 where an arm's likeliest class is shown, else 0, [N]."""
        asked = self.opened[dataset]
        positives = asked.photographs.positives[asked.test]
        answers = self.tested[dataset][arm].seen.scores.argmax(1)
        return 100.0 * positives[np.arange(len(answers)), answers]

    def turned(self, dataset: str, arm: str, against: str) -> tuple[np.ndarray, np.ndarray]:
        """Test photographs that `against` gets wrong and `arm` right, and those the other way round, as numbers within
        the test part; where it is known what misleads, of the misleading ones alone."""
        right, other = self.right(dataset, arm) > 0, self.right(dataset, against) > 0
        asked = self.opened[dataset]
        among = np.ones(len(right), bool)
        if asked.context is not None:
            among = asked.context["context"].to_numpy(str)[asked.test] == MISLEADING
        return np.flatnonzero(among & right & ~other), np.flatnonzero(among & ~right & other)

    def scores_to_keep(self) -> dict[str, np.ndarray]:
        """Every score of a test photograph that the arms tested so far have."""
        kept: dict[str, np.ndarray] = {}
        for dataset, arms in self.tested.items():
            asked = self.opened[dataset]
            rows, photographs = asked.test, asked.photographs
            known = asked.known(rows)
            own = {
                "clip": photographs.names[rows],
                "positives": photographs.positives[rows].astype(np.float32),
                "class_groups": np.array(photographs.classes),
            }
            if asked.context is not None:
                own["group"] = asked.context["scene"].to_numpy(str)[rows]
            for arm, (of, _, _, seen) in arms.items():
                cells = seen.sam.shape[-2:]
                people = _in_cells(asked.masks, rows, cells)
                own[f"{arm}/class_scores"] = seen.scores
                own[f"{arm}/right"] = self.right(dataset, arm)
                for name, maps in {"sam": seen.sam, "pam": seen.pam}.items():
                    inside = 100 * share_inside(maps, people)
                    own[f"{arm}/{name}_inside"] = inside.where(known, torch.nan).numpy()
                if seen.heatmap is None:
                    continue
                wanted = _in_cells(partial(masks_to_find, of, asked), rows, cells)
                own[f"{arm}/heatmap_error"] = _error(seen.heatmap, wanted, known)
                if "mean_mask/heatmap_error" not in own:  # what one would draw without looking
                    usual = _in_cells(asked.masks, asked.train[asked.known(asked.train).numpy()], cells).mean(dim=0)
                    own["mean_mask/heatmap_error"] = _error(usual.expand(len(rows), -1, -1), people, known)
            kept |= {f"{dataset}/{name}": values for name, values in own.items()}
            if asked.context is not None:
                kept |= _by_context(own, asked.context["context"].to_numpy(str)[rows])
        return kept


def _in_cells(masks: Callable[[np.ndarray], Tensor], rows: np.ndarray, cells: Sequence[int]) -> Tensor:
    """The masks of some photographs brought to the size of a map by area, [N, 1, h, w]; as pixels they would take
    gigabytes."""
    some = [rows[first : first + AT_ONCE] for first in range(0, len(rows), AT_ONCE)]
    return torch.cat([F.adaptive_avg_pool2d(masks(few), cells) for few in some])


def _error(heatmap: Tensor, masks: Tensor, known: Tensor) -> np.ndarray:
    """Mean squared error over the cells, times 100, of heatmaps [N, h, w] for masks [N, 1, H, W]: [N], NaN where no
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
