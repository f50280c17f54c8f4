"""Recognition in the POF-SM domain (Safaei and Foroosh, arXiv 1705.04641, §III-B, §IV): the ImageNet start, the
training regimes of Tables I and II, and the fixed features of Table III. Chapter 03.

The regimes themselves are `pof_sm_regimes`, the network `networks.lrn_alexnet`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from stillact_lib.classification import crop_batches
from stillact_lib.evaluation.top_accuracy import within_top
from stillact_lib.networks.alexnet import ImageNetAlexNet
from stillact_lib.networks.lrn_alexnet import LRNAlexNet
from stillact_lib.papers.pof_sm_flow import CHAPTER
from stillact_lib.papers.pof_sm_regimes import optimiser_for, regime_called, step_schedule, with_new_fc8
from stillact_lib.papers.pof_sm_settings import PofSmSettings
from stillact_lib.photographs import Photographs
from stillact_lib.pretraining import pretrain_on_photographs
from stillact_lib.run_data import checkpoint_for
from stillact_lib.training import (
    Device,
    History,
    classification_loss,
    predict,
    train,
)
from stillact_lib.vision.crops import Mirror, centre_crops
from stillact_lib.vision.images import as_network_input

AlexNet = LRNAlexNet | ImageNetAlexNet

IMAGENET_CLASSES = 1000
#: what the ImageNet start depends on
PRETRAINING_DEPENDS_ON = (
    *("profile", "imagenet_root", "miniature_size", "miniature_seed", "seed", "device", "full_architectures"),
    *("stored_size", "image_size", "batch_size", "pretraining", "pretraining_steps", "pretraining_rate"),
)


def new_alexnet(classes: int, settings: PofSmSettings) -> LRNAlexNet:
    """The paper's network, untrained, at the published size or small."""
    return LRNAlexNet.full(classes) if settings.full_architectures else LRNAlexNet.compact(classes, settings.image_size)


def fit(
    network: AlexNet,
    images: Tensor,
    labels: np.ndarray,
    regime: str,
    mirror: Mirror,
    settings: PofSmSettings,
    device: Device,
    *,
    label: str,
) -> History:
    """Trains a network in place on images uint8 [N, 3, S, S] with labels int64 [N], under a regime of Table I."""
    return train(
        network,
        crop_batches(images, labels, network.image_size, mirror, settings.batch_size, settings.seed),
        classification_loss(network),
        optimiser_for(network, regime, settings.rate),
        settings.steps,
        device,
        label=label,
        schedule=step_schedule(settings.rate_step),
        workers=settings.workers,
    )


@dataclass(frozen=True)
class Start:
    """The network that fine-tuning begins with, and how well it knows ImageNet: top-1 on its validation part in %,
    beside what always naming one class would reach. Both NaN where the weights were downloaded."""

    network: AlexNet
    accuracy: float
    commonest: float
    history: History | None


def pretrain(photographs: Photographs, settings: PofSmSettings, device: Device) -> Start:
    """The paper's AlexNet, trained on ImageNet's photographs; the paper takes it trained."""
    torch.manual_seed(settings.seed)
    network = new_alexnet(len(photographs.classes), settings)
    quality = pretrain_on_photographs(
        network,
        photographs,
        steps=settings.pretraining_steps,
        batch_size=2 * settings.batch_size,
        rate=settings.pretraining_rate,
        device=device,
        seed=settings.seed,
        checkpoint=checkpoint_for(CHAPTER, "imagenet", settings, PRETRAINING_DEPENDS_ON),
        workers=settings.workers,
    )
    return Start(network, quality.accuracy, quality.commonest, quality.history)


def torchvision_start() -> Start:
    """torchvision's AlexNet with its ImageNet weights, a declared deviation: no normalisation, narrower convolutions.

    Raises StillactError where the weights cannot be had.
    """
    return Start(ImageNetAlexNet(IMAGENET_CLASSES), float("nan"), float("nan"), None)


def begin(regime: str, start: AlexNet, classes: int, settings: PofSmSettings) -> AlexNet:
    """The network that a regime starts from: a new one, or the pre-trained one with a new FC8."""
    torch.manual_seed(settings.seed)
    return with_new_fc8(start, classes) if regime_called(regime).pretrained else new_alexnet(classes, settings)


def accuracies(scores: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Top-1 and top-5 of each still: 100 where the true class is among the best, else 0."""
    return {f"top{k}": 100.0 * within_top(scores, labels, k) for k in (1, 5)}


def fixed_features(network: AlexNet, images: Tensor, device: Device) -> np.ndarray:
    """What is left when the last layer is removed (§IV.B): FC7's outputs [N, hidden] of centre crops."""
    body = nn.Sequential(_WithoutFC8(network))
    return predict(body, as_network_input(centre_crops(images, network.image_size)), device).numpy()


class _WithoutFC8(nn.Module):
    def __init__(self, network: AlexNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.fc7(images)


def linear_softmax(
    network: AlexNet, photographs: Photographs, images: Tensor, mirror: Mirror, device: Device
) -> np.ndarray:
    """Class scores [T, C] of the test photographs: a linear soft-max classifier on fixed features of `images`, the
    photographs themselves or their POF-SM images.

    "Randomly mirrored images": every training photograph counts twice, as it is and mirrored.
    """
    seen, asked = (torch.from_numpy(rows) for rows in (~photographs.test, photographs.test))
    learnt = [fixed_features(network, shown, device) for shown in (images[seen], mirror(images[seen]))]
    wanted = np.tile(photographs.labels[~photographs.test], 2)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    classifier.fit(np.concatenate(learnt), wanted)
    scores = np.zeros((int(asked.sum()), len(photographs.classes)))
    scores[:, classifier.classes_] = classifier.predict_proba(fixed_features(network, images[asked], device))
    return scores
