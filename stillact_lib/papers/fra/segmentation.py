"""The networks of FRA (Rosenfeld and Ullman 2016, §3.1, §3.4): what they begin with, the coarse and the fine one, how
they are trained, and a network of the whole image beside them. Chapter 01.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.datasets.fra import OBJECTS
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.fcn8s import IGNORED, STRIDE, FCN8s, segmentation_loss
from stillact_lib.networks.mobile import MobileNetwork, mobile_network
from stillact_lib.networks.vgg import Vgg
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.fra.data import LABELS, FraImages, learnt_from, objects_only
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import History, StepBatches, Watch, classification_loss, train, warm_up_then_cosine
from stillact_lib.training.pretraining import ClassQuality, pretrain_on_photographs
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.photographs import Photographs
from stillact_lib.vision.windows import about, cut, jittered, whole

#: settings that change the pre-trained network, and those that change what every segmentation network makes of it
PRETRAINED_BY = ("full_architectures", "batch_size", "pretraining", "pretraining_steps", "pretraining_rate")
TAUGHT_BY = (*PRETRAINED_BY, "image_size", "steps", "solver", "rate", "score_every")
MOMENTUM, DECAY = 0.9, 5e-4
#: how far windows of training move and change in size: of a whole image, of a face's surroundings
WHOLE_JITTER, FACE_JITTER = (0.05, 0.1), (0.15, 0.2)
#: test images that are enlarged at once
AT_ONCE = 64


def imagenet_network(settings: FraSettings) -> Vgg | MobileNetwork:
    """VGG-16, or the mobile network that `pretraining` names, with ImageNet's weights. Raises StillactError where these
    cannot be had."""
    if settings.pretraining == "imagenet":
        return Vgg.full(1, imagenet=True)
    return mobile_network(settings.pretraining, imagenet=True)


def pretrained(
    settings: FraSettings, photographs: Photographs | None, device: Device
) -> tuple[Vgg | MobileNetwork, ClassQuality | None]:
    """A network with ImageNet's weights, or (`pretraining` "own") a VGG trained on `photographs`, and how well."""
    torch.manual_seed(settings.seed)
    if settings.pretraining != "own":
        return imagenet_network(settings), None
    classes = len(photographs.classes)
    network = Vgg.full(classes) if settings.full_architectures else Vgg.compact(classes)
    quality = pretrain_on_photographs(
        network,
        photographs,
        steps=settings.pretraining_steps,
        batch_size=2 * settings.batch_size,
        rate=settings.pretraining_rate,
        device=device,
        seed=settings.seed,
        checkpoint=checkpoint_for(settings.chapter, "imagenet", settings, PRETRAINED_BY, learnt_from(settings)),
        workers=settings.workers,
    )
    return network, quality


@dataclass(frozen=True)
class Lesson:
    """What a segmentation network is taught: its name, images uint8 [N, 3, S, S], label maps uint8 [N, 1, S, S] of so
    many labels, a window of each [N, 4], how far it moves and changes in size, the side at which it is seen, and
    whether the network has skips (FCN-8s) or not (FCN-32s). `depends_on` and `data` are what its checkpoint names
    beside `TAUGHT_BY`."""

    name: str
    images: Tensor
    labels: Tensor
    num_labels: int
    boxes: np.ndarray
    jitter: tuple[float, float]
    side: int
    skips: bool = True
    depends_on: tuple[str, ...] = ()
    data: tuple[DataOrigin, ...] = ()

    def batches(self, batch_size: int, seed: int) -> StepBatches:
        """Windows [B, 3, side, side] in [-1, 1] with labels int64 [B, side, side], half of them mirrored; what lies
        outside the image has no label."""

        def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
            boxes = _moved(self.boxes[rows], rng, self.jitter)
            images = cut(as_network_input(self.images[rows]), boxes, self.side)
            labels = cut(self.labels[rows].float(), boxes, self.side, outside=IGNORED, nearest=True)
            return images, labels[:, 0].long()

        return StepBatches(len(self.images), batch_size, make_batch, seed)


def _moved(boxes: np.ndarray, rng: np.random.Generator, jitter: tuple[float, float]) -> np.ndarray:
    """Boxes [B, 4] moved and changed in size, half of them from right to left: in a mirror."""
    boxes = jittered(boxes, rng, *jitter)
    turned = rng.random(len(boxes)) < 0.5
    boxes[turned] = boxes[turned][:, [2, 1, 0, 3]]
    return boxes


def coarse_lesson(
    fra: FraImages,
    settings: FraSettings,
    objects_alone: bool = False,
    skips: bool = True,
    rows: np.ndarray | None = None,
) -> Lesson:
    """Whole images, the training ones or `rows`; `objects_alone`: without the labels of faces and hands (§4.1); without
    `skips`: by the 32-pixel version of the network (§3.1)."""
    chosen = torch.from_numpy(fra.train if rows is None else rows)
    images, labels = fra.images[chosen], fra.label_maps()[chosen]
    name, num_labels = "coarse network", len(LABELS)
    if objects_alone:
        name, labels, num_labels = "objects alone", objects_only(labels), 1 + len(OBJECTS)
    name = name if skips else f"{name}, 32 pixels"
    how = (WHOLE_JITTER, settings.coarse_size, skips, ("coarse_size",), learnt_from(settings, fra))
    return Lesson(name, images, labels, num_labels, whole(images), *how)


