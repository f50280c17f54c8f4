"""Classifiers of stored images: batches of random windows to train on, scores of middle windows. Chapters 03 and 05."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import StepBatches
from stillact_lib.vision.crops import Mirror, centre_crops, random_crops
from stillact_lib.vision.images import as_network_input


def crop_batches(
    images: Tensor | Callable[[np.ndarray, np.random.Generator], Tensor],
    labels: np.ndarray,
    side: int,
    mirror: Mirror,
    batch_size: int,
    seed: int,
) -> StepBatches:
    """Batches of random windows of side x side in [-1, 1], half of them mirrored, with labels int64 [N].

    images: uint8 [N, C, S, S], or what gives those of some rows (a random part of each video, for instance).
    """
    wanted = torch.from_numpy(labels)
    show = (lambda rows, _: images[rows]) if isinstance(images, Tensor) else images

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return as_network_input(random_crops(show(rows, rng), side, mirror, rng)), wanted[rows]

    return StepBatches(len(labels), batch_size, make_batch, seed)


def scores_of(network: nn.Module, images: Tensor, device: Device) -> np.ndarray:
    """Softmax scores [N, C] of middle windows, of the network's `image_size`, of images uint8 [N, 3, S, S]."""
    shown = as_network_input(centre_crops(images, network.image_size))
    return predict(network, shown, device).softmax(1).numpy()
