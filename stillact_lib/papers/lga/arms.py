"""The arms of LGA's tables and of our controls: which network, asked to find what, on which photographs, and how it is
trained (Liu, Tan, You 2018, §3.2, §4). Chapter 02.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.guided_activation import MASK_WIDTHS, WIDTH, GuidedActivation
from stillact_lib.networks.guided_backbones import Backbone, BackboneName, backbone
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.lga.data import (
    AT_ONCE,
    COPIES,
    FAIR,
    FURTHER_COPIES,
    MPII,
    SPORTS,
    STANFORD40,
    PlacedPhotographs,
    datasets_of,
    origin_of,
)
from stillact_lib.papers.lga.human_mask_loss import Reduction, human_mask_loss
from stillact_lib.papers.lga.regions import elsewhere
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.training.devices import Device
from stillact_lib.training.loop import Checkpoint, History, StepBatches, Watch, train, warm_up_then_cosine
from stillact_lib.training.pretraining import ClassQuality, pretrain_on_photographs
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.joint_warps import layered, random_warps, warped
from stillact_lib.vision.photographs import Photographs

#: the small sisters' widths of both branches
COMPACT_WIDTH, COMPACT_MASK_WIDTHS = 64, (32, 16, 8, 1)
#: the same on top of mobile networks
MOBILE_WIDTH, MOBILE_MASK_WIDTHS = 128, (64, 32, 16, 1)
#: the settings that change a pre-trained backbone
PRETRAINED_BY = {"full_architectures", "image_size", "batch_size"}
PRETRAINED_BY |= {"pretraining", "pretraining_steps", "pretraining_rate"}

#: local: the cells of its maps see part of the picture
Family = Literal["resnet", "inception", "local"]
#: plain: no convolution on top of the backbone; without: no mask; with: the mask; elsewhere: the mask moved to a wrong
#: place; thing: that of the thing beside, which can be found and is no person; another: the mask of another photograph,
#: which says nothing of where this one's person is; average: the mean mask of all, which needs no look
Kind = Literal["plain", "without", "with", "elsewhere", "thing", "another", "average"]
#: kinds whose network has the localisation branch
GUIDED = ("with", "elsewhere", "thing", "another", "average")


@dataclass(frozen=True)
class Arm:
    """One network to train: what it is called in records, its kind, backbone, training photographs; how the mask's loss
    is summed up, where that is not the run's, and weighed; whether it is trained `longer` than the run's steps, or for
    the `short` budget."""

    name: str
    kind: Kind
    family: Family = "resnet"
    trained_on: str = STANFORD40
    reduction: Reduction | None = None
    weight: float = 1.0
    longer: bool = False
    short: bool = False

    @property
    def tested_on(self) -> str:
        """Arms of all copies are tested on the biased one's photographs."""
        return self.trained_on if self.trained_on in (MPII, SPORTS) else STANFORD40


#: Table 1, and the controls
STANFORD40_ARMS = (
    Arm("resnet_plain", "plain"),
    Arm("resnet_without", "without"),
    Arm("resnet_with", "with"),
    Arm("resnet_elsewhere", "elsewhere"),
    Arm("inception_plain", "plain", "inception"),
    Arm("inception_without", "without", "inception"),
    Arm("inception_with", "with", "inception"),
)
#: the same where training photographs' context says nothing
FAIR_ARMS = (
    Arm("fair_without", "without", trained_on=FAIR),
    Arm("fair_with", "with", trained_on=FAIR),
)
#: Table 2
MPII_ARMS = (
    Arm("resnet_without", "without", trained_on=MPII),
    Arm("resnet_with", "with", trained_on=MPII),
    Arm("inception_without", "without", "inception", MPII),
    Arm("inception_with", "with", "inception", MPII),
)
#: genuine photographs; as many steps as the drawn ones of Stanford 40
SPORTS_ARMS = (
    Arm("resnet_without", "without", trained_on=SPORTS),
    Arm("resnet_with", "with", trained_on=SPORTS),
)
#: the share of the mask's loss that arms "tenth" take, and the local network's, whose maps have four times the cells
TENTH, QUARTER = 0.1, 0.25
#: an early budget, on each bias of context
SHORT_ARMS = tuple(
    Arm("_".join(("short", *([copy] if copy != STANFORD40 else []), kind)), kind, trained_on=copy, short=True)
    for copy in (STANFORD40, *COPIES)
    for kind in ("without", "with")
)
#: is it the person, the budget, the weight, the bias; and where do cells look that see little? Trained where
#: `further` is set
FURTHER_ARMS = (
    Arm("resnet_mean", "with", reduction="mean"),
    Arm("resnet_another", "another"),
    Arm("resnet_tenth", "with", weight=TENTH),
    Arm("inception_tenth", "with", "inception", weight=TENTH),
    Arm("fair_elsewhere", "elsewhere", trained_on=FAIR),
    Arm("resnet_elsewhere", "elsewhere", trained_on=MPII),
    *(Arm(f"resnet_{kind}", kind, trained_on=SPORTS) for kind in ("elsewhere", "another", "average")),
    *(Arm(f"{copy}_{kind}", kind, trained_on=copy) for copy in FURTHER_COPIES for kind in ("without", "with")),
    *(Arm(f"longer_{kind}", kind, longer=True) for kind in ("without", *GUIDED)),
    *(
        Arm(f"longer_{copy}_{kind}", kind, trained_on=copy, longer=True)
        for copy in COPIES
        for kind in ("without", "with")
    ),
    Arm("longer_fair_thing", "thing", trained_on=FAIR, longer=True),
    *(
        Arm(f"local_{kind}", kind, "local", weight=QUARTER, longer=True)
        for kind in ("without", "with", "elsewhere", "thing", "another")
    ),
)


