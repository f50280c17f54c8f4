"""Windows of images, at random and mirrored for training, in the middle for testing. Chapters 03 to 05."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stillact_lib.vision.images import as_network_input

#: Im2Flow's released code: images are resized to 286 and a window of 256 is cut out of them
ENLARGEMENT = 286 / 256

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


def random_window(images: Tensor, flows: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Im2Flow's augmentation: the same random window and horizontal flip of image and flow.

    images: uint8 [B, 3, S, S]; flows: [B, 2, S, S] in pixels. Returns float images in [-1, 1] and flows, same sizes.
    The window is 256/286 of the image, cut and enlarged in one bilinear resampling, so vectors grow by 286/256; a
    mirrored flow has u negated. (The released code does neither: it keeps the vectors' length and, in the flip, the
    sign of u, which teaches opposite directions for the same image.)
    """
    stacked = torch.cat([as_network_input(images), flows.float() * ENLARGEMENT], dim=1)
    cut, mirrored = cut_windows(stacked, rng)
    flow = cut[:, 3:]
    flow[mirrored, 0] *= -1
    return cut[:, :3], flow


def cut_windows(maps: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A random window of 256/286 of each map, enlarged to the map's size, every second one mirrored on average.

    maps: float [B, C, S, S]. Returns the same shape, and which are mirrored, bool [B]: signs of horizontal motion are
    the caller's to turn. The same `rng` cuts the same windows, whatever the channels hold.
    """
    count = len(maps)
    mirrored = rng.random(count) < 0.5
    shift = rng.uniform(-1, 1, (count, 2)) * (1 - 1 / ENLARGEMENT)
    window = np.zeros((count, 2, 3), np.float32)
    window[:, 0, 0] = np.where(mirrored, -1, 1) / ENLARGEMENT
    window[:, 1, 1] = 1 / ENLARGEMENT
    window[:, :, 2] = shift
    grid = F.affine_grid(torch.from_numpy(window), list(maps.shape), align_corners=False)
    cut = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
    return cut, torch.from_numpy(mirrored)
