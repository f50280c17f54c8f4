"""The arms of LGA's tables and of our controls: which network, taught what, on which photographs (Liu, Tan, You 2018,
§3.2, §4). Chapter 02.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stillact_lib.networks.guided_activation import MASK_WIDTHS, WIDTH, GuidedActivation
from stillact_lib.networks.guided_backbones import Backbone, BackboneName, backbone
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.lga.data import FAIR, MPII, STANFORD40, PlacedPhotographs
from stillact_lib.papers.lga.human_mask_loss import (
    Reduction,
    human_mask_loss,
    predicting_activation_map,
    sum_of_activation_maps,
)
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.training.loop import Device, History, StepBatches, train, warm_up_then_cosine
from stillact_lib.training.pretraining import ClassQuality, pretrain_on_photographs
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.joint_warps import layered, random_warps, warped
from stillact_lib.vision.photographs import Photographs

CHAPTER = "02-human-mask-loss"
#: the small sisters' widths of both branches
COMPACT_WIDTH, COMPACT_MASK_WIDTHS = 64, (32, 16, 8, 1)
#: what the pre-trained networks depend on
PRETRAINING_DEPENDS_ON = (
    *("profile", "miniature_size", "miniature_seed", "seed", "device", "full_architectures", "image_size"),
    *("batch_size", "pretraining", "pretraining_steps", "pretraining_rate"),
)
#: images that a network sees at once when it is tested, and that are laid under their masks at once
AT_ONCE = 64

Family = Literal["resnet", "inception"]
#: plain: no convolution on top of the backbone; without: no mask; with: the mask; elsewhere: the mask moved to a wrong
#: place; another: the mask of another photograph, which says nothing of where this one's person is
Kind = Literal["plain", "without", "with", "elsewhere", "another"]
#: kinds whose network has the localisation branch
GUIDED = ("with", "elsewhere", "another")


@dataclass(frozen=True)
class Arm:
    """One network to train: what it is called in records, its kind, backbone, training photographs; how the mask's loss
    is summed up, where that is not the run's, and weighed; how many times the run's steps it is trained."""

    name: str
    kind: Kind
    family: Family = "resnet"
    taught_on: str = STANFORD40
    reduction: Reduction | None = None
    weight: float = 1.0
    longer: int = 1


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
    Arm("fair_without", "without", taught_on=FAIR),
    Arm("fair_with", "with", taught_on=FAIR),
)
#: Table 2
MPII_ARMS = (
    Arm("resnet_without", "without", taught_on=MPII),
    Arm("resnet_with", "with", taught_on=MPII),
    Arm("inception_without", "without", "inception", MPII),
    Arm("inception_with", "with", "inception", MPII),
)
#: how many times the steps the arms "longer" are trained, and the share of the mask's loss that arms "tenth" take
LONGER, TENTH = 4, 0.1
#: is it the person, the budget, the weight? Taught where `further` is set
FURTHER_ARMS = (
    Arm("resnet_mean", "with", reduction="mean"),
    Arm("fair_elsewhere", "elsewhere", taught_on=FAIR),
    Arm("longer_without", "without", longer=LONGER),
    Arm("longer_with", "with", longer=LONGER),
    Arm("longer_elsewhere", "elsewhere", longer=LONGER),
    Arm("longer_another", "another", longer=LONGER),
    Arm("longer_fair_without", "without", taught_on=FAIR, longer=LONGER),
    Arm("longer_fair_with", "with", taught_on=FAIR, longer=LONGER),
    Arm("resnet_another", "another"),
    Arm("resnet_tenth", "with", weight=TENTH),
    Arm("inception_tenth", "with", "inception", weight=TENTH),
    Arm("resnet_elsewhere", "elsewhere", taught_on=MPII),
)


def backbone_name(family: Family, taught_on: str, settings: LgaSettings) -> BackboneName:
    """The paper takes ResNet-50 for Stanford 40, ResNet-101 for MPII, Inception-ResNet-v2 for both."""
    if not settings.full_architectures:
        return f"compact_{family}"
    if family == "inception":
        return "inception_resnet_v2"
    return "resnet101" if taught_on == MPII else "resnet50"


def pretrained(
    names: set[BackboneName], settings: LgaSettings, photographs: Photographs | None, device: Device
) -> tuple[dict[BackboneName, Backbone], dict[BackboneName, ClassQuality]]:
    """Backbones with ImageNet's weights, or (`pretraining` "own") trained on `photographs`, and how well."""
    found: dict[BackboneName, Backbone] = {}
    qualities: dict[BackboneName, ClassQuality] = {}
    for name in sorted(names):
        torch.manual_seed(settings.seed)
        found[name] = backbone(name, imagenet=settings.pretraining == "imagenet")
        if settings.pretraining == "own":
            network = _Namer(found[name], len(photographs.classes), settings.image_size)
            qualities[name] = pretrain_on_photographs(
                network,
                photographs,
                steps=settings.pretraining_steps,
                batch_size=settings.batch_size,
                rate=settings.pretraining_rate,
                device=device,
                seed=settings.seed,
                checkpoint=checkpoint_for(CHAPTER, f"imagenet-{name}", settings, PRETRAINING_DEPENDS_ON),
                workers=settings.workers,
            )
    return found, qualities


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
    width, mask_widths = (WIDTH, MASK_WIDTHS) if settings.full_architectures else (COMPACT_WIDTH, COMPACT_MASK_WIDTHS)
    return GuidedActivation(
        deepcopy(start.maps),
        start.channels,
        num_classes,
        settings.image_size,
        width=0 if arm.kind == "plain" else width,
        mask_widths=mask_widths if arm.kind in GUIDED else (),
    )