def arms_of(settings: LgaSettings) -> tuple[Arm, ...]:
    """All arms of a run whose photographs it has: a local network is a small one, and where the thing beside lies is
    known of drawn photographs alone."""
    arms = (*STANFORD40_ARMS, *FAIR_ARMS, *MPII_ARMS, *SPORTS_ARMS)
    arms += (FURTHER_ARMS if settings.further else ()) + (SHORT_ARMS if settings.further and settings.short else ())
    there, small = datasets_of(settings), not settings.full_architectures and settings.pretraining == "own"
    drawn = settings.draws and not settings.stanford40_root
    return tuple(
        arm
        for arm in arms
        if arm.trained_on in there and (small or arm.family != "local") and (drawn or arm.kind != "thing")
    )


def backbone_of(arm: Arm, settings: LgaSettings) -> BackboneName:
    """The paper takes ResNet-50 for Stanford 40, ResNet-101 for MPII, Inception-ResNet-v2 for both; "mobile" networks
    can take their places, MobileNetV2 the ResNets'."""
    if settings.pretraining == "mobile":
        return "efficientnet_lite0" if arm.family == "inception" else "mobilenet_v2"
    if not settings.full_architectures:
        return f"compact_{arm.family}"
    if arm.family == "inception":
        return "inception_resnet_v2"
    return "resnet101" if arm.trained_on == MPII else "resnet50"


def backbones_of(settings: LgaSettings) -> list[BackboneName]:
    """Those of a run's arms."""
    return sorted({backbone_of(arm, settings) for arm in arms_of(settings)})


def pretrained(
    name: BackboneName, settings: LgaSettings, photographs: Photographs | None, device: Device
) -> tuple[Backbone, ClassQuality | None]:
    """A backbone with ImageNet's weights, or (`pretraining` "own") trained on `photographs`, and how well."""
    torch.manual_seed(settings.seed)
    start = backbone(name, imagenet=settings.pretraining != "own")
    if photographs is None:
        return start, None
    quality = pretrain_on_photographs(
        _Namer(start, len(photographs.classes), settings.image_size),
        photographs,
        steps=settings.pretraining_steps,
        batch_size=settings.batch_size,
        rate=settings.pretraining_rate,
        device=device,
        seed=settings.seed,
        checkpoint=checkpoint_for(
            settings.chapter, f"imagenet-{name}", settings, PRETRAINED_BY, data=[origin_of(photographs)]
        ),
        workers=settings.workers,
    )
    return start, quality


