"""Windows of images, at random and mirrored for training, in the middle for testing. Chapters 03 and 05."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

#: what images in a mirror look like, uint8 [N, C, H, W] -> the same
Mirror = Callable[[Tensor], Tensor]


def mirrored_photograph(images: Tensor) -> Tensor:
    """RGB images [N, 3, H, W] in a mirror: columns reversed."""
    return images.flip(-1)


def random_crops(images: Tensor, side: int, mirror: Mirror, rng: np.random.Generator) -> Tensor:
    """A random window of side x side of each image uint8 [N, 3, S, S], half of them mirrored: Caffe's habit of cutting
    227 pixels out of 256."""
    turned = torch.from_numpy(rng.random(len(images)) < 0.5)
    shown = images.clone()
    shown[turned] = mirror(images[turned])
    room = images.shape[-1] - side
    corners = rng.integers(0, room + 1, (len(images), 2))
    return torch.stack(
        [one[:, y : y + side, x : x + side] for one, (y, x) in zip(shown, corners.tolist(), strict=True)]
    )


def centre_crops(images: Tensor, side: int) -> Tensor:
    """The middle side x side pixels of images [N, 3, S, S]."""
    corner = (images.shape[-1] - side) // 2
    return images[..., corner : corner + side, corner : corner + side]