def fine_lesson(fra: FraImages, settings: FraSettings, rows: np.ndarray | None = None) -> Lesson:
    """Windows about the annotated faces of the training images or of `rows`, `face_times` as large and square, moved a
    little as those of a test are; an image without a face teaches nothing here."""
    rows = fra.train if rows is None else rows
    faces = fra.faces()[rows]
    shown = np.isfinite(faces).all(axis=1)
    chosen = torch.from_numpy(rows[shown])
    boxes = about(faces[shown], settings.face_times, square=True)
    how = (FACE_JITTER, settings.fine_size, True, ("fine_size", "face_times"), learnt_from(settings, fra))
    return Lesson("fine network", fra.images[chosen], fra.label_maps()[chosen], len(LABELS), boxes, *how)


#: figures of a network in training
Figures = Callable[[nn.Module], dict[str, float]]


def train_segmentation(
    start: Vgg | MobileNetwork, lesson: Lesson, settings: FraSettings, device: Device, figures: Figures | None = None
) -> tuple[FCN8s, History]:
    """An FCN-8s made of the network `start`; the rate falls by a half cosine. "sgd" is the paper's solver, with slow
    skips; "adam", for the small network and few steps, teaches all layers alike. figures: what its curve shows, under
    `score_every`."""
    torch.manual_seed(settings.seed)
    network = FCN8s(start, lesson.num_labels, lesson.skips)

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, wanted = batch
        scores = network(images).float()
        things = (wanted > 0) & (wanted != IGNORED)
        return segmentation_loss(scores, wanted), {"right": (scores.argmax(1) == wanted)[things].float().mean()}

    if settings.solver == "sgd":
        groups = network.parameter_groups(settings.rate)
        optimiser = torch.optim.SGD(groups, lr=settings.rate, momentum=MOMENTUM, weight_decay=DECAY)
    else:
        optimiser = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=0.01)
    name, depends_on = _as_file(lesson.name), TAUGHT_BY + lesson.depends_on
    history = train(
        network,
        lesson.batches(settings.batch_size, settings.seed),
        step_loss,
        optimiser,
        settings.steps,
        device,
        label=lesson.name,
        schedule=warm_up_then_cosine(settings.steps),
        checkpoint=checkpoint_for(settings.chapter, name, settings, depends_on, lesson.data),
        workers=settings.workers,
        watch=Watch(settings.score_every, partial(figures, network)) if figures else None,
    )
    return network, history


def _as_file(name: str) -> str:
    """A network's name as that of a file."""
    return name.replace(",", "").replace(" ", "-")


class WholeImage(nn.Module):
    """A classifier of whole images that begins as a localiser: the highest score of each of its labels over all places,
    and a linear layer. images [B, 3, S, S] -> [B, num_classes]. All of it learns."""

    def __init__(self, localiser: FCN8s, num_classes: int) -> None:
        super().__init__()
        self.localiser = deepcopy(localiser)
        labels = localiser.score.out_channels
        self.classifier = nn.Sequential(nn.BatchNorm1d(labels), nn.Linear(labels, num_classes))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.localiser(images).amax(dim=(2, 3)))


def whole_side(settings: FraSettings, magnified: bool) -> int:
    """The side at which a network of the whole image sees it: the coarse network's or, `magnified`, that at which
    things are as large as to the fine network."""
    if not magnified:
        return settings.coarse_size
    return STRIDE * round(settings.fine_size / settings.window_share / STRIDE)


def train_whole_image(
    localiser: FCN8s,
    fra: FraImages,
    settings: FraSettings,
    device: Device,
    magnified: bool = False,
    figures: Figures | None = None,
) -> tuple[WholeImage, History]:
    """The network of the whole image, fine-tuned on the actions' labels, beginning with what the localiser knows: the
    coarse network, or for `magnified` images the fine one. figures: as above."""
    torch.manual_seed(settings.seed)
    network = WholeImage(localiser, len(fra.photographs.classes))
    rows, side = torch.from_numpy(fra.train), whole_side(settings, magnified)
    images, labels = fra.images[rows], torch.from_numpy(fra.labels)[rows]
    name = "whole image" + (", magnified" if magnified else "")

    def make_batch(chosen: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        boxes = _moved(whole(images[chosen]), rng, WHOLE_JITTER)
        return cut(as_network_input(images[chosen]), boxes, side), labels[chosen]

    depends_on = (*TAUGHT_BY, "coarse_size", "whole_steps", "whole_rate")
    depends_on += ("fine_size", "window_share", "face_times") if magnified else ()
    history = train(
        network,
        StepBatches(len(images), settings.batch_size, make_batch, settings.seed),
        classification_loss(network),
        torch.optim.AdamW(network.parameters(), lr=settings.whole_rate, weight_decay=0.01),
        settings.whole_steps,
        device,
        label=name,
        schedule=warm_up_then_cosine(settings.whole_steps),
        checkpoint=checkpoint_for(
            settings.chapter,
            _as_file(name),
            settings,
            depends_on,
            learnt_from(settings, fra),
        ),
        workers=settings.workers,
        watch=Watch(settings.score_every, partial(figures, network)) if figures else None,
    )
    return network, history


def whole_scores(
    network: WholeImage, fra: FraImages, side: int, device: Device, rows: np.ndarray | None = None
) -> np.ndarray:
    """Class scores [N, C] of the test images, or of `rows`, seen at `side` pixels."""
    found = []
    for some in fra.images[torch.from_numpy(fra.test if rows is None else rows)].split(AT_ONCE):
        images = as_network_input(some)
        found.append(predict(network, cut(images, whole(images), side), device))
    return torch.cat(found).numpy()