class _Namer(nn.Module):
    """A backbone that names what a photograph shows, by the mean of its maps and a linear layer."""

    def __init__(self, convolutions: Backbone, num_classes: int, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.maps = convolutions.maps
        self.classifier = nn.Linear(convolutions.channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.maps(images).mean(dim=(2, 3)))


def network_of(arm: Arm, start: Backbone, num_classes: int, settings: LgaSettings) -> GuidedActivation:
    """An arm's network: a copy of `start` under its branches. Arms of one seed begin alike in all that they share."""
    torch.manual_seed(settings.seed)
    width, mask_widths = COMPACT_WIDTH, COMPACT_MASK_WIDTHS
    if settings.full_architectures:
        width, mask_widths = WIDTH, MASK_WIDTHS
    elif settings.pretraining == "mobile":
        width, mask_widths = MOBILE_WIDTH, MOBILE_MASK_WIDTHS
    return GuidedActivation(
        deepcopy(start.maps),
        start.channels,
        num_classes,
        settings.image_size,
        width=0 if arm.kind == "plain" else width,
        mask_widths=mask_widths if arm.kind in GUIDED else (),
    )


def masks_to_find(arm: Arm, data: PlacedPhotographs, rows: np.ndarray) -> Tensor:
    """The masks [N, 1, S, S] that an arm is asked to find in some photographs."""
    if arm.kind == "thing":
        return data.things(rows)
    if arm.kind == "average":
        return data.mean_mask.expand(len(rows), -1, -1, -1)
    masks = data.masks(rows)
    return elsewhere(masks) if arm.kind == "elsewhere" else masks


def training_batches(arm: Arm, data: PlacedPhotographs, settings: LgaSettings) -> StepBatches:
    """Images [B, 3, S, S] in [-1, 1] and masks [B, 1, S, S] through the same warp, whether anybody's place is known,
    bool [B], labels int64 [B]."""
    rows, images = data.train, data.photographs.images
    labels, known = torch.from_numpy(data.photographs.labels[rows]), data.known(rows)
    layers = np.empty((len(rows), *images.shape[-2:], 4), np.uint8)
    for first in range(0, len(rows), AT_ONCE):
        chunk = slice(first, first + AT_ONCE)
        layers[chunk] = layered(images[torch.from_numpy(rows[chunk])], masks_to_find(arm, data, rows[chunk]))

    def make_batch(chosen: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        shown, whose, warps = layers[chosen], chosen, random_warps(len(chosen), rng)
        if arm.kind == "another":  # drawn anew each time: a pairing that stays could be learnt by heart
            whose = (chosen + rng.integers(1, len(rows), len(chosen))) % len(rows)
            shown[..., 3] = layers[whose, ..., 3]
        images, masks = warped(shown, warps)
        return as_network_input(images), masks, known[whose], labels[chosen]

    return StepBatches(len(rows), settings.batch_size, make_batch, settings.seed)


def optimiser_of(network: GuidedActivation, settings: LgaSettings) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=0.01, fused=True)


def checkpoint_of(arm: Arm, settings: LgaSettings, data: Collection[DataOrigin]) -> Checkpoint | None:
    """Where an arm's network is kept, named for what the arm is, so that arms alike share one; data: what it and its
    backbone learn from."""
    longer = arm.longer and settings.longer > 1
    parts = [arm.trained_on, arm.family, arm.kind]
    parts += [_reduction(arm, settings), f"weight{arm.weight:g}"] if arm.kind in GUIDED else []
    parts += ["longer"] if longer else ["short"] if arm.short else []
    steps = "short" if arm.short else "mpii_steps" if arm.trained_on == MPII else "steps"
    changed_by = {*PRETRAINED_BY, "rate", "warm_up", steps}
    changed_by |= {"longer"} if longer else set()
    changed_by |= {"labels_per_class"} if arm.trained_on == SPORTS else set()
    return checkpoint_for(settings.chapter, "-".join(parts), settings, changed_by, data=[*data])


def _reduction(arm: Arm, settings: LgaSettings) -> Reduction:
    return arm.reduction or settings.mask_loss


def train_arm(
    arm: Arm,
    network: GuidedActivation,
    batches: StepBatches,
    settings: LgaSettings,
    device: Device,
    checkpoint: Checkpoint | None = None,
    watch: Watch | None = None,
) -> History:
    """Trains an arm's network on its `training_batches`: L = L_cls + L_mask, weighed alike (Eq. 1) unless the arm says
    otherwise, by AdamW."""

    def step_loss(batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, masks, known, labels = batch
        found = network(images)
        naming = F.cross_entropy(found.scores.float(), labels)
        figures = {"naming": naming, "right": (found.scores.argmax(1) == labels).float().mean()}
        if found.heatmap is None:
            return naming, figures
        placing = human_mask_loss(found.heatmap, masks, _reduction(arm, settings), known)
        return naming + arm.weight * placing, figures | {"placing": placing}

    steps = settings.mpii_steps if arm.trained_on == MPII else settings.steps
    steps = settings.short if arm.short else steps * (settings.longer if arm.longer else 1)
    return train(
        network,
        batches,
        step_loss,
        optimiser_of(network, settings),
        steps,
        device,
        label=f"{arm.name.replace('_', ', ')} ({arm.trained_on})",
        schedule=warm_up_then_cosine(steps, settings.warm_up),
        checkpoint=checkpoint,
        workers=settings.workers,
        watch=watch,
    )