def elsewhere(masks: Tensor) -> Tensor:
    """Masks [N, 1, S, S] of the same size in a wrong place: moved by half the image both ways, entering again at the
    other side."""
    return masks.roll((masks.shape[-2] // 2, masks.shape[-1] // 2), dims=(2, 3))


def taught_masks(arm: Arm, masks: Tensor) -> Tensor:
    """What an arm is to find in photographs whose masks are these."""
    return elsewhere(masks) if arm.kind == "elsewhere" else masks


def lesson(data: PlacedPhotographs, arm: Arm, settings: LgaSettings) -> StepBatches:
    """Training batches: images [B, 3, S, S] in [-1, 1] and masks [B, 1, S, S] through the same warp, whether anybody's
    place is known, bool [B], labels int64 [B]."""
    rows, images = data.train, data.photographs.images
    # whose mask each photograph is taught
    owners = np.random.default_rng(settings.seed).permutation(rows) if arm.kind == "another" else rows
    labels, known = torch.from_numpy(data.photographs.labels[rows]), data.known(owners)
    layers = np.empty((len(rows), *images.shape[-2:], 4), np.uint8)
    for first in range(0, len(rows), AT_ONCE):
        chunk = slice(first, first + AT_ONCE)
        masks = taught_masks(arm, data.masks(owners[chunk])[0])
        layers[chunk] = layered(images[torch.from_numpy(rows[chunk])], masks)

    def make_batch(chosen: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        images, masks = warped(layers[chosen], random_warps(len(chosen), rng))
        return as_network_input(images), masks, known[chosen], labels[chosen]

    return StepBatches(len(rows), settings.batch_size, make_batch, settings.seed)


def optimiser_of(network: GuidedActivation, settings: LgaSettings) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=0.01, fused=True)


def train_arm(
    arm: Arm, network: GuidedActivation, batches: StepBatches, settings: LgaSettings, device: Device
) -> History:
    """Trains an arm's network on its `lesson`: L = L_cls + L_mask, weighed alike (Eq. 1) unless the arm says otherwise,
    by AdamW."""
    reduction = arm.reduction or settings.mask_loss

    def step_loss(batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, masks, known, labels = batch
        found = network(images)
        naming = F.cross_entropy(found.scores.float(), labels)
        figures = {"naming": naming, "right": (found.scores.argmax(1) == labels).float().mean()}
        if found.heatmap is None:
            return naming, figures
        placing = human_mask_loss(found.heatmap, masks, reduction, known)
        return naming + arm.weight * placing, figures | {"placing": placing}

    steps = arm.longer * (settings.mpii_steps if arm.taught_on == MPII else settings.steps)
    return train(
        network,
        batches,
        step_loss,
        optimiser_of(network, settings),
        steps,
        device,
        label=f"{arm.name.replace('_', ', ')} ({arm.taught_on})",
        schedule=warm_up_then_cosine(steps, settings.warm_up),
        checkpoint=checkpoint_for(CHAPTER, f"{arm.taught_on}-{arm.name}", settings),
        workers=settings.workers,
    )


def teach(
    arm: Arm, start: Backbone, data: PlacedPhotographs, settings: LgaSettings, device: Device
) -> tuple[GuidedActivation, History]:
    """An arm's network, trained on `data`, and what was logged."""
    network = network_of(arm, start, len(data.photographs.classes), settings)
    return network, train_arm(arm, network, lesson(data, arm, settings), settings, device)


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
