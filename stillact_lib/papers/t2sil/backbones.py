"""The ResNets of T2SIL (Herath, Fernando, Harandi, Pattern Recognition 2019, §5): for stills, for dynamic images, for
stacks of flow; how they are trained, and what is kept of each item once they are fixed. Chapter 05.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.mobile import MobileName
from stillact_lib.networks.temporal_resnet import RGB, CutResNet
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.t2sil.instances import Instances
from stillact_lib.papers.t2sil.settings import LEARNT_FROM, NETWORK, OF_VIDEOS, TRUNK, T2silSettings
from stillact_lib.training.classification import crop_batches
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import History, StepBatches, Watch, classification_loss, train, warm_up_then_cosine
from stillact_lib.training.pretraining import PartQuality, photographs_once, pretrain_on_parts
from stillact_lib.vision.crops import centre_crops, random_crops
from stillact_lib.vision.images import as_network_input

MOMENTUM, DECAY = 0.9, 5e-4
#: images that become numbers together: as bytes they take a quarter of the room
AT_ONCE = 256


def new_network(classes: int, channels: int, settings: T2silSettings) -> CutResNet:
    """A network of the run's size; where `pretraining` is no "parts", with ImageNet's weights."""
    if settings.pretraining in get_args(MobileName):
        return CutResNet.mobile(settings.pretraining, classes, settings.image_size, channels, imagenet=True)
    if settings.full_architectures:
        return CutResNet.full(classes, channels, imagenet=settings.pretraining == "imagenet")
    return CutResNet.compact(classes, settings.image_size, channels)


def pretrained_trunk(
    settings: T2silSettings, device: Device, executor: Executor
) -> tuple[CutResNet | None, PartQuality | None]:
    """The network that all others begin like, taught to mark body parts, and how well it does; None where they begin
    with ImageNet's weights."""
    settings = settings.of_teachers
    if settings.pretraining != "parts":
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
        checkpoint=checkpoint_for(settings.chapter, "trunk", settings, TRUNK),
        workers=settings.workers,
    )
    return network, quality


def train_network(
    name: str,
    learnt: Instances,
    classes: int,
    trunk: CutResNet | None,
    settings: T2silSettings,
    device: Device,
    data: Sequence[DataOrigin] = (),
    watched: Instances | None = None,
    beside: Instances | None = None,
) -> tuple[CutResNet, History]:
    """A network trained on random windows, half of them mirrored, by SGD with momentum (§5); the rate falls by a half
    cosine. All networks of a run begin like the trunk. What it learns from (`LEARNT_FROM`), and for how many steps, is
    said by its name up to "_".

    watched: instances whose share that is named right its curve shows, under `score_every`. beside: further images, of
    which one half of each batch is made; with twice the steps, so that each of the others is looked at as often as
    without them.
    """
    torch.manual_seed(settings.seed)
    network = new_network(classes, learnt.images.shape[1], settings)
    if trunk is not None:
        network.begin_like(trunk)
    kind = name.partition("_")[0]
    depends_on = (*NETWORK, *LEARNT_FROM.get(kind, ()))
    steps = settings.temporal_steps if kind in OF_VIDEOS else settings.steps * (1 if beside is None else 2)

    def right() -> dict[str, float]:
        found = keep(network, watched, device)
        return {"held_out": 100 * float((found.softmax.argmax(1) == found.labels).mean())}

    if beside is None:
        batches = crop_batches(
            lambda rows, _: learnt.images[rows],
            learnt.labels,
            network.image_size,
            learnt.mirror,
            settings.batch_size,
            settings.seed,
        )
    else:
        batches = half_of_each(learnt, beside, network.image_size, settings.batch_size, settings.seed)
    history = train(
        network,
        batches,
        classification_loss(network),
        torch.optim.SGD(network.parameters(), lr=settings.rate, momentum=MOMENTUM, weight_decay=DECAY),
        steps,
        device,
        label=name,
        schedule=warm_up_then_cosine(steps),
        checkpoint=checkpoint_for(settings.chapter, name, settings, depends_on, data),
        workers=settings.workers,
        watch=Watch(settings.score_every, right) if watched is not None else None,
    )
    return network, history


def half_of_each(stills: Instances, added: Instances, side: int, batch_size: int, seed: int) -> StepBatches:
    """Batches of random windows of side x side, of which one half are `stills`, all of them in turn, and the other half
    is drawn from `added`, however many there are of either."""
    half, stills_labels, added_labels = batch_size // 2, torch.from_numpy(stills.labels), torch.from_numpy(added.labels)

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        more = rng.choice(len(added), batch_size - half)
        shown = torch.cat([stills.images[rows], added.images[more]])
        cut = random_crops(shown, side, stills.mirror, rng)
        return as_network_input(cut), torch.cat([stills_labels[rows], added_labels[more]])

    return StepBatches(len(stills), half, make_batch, seed)


@dataclass(frozen=True)
class Kept:
    """What a fixed network says of instances, computed once: maps float [M, C, h, w] in front of its last block, where
    a student needs them, features float32 [M, D], scores float32 [M, classes] before the softmax, labels and item
    int64 [M]."""

    maps: Tensor | None
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

    def rows(self, chosen: np.ndarray) -> Kept:
        """Those of `chosen`, int64 [K], without their maps."""
        some = torch.from_numpy(chosen)
        return Kept(None, self.features[some], self.scores[some], self.labels[chosen], self.item[chosen])

    def of_items(self) -> tuple[np.ndarray, np.ndarray]:
        """Softmax scores averaged over each item's instances, and its label: [K, classes], int64 [K], items in
        order."""
        items, place = np.unique(self.item, return_inverse=True)
        total = np.zeros((len(items), self.scores.shape[1]))
        np.add.at(total, place, self.softmax)
        first = np.unique(place, return_index=True)[1]
        return total / np.bincount(place)[:, None], self.labels[first]


def keep(
    network: CutResNet, shown: Instances, device: Device, views: int = 1, seed: int = 0, maps: bool = False
) -> Kept:
    """The network's answers to the middle window of each instance and, with more `views`, to random windows of it, half
    of them mirrored (training ones: heads then see as many versions of each)."""
    head = nn.Sequential(network.last_block, network.pool)
    first = network.stem if maps else nn.Sequential(network.stem, head)
    windows = views_of(shown, network.image_size, views, seed)
    found = torch.cat([predict(first, as_network_input(cut), device) for cut in windows])
    features = predict(head, found, device) if maps else found
    scores = predict(network.classifier, features, device)
    kept_maps = found if maps else None
    return Kept(kept_maps, features, scores, np.tile(shown.labels, views), np.tile(shown.item, views))


def views_of(shown: Instances, side: int, views: int, seed: int) -> Iterator[Tensor]:
    """The windows that `keep` looks at, view after view, a piece of the instances at a time, uint8 [B, C, side, side];
    for the same seed the same."""
    rng = np.random.default_rng(seed)
    for view in range(views):
        for rows in np.array_split(np.arange(len(shown)), max(1, -(-len(shown) // AT_ONCE))):
            images = shown.images[rows]
            yield random_crops(images, side, shown.mirror, rng) if view else centre_crops(images, side)
