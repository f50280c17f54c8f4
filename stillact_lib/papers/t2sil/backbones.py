"""The ResNets of T2SIL (Herath, Fernando, Harandi, Pattern Recognition 2019, §5): for stills, for dynamic images, for
stacks of flow; how they are trained, and what is kept of each item once they are fixed. Chapter 05.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.networks.temporal_resnet import RGB, CutResNet
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.training.classification import crop_batches
from stillact_lib.training.loop import Device, History, classification_loss, predict, train, warm_up_then_cosine
from stillact_lib.training.pretraining import PartQuality, photographs_once, pretrain_on_parts
from stillact_lib.vision.crops import Mirror, centre_crops, mirrored_photograph, random_crops
from stillact_lib.vision.flow_levels import mirrored_levels
from stillact_lib.vision.images import as_network_input

CHAPTER = "05-temporal-transfer"
#: what the pre-trained trunk depends on
TRUNK_DEPENDS_ON = (
    *("profile", "miniature_seed", "seed", "device", "image_size", "full_architectures", "batch_size"),
    *("pretraining", "trunk_photographs", "trunk_steps", "trunk_rate"),
)
MOMENTUM, DECAY = 0.9, 5e-4


def mirrored_stack(stacks: Tensor) -> Tensor:
    """Stacks of flow levels uint8 [N, 2L, H, W], u and v in turn, in a mirror: columns reversed, u negated."""
    turned = stacks.flip(-1)
    turned[:, ::2] = mirrored_levels(turned[:, ::2])
    return turned


def stacks_from(flow: Tensor, videos: np.ndarray, starts: np.ndarray, length: int) -> Tensor:
    """Stacks uint8 [N, 2 length, S, S] of consecutive flow: flow uint8 [V, F, 2, S, S], and for each of N stacks its
    video and first flow frame."""
    frames = starts[:, None] + np.arange(length)
    return flow[videos[:, None], frames].flatten(1, 2)


@dataclass(frozen=True)
class Instances:
    """Labelled images of one kind, uint8 [N, C, S, S]; `item` int64 [N]: the photograph or video that each is of;
    `mirror` turns them."""

    images: Tensor
    labels: np.ndarray
    item: np.ndarray
    mirror: Mirror = mirrored_photograph

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: np.ndarray) -> Instances:
        """Those of `chosen`, bool [N] or indices."""
        return Instances(self.images[torch.from_numpy(chosen)], self.labels[chosen], self.item[chosen], self.mirror)

    def joined(self, others: Instances) -> Instances:
        """These and others of the same kind; the others' items are counted on."""
        after = int(self.item.max()) + 1 if len(self) else 0
        return Instances(
            torch.cat([self.images, others.images]),
            np.concatenate([self.labels, others.labels]),
            np.concatenate([self.item, others.item + after]),
            self.mirror,
        )


def new_network(classes: int, channels: int, settings: T2silSettings) -> CutResNet:
    """A network of the run's size; with `pretraining` "imagenet" it has torchvision's weights."""
    if settings.full_architectures:
        return CutResNet.full(classes, channels, imagenet=settings.pretraining == "imagenet")
    return CutResNet.compact(classes, settings.image_size, channels)


def pretrained_trunk(
    settings: T2silSettings, device: Device, executor: Executor
) -> tuple[CutResNet | None, PartQuality | None]:
    """The network that all others begin like, taught to mark body parts, and how well it does; None where they begin
    with ImageNet's weights."""
    if settings.pretraining == "imagenet":
        return None, None
    torch.manual_seed(settings.seed)
    network = new_network(1, RGB, settings)
    images, parts = photographs_once(settings.trunk_photographs, settings.image_size, settings.miniature_seed, executor)
    quality = pretrain_on_parts(
        nn.Sequential(network.stem, network.last_block),
        images,
        parts,
        network.image_size,
        steps=settings.trunk_steps,
        batch_size=2 * settings.batch_size,
        rate=settings.trunk_rate,
        device=device,
        seed=settings.seed,
        checkpoint=checkpoint_for(CHAPTER, "trunk", settings, TRUNK_DEPENDS_ON),
        workers=settings.workers,
    )
    return network, quality


def train_network(
    learnt: Instances, classes: int, trunk: CutResNet | None, settings: T2silSettings, device: Device, label: str
) -> tuple[CutResNet, History]:
    """A network trained on random windows, half of them mirrored, by SGD with momentum (§5); the rate falls by a half
    cosine. All networks of a run begin like the trunk."""
    torch.manual_seed(settings.seed)
    network = new_network(classes, learnt.images.shape[1], settings)
    if trunk is not None:
        network.begin_like(trunk)
    history = train(
        network,
        crop_batches(
            learnt.images, learnt.labels, network.image_size, learnt.mirror, settings.batch_size, settings.seed
        ),
        classification_loss(network),
        torch.optim.SGD(network.parameters(), lr=settings.rate, momentum=MOMENTUM, weight_decay=DECAY),
        settings.steps,
        device,
        label=label,
        schedule=warm_up_then_cosine(settings.steps),
        workers=settings.workers,
    )
    return network, history


@dataclass(frozen=True)
class Kept:
    """What a fixed network says of instances, computed once: maps float [M, C, h, w] in front of its last block,
    features float32 [M, D], scores float32 [M, classes] before the softmax, labels and item int64 [M]."""

    maps: Tensor
    features: Tensor
    scores: Tensor
    labels: np.ndarray
    item: np.ndarray

    @property
    def softmax(self) -> np.ndarray:
        return self.scores.softmax(1).numpy()

    def by_class(self, classes: int) -> list[np.ndarray]:
        """Rows of each class."""
        return [np.flatnonzero(self.labels == label) for label in range(classes)]

    def of_items(self) -> tuple[np.ndarray, np.ndarray]:
        """Softmax scores averaged over each item's instances, and its label: [K, classes], int64 [K], items in
        order."""
        items, place = np.unique(self.item, return_inverse=True)
        total = np.zeros((len(items), self.scores.shape[1]))
        np.add.at(total, place, self.softmax)
        first = np.unique(place, return_index=True)[1]
        return total / np.bincount(place)[:, None], self.labels[first]


def keep(network: CutResNet, shown: Instances, device: Device, views: int = 1, seed: int = 0) -> Kept:
    """The network's answers to the middle window of each instance and, with more `views`, to random windows of it, half
    of them mirrored (training ones: heads then see as many versions of each)."""
    side, rng = network.image_size, np.random.default_rng(seed)
    seen = [centre_crops(shown.images, side)]
    seen += [random_crops(shown.images, side, shown.mirror, rng) for _ in range(views - 1)]
    maps = torch.cat([predict(network.stem, as_network_input(images), device) for images in seen])
    features = predict(nn.Sequential(network.last_block, network.pool), maps, device)
    scores = predict(network.classifier, features, device)
    return Kept(maps, features, scores, np.tile(shown.labels, views), np.tile(shown.item, views))
